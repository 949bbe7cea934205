"""One container's work and limits, how it ended, and the attestation of what it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from orchestrator.core.tree import UNWRITTEN, Tree, digest

ContainerKind = Literal["experiment", "latex", "editor"]

UNREAD = "not read: only root on the engine's machine may"
"""In place of a fact of a started container. Then only the engine's own report is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A policy's container block as plain numbers: bytes, seconds, counts."""

    image: str
    runtime: str
    user: str
    cpus: float
    memory: int
    pids: int
    shm: int
    open_files: int
    wall: float
    cpu_time: float
    grace: float
    workspace: int
    tmp: int
    inodes: int
    file: int
    logs: int
    harvest_files: int
    harvest_bytes: int
    harvest_file: int
    harvest_depth: int
    gpus: int = 0
    gpu_memory: int = 0
    network: tuple[str, ...] = ()
    seccomp: str = "default"
    env: tuple[tuple[str, str], ...] = ()

    def without_gpus(self) -> Limits:
        """The same, and no GPU: of a job that draws figures, so that it holds none."""
        return replace(self, gpus=0, gpu_memory=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One container's work: a tree to copy in, a command, limits, and what to bring home.

    ``scope`` is unique to the call (it ends in the attempt), so ``id`` is too. ``harvest``
    are files, folders (ending in ``/``) or file patterns of one folder (``*.png``) below the
    working directory; ``data`` are staged data sets as (name, hash of the content), mounted
    read-only below ``/data`` from wherever this host keeps them. ``preload`` are modules of the image
    that its interpreter may import before the job is known; for an editor it is the whole command, which waits for an edit.
    """

    scope: str
    kind: ContainerKind
    argv: tuple[str, ...]
    files: Tree
    limits: Limits
    harvest: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    data: tuple[tuple[str, str], ...] = ()
    preload: tuple[str, ...] = field(default=(), metadata=UNWRITTEN)

    @property
    def id(self) -> str:
        return digest(self)[:16]


class Verdict(StrEnum):
    """Why a job ended, by the order: host kill, memory, storage, pids, failed; exit 0 stays."""

    FINISHED = "finished"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    OUT_OF_CPU_TIME = "out of cpu time"
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_STORAGE = "out of storage"
    OUT_OF_PIDS = "out of pids"
    OUT_OF_GPU_MEMORY = "out of gpu memory"
    LOG_FLOOD = "log flood"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The most that was seen of each, by sampling and at exit: bytes, counts, seconds."""

    memory: int = 0
    pids: int = 0
    disk: int = 0
    inodes: int = 0
    cpu_time: float = 0.0
    wall: float = 0.0
    gpu_memory: int = 0
    gpu_time: float = 0.0
    log_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """A connection that a job asked the allow-list's proxy for, and what became of it."""

    at: float  # seconds after the job's start
    host: str  # as asked for, as plain text
    allowed: bool
    address: str = ""  # the one dialled
    why: str = ""  # refused, or ended before both sides had sent everything
    sent: int = 0  # bytes
    received: int = 0
    count: int = 1  # above one for the sum of many


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What one container was allowed, what the engine says it was, and what it did."""

    container: str
    image: str
    policy: str
    engine: str
    kernel: str
    runtime: str
    storage: str
    asked: tuple[tuple[str, str], ...]
    inspected: tuple[tuple[str, str], ...]
    seen: tuple[tuple[str, str], ...]
    hit: tuple[str, ...]
    peaks: Peaks
    verdict: Verdict
    egress: tuple[Egress, ...] = ()
    gpus: tuple[tuple[str, str], ...] = ()  # how they were lent, how their limits are held
    exit_code: int | None = None
    killed: Verdict | None = None  # the host's own reason to end it
    suspected: tuple[str, ...] = ()  # limits that only its own words speak of
    # UTC: when its program was let go, and when its end was seen. Empty in older records.
    began: str = field(default="", metadata=UNWRITTEN)
    ended: str = field(default="", metadata=UNWRITTEN)

    @property
    def unread(self) -> tuple[str, ...]:
        """The names of the facts in ``seen`` that the host was not allowed to read."""
        return tuple(name for name, value in self.seen if value == UNREAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What a job printed, what was harvested, and the attestation of how it ended.

    ``refused`` are (path, why) of what the harvest rules left out.
    """

    stdout: str
    stderr: str
    files: Tree
    attestation: Attestation
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> Verdict:
        return self.attestation.verdict

    @property
    def exit_code(self) -> int | None:
        return self.attestation.exit_code

    @property
    def hit(self) -> tuple[str, ...]:
        """The limits that were measured to be reached."""
        return self.attestation.hit

    @property
    def suspected(self) -> tuple[str, ...]:
        """The limits that only the program's own output names."""
        return self.attestation.suspected

    @property
    def ok(self) -> bool:
        return self.verdict is Verdict.FINISHED


KINDS: tuple[ContainerKind, ...] = ("experiment", "latex", "editor")
