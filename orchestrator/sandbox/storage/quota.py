"""A hard quota, in bytes and inodes, on the one folder a job may fill.

Three backends. ``xfs``: a folder with a project quota (``storage_xfs.py``). ``loop``: an ext4
image of the right size behind a loop device, made by a trusted *maker* that lives as long as
the run. ``tmpfs``: a volume in memory, only where it fits inside the job's memory limit. Which
one works is found by writing past the quota (``volumes.py``), never by trusting an option. A trusted *keeper* mounts each volume before the code is copied in, and
reads it when the job's container is gone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from orchestrator.core.errors import ControlUnavailable, DiskFull, EngineFailed, SandboxFailed
from orchestrator.policy.seccomp import shipped
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.engine.stream import STDOUT, Stream
from orchestrator.sandbox.harvest.harvest import Rules

BACKENDS = ("xfs", "loop", "tmpfs")  # every one, the best first
OPTIONS = "nosuid,nodev,noexec"
HELPER_MEMORY = 512 << 20  # bytes: the most that one trusted container may use
_SCRIPTS = "/opt/aisci/storage"
_ANSWER_WITHIN = 60.0  # seconds
ENOSPC = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Bytes and inodes of one volume, and the numeric user who owns its root."""

    bytes: int
    inodes: int
    uid: int
    gid: int


class Helper:
    """A trusted container that answers JSON lines; not started before :meth:`start`."""

    def __init__(self, engine: Engine, body: Mapping[str, Any], *, script: str, name: str) -> None:
        self._engine = engine
        body = {
            **body,
            "Entrypoint": ["python3"],
            "Cmd": ["-I", f"{_SCRIPTS}/{script}"],
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
        }
        self.id = create_container(engine, body, name)
        self._stream = Stream(engine, self.id)
        self._line = b""
        self._words = b""
        self._lock = threading.Lock()

    def start(self) -> None:
        with translated("starting a trusted container"):
            self._engine.api.start(self.id)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request, one answer. Raises :class:`EngineFailed` if the helper is gone."""
        with self._lock:
            self._say(request)
            while b"\n" not in self._line:
                self._line += self._output()
            line, _, self._line = self._line.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stream(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        """One request, then all that the helper writes up to its end."""
        self._say(request)
        while not self._stream.ended:
            pieces = self._stream.read(_ANSWER_WITHIN)
            if not pieces and not self._stream.ended:
                raise self._gone()
            for which, data in pieces:
                if which == STDOUT:
                    yield data
                else:
                    self._words = (self._words + data)[-2000:]

    def remove(self) -> None:
        """End it at once; harmless when it is gone already."""
        self._stream.close()
        remove_container(self._engine, self.id)

    def _say(self, request: Mapping[str, Any]) -> None:
        try:
            self._stream.send(json.dumps(request).encode() + b"\n")
        except BrokenPipeError as error:
            raise self._gone() from error

    def _output(self) -> bytes:
        pieces = self._stream.read(_ANSWER_WITHIN)
        if not pieces:
            raise self._gone()
        self._words += b"".join(data for which, data in pieces if which != STDOUT)
        self._words = self._words[-2000:]
        return b"".join(data for which, data in pieces if which == STDOUT)

    def _gone(self) -> EngineFailed:
        return EngineFailed(
            "a trusted storage container ended or fell silent",
            where=self.id[:12],
            why=self._words.decode(errors="replace").strip(),
            todo="`aisci doctor` tries the storage backends one by one",
        )


def helper_body(image: str, labels: Mapping[str, str], **host: Any) -> dict[str, Any]:
    """The engine's settings of a trusted helper: everything off but what ``host`` adds.

    A maker has the engine's own seccomp profile: aisci's refuses what makes devices and quotas.
    """
    return {
        "Image": image,
        "User": "0:0",
        "Env": ["PYTHONDONTWRITEBYTECODE=1"],
        "Labels": dict(labels),
        "HostConfig": {
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "IpcMode": "private",
            "LogConfig": {"Type": "none"},
            "PidsLimit": 32,
            "Memory": HELPER_MEMORY,
            "MemorySwap": HELPER_MEMORY,
            **host,
        },
    }


def volume_mount(volume: str, target: str) -> dict[str, Any]:
    """A volume as it is: an engine copies the image's folder, owner included, into a new one."""
    options = {"NoCopy": True}
    return {"Type": "volume", "Source": volume, "Target": target, "VolumeOptions": options}


def maker_body(image: str, pool: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The maker's settings: it may make loop devices, and nothing else."""
    return helper_body(
        image,
        labels,
        CapAdd=["MKNOD", "SYS_ADMIN"],
        DeviceCgroupRules=["b 7:* rwm", "c 10:237 rwm"],
        Mounts=[volume_mount(pool, "/pool")],
    )


def keeper_body(image: str, volume: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The keeper's settings: it may read everything in the volume, and change nothing."""
    calls = f"seccomp={shipped().text}"
    return helper_body(
        image,
        labels,
        CapAdd=["DAC_READ_SEARCH"],
        SecurityOpt=["no-new-privileges:true", calls],
        Mounts=[volume_mount(volume, "/volume") | {"ReadOnly": True}],
    )


@contextmanager
def loop_device(maker: Helper, quota: Quota) -> Iterator[str]:
    """A fresh ext4 device of ``quota``'s size; the caller mounts it before the block ends.

    Raises:
        ControlUnavailable: the kernel or the engine lends no loop device.
        DiskFull: the engine's disk has no room for it.
    """
    answer = maker.ask({"op": "make", "bytes": quota.bytes, "inodes": quota.inodes,
                        "uid": quota.uid, "gid": quota.gid})  # fmt: skip
    if not answer["ok"]:
        if answer["errno"] == ENOSPC:
            raise DiskFull(
                "the engine's disk has no room for a job's workspace",
                where="storage.workspace",
                why=f"{quota.bytes} bytes are reserved before a job starts",
                todo="make room where the engine keeps its volumes, or lower storage.workspace",
            )
        raise ControlUnavailable(
            "no loop device can be created here",
            where="storage backend loop",
            why=str(answer["error"]),
            todo="docs/installing.md, what a machine can lack",
        )
    try:
        yield answer["device"]
    finally:
        maker.ask({"op": "release", "device": answer["device"]})


def volume_options(backend: str, quota: Quota, device: str) -> dict[str, str]:
    """What the engine's local volume driver passes to mount(2).

    A bind takes its options from the mount below it, whatever is said here; so nothing is.
    """
    if backend == "xfs":
        return {"type": "none", "device": device, "o": "bind"}
    if backend == "loop":
        return {"type": "ext4", "device": device, "o": OPTIONS}
    owner = f"uid={quota.uid},gid={quota.gid},mode=755"
    size = f"size={quota.bytes},nr_inodes={quota.inodes}"
    return {"type": "tmpfs", "device": "tmpfs", "o": f"{size},{owner},{OPTIONS}"}


def send_request(rules: Rules) -> dict[str, Any]:
    """What the keeper is asked to send home for ``rules``."""
    return {
        "op": "send",
        "paths": list(rules.paths),
        "file": rules.file,
        "bytes": rules.bytes,
        "members": rules.members,
        "depth": rules.depth,
    }


def check_fits(workspace: int, tmp: int, shm: int, memory: int, why_not: str = "") -> None:
    """Whether a volume in memory can be full before the memory is.

    ``why_not`` says of the other backends why they are not to be had.

    Raises:
        ControlUnavailable: past the quota a job would be killed for memory instead.
    """
    if workspace + tmp + shm > memory:
        raise ControlUnavailable(
            "no hard disk quota can be given for storage.workspace",
            where="the policy's storage block",
            why=f"{workspace + tmp + shm} bytes of workspace, tmp and shm do not fit into "
            f"{memory} bytes of memory, and no other backend holds here. {why_not}".strip(),
            todo="mend what is said of the others, or lower the workspace below memory",
        )


def bad_probe(why: str) -> SandboxFailed:
    """A quota that was set and does not hold."""
    return SandboxFailed(
        "a disk quota was set and did not hold",
        where="the storage backend",
        why=why,
        todo="do not use it; `aisci doctor` shows which backends hold here",
    )
