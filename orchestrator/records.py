"""The values that flow between stages, ports and the journal: frozen, comparable, JSON-able.

Files travel as a :class:`Tree`: paths and hashes, never host paths. The bytes behind a hash
stand in a content-addressed store, so a value fits one journal line however large the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from enum import StrEnum
from typing import Any, Literal


def canonical(value: Any) -> bytes:
    """JSON bytes that are the same for equal values: sorted keys, no spaces, no NaN."""
    text = json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_as_json,
    )
    return text.encode(errors="backslashreplace")  # lone surrogates have no UTF-8 form


def _as_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def digest(value: Any) -> str:
    """SHA-256, in hex, of bytes, text or the canonical JSON of a value."""
    raw = value.encode() if isinstance(value, str) else value
    return hashlib.sha256(raw if isinstance(raw, bytes) else canonical(raw)).hexdigest()


@dataclass(frozen=True, slots=True)
class Tree:
    """Regular files by relative POSIX path, each with the SHA-256 of its bytes; sorted."""

    files: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, files: Mapping[str, str] | Iterable[tuple[str, str]]) -> Tree:
        return cls(tuple(sorted(dict(files).items())))

    def as_dict(self) -> dict[str, str]:
        return dict(self.files)

    def paths(self) -> tuple[str, ...]:
        return tuple(path for path, _ in self.files)

    def get(self, path: str) -> str | None:
        return self.as_dict().get(path)

    def updated(self, other: Mapping[str, str] | Tree) -> Tree:
        """This tree with ``other``'s files added or put in place of its own."""
        return Tree.of(self.as_dict() | dict(other.files if isinstance(other, Tree) else other))

    def under(self, prefix: str) -> Tree:
        """The files below the folder ``prefix``, with their whole paths."""
        head = prefix.rstrip("/") + "/"
        return Tree(tuple(pair for pair in self.files if pair[0].startswith(head)))

    def without(self, prefix: str) -> Tree:
        """This tree less the folder ``prefix``."""
        gone = set(self.under(prefix).paths())
        return Tree(tuple(pair for pair in self.files if pair[0] not in gone))


# --- the language model -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to a model. ``purpose`` names the stage's step, such as ``ideas.propose``."""

    purpose: str
    messages: tuple[Message, ...]
    temperature: float = 0.7
    max_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, and US dollars where a price is known (None: unknown, never zero)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    usage: Usage
    model: str
    finish: str = "stop"


# --- the editor ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """Change ``files`` as ``instruction`` says; only ``editable`` may change.

    Every editable file is shown to the model, and so is every file of ``readable``.
    """

    scope: str
    purpose: str
    instruction: str
    files: Tree
    editable: tuple[str, ...]
    readable: tuple[str, ...] = ()
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an editor did: the whole tree after it, and why nothing changed if nothing did.

    ``changed`` is found by comparing hashes, never by believing the editor.
    """

    files: Tree
    changed: tuple[str, ...]
    reply: str
    why_not: str = ""
    refused: tuple[str, ...] = ()
    turns: int = 0
    attestation: Attestation | None = None


# --- the sandbox --------------------------------------------------------------------------

ContainerKind = Literal["experiment", "latex", "editor"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One container's work: a tree to copy in, a command, limits, and what to bring home.

    ``scope`` is unique to the call (it ends in the attempt), so ``id`` is too. ``harvest``
    are files, folders (ending in ``/``) or file patterns of one folder (``*.png``) below the
    working directory; ``data`` are staged data sets as (name, hash of the content), mounted
    read-only below ``/data`` from wherever this host keeps them.
    """

    scope: str
    kind: ContainerKind
    argv: tuple[str, ...]
    files: Tree
    limits: Limits
    policy: str
    harvest: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    data: tuple[tuple[str, str], ...] = ()

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
    why: str = ""  # refused, or ended before both sides had said all
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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How a job ended and what came home. ``suspected`` is what only its own text says."""

    verdict: Verdict
    exit_code: int | None
    stdout: str
    stderr: str
    files: Tree
    attestation: Attestation
    hit: tuple[str, ...] = ()
    suspected: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        return self.verdict is Verdict.FINISHED


# --- literature ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRef:
    """A paper that a source knows; ``bibtex`` is a whole entry under ``key``."""

    key: str
    title: str
    authors: tuple[str, ...]
    year: int
    venue: str = ""
    abstract: str = ""
    bibtex: str = ""
    source: str = ""


# --- research -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A proposed study. Scores are the proposer's own, 1–10, or None where it gave none."""

    name: str
    title: str
    experiment: str
    interestingness: int | None = None
    feasibility: int | None = None
    novelty: int | None = None

    @property
    def id(self) -> str:
        return digest(self)[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    decision: Literal["novel", "not novel", "undecided"]
    reason: str
    papers: tuple[PaperRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished run: its code, the files it left below ``run_i/``, its attempts."""

    number: int
    code: Tree
    files: Tree
    description: str
    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A compiled paper: the tree holds its source, ``paper.pdf`` and the page pictures."""

    files: Tree
    pages: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A number in the paper's text, and what it resolves to (empty: nothing)."""

    text: str
    where: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review in the form that machine-learning venues use; None where none was judged."""

    summary: str
    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    questions: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    ethical_concerns: bool | None = None
    scores: tuple[tuple[str, int], ...] = ()
    overall: int | None = None
    confidence: int | None = None
    decision: str = ""
    reviewer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Where and why an idea ended early."""

    stage: str
    error: str
    what: str
    where: str = ""
    todo: str = ""
    transient: bool = field(default=False)
