"""A hard quota, in bytes and inodes, on the one folder a job may fill.

Three backends. ``xfs``: a folder with a project quota (``xfs.py``). ``loop``: an ext4 image of
the right size behind a loop device, created by a trusted *maker* that runs as long as the run.
``tmpfs``: a volume in memory, only where it fits inside the job's memory limit. Which one works
is tested by writing past the quota (``volumes.py``), never assumed from an option. A trusted
*keeper* mounts each volume before the code is copied in, and reads it when the job's container
is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from orchestrator.core.errors import ControlUnavailable, DiskFull, SandboxFailed
from orchestrator.sandbox.harvest.harvest import HarvestRules
from orchestrator.sandbox.storage.helper import Helper

BACKENDS = ("xfs", "loop", "tmpfs")  # all, the best first
OPTIONS = "nosuid,nodev,noexec"
ENOSPC = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Bytes and inodes of one volume, and the numeric user who owns its root."""

    bytes: int
    inodes: int
    uid: int
    gid: int


@contextmanager
def loop_device(maker: Helper, quota: Quota) -> Iterator[str]:
    """A new ext4 device of ``quota``'s size; the caller mounts it before the block ends.

    Raises:
        ControlUnavailable: the kernel or the engine gives no loop device.
        DiskFull: the engine's disk has too little free space.
    """
    answer = maker.ask({"op": "make", "bytes": quota.bytes, "inodes": quota.inodes,
                        "uid": quota.uid, "gid": quota.gid})  # fmt: skip
    if not answer["ok"]:
        if answer["errno"] == ENOSPC:
            raise disk_full(quota)
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

    A bind takes its options from the mount below it, so none are given for it.
    """
    if backend == "xfs":
        return {"type": "none", "device": device, "o": "bind"}
    if backend == "loop":
        return {"type": "ext4", "device": device, "o": OPTIONS}
    owner = f"uid={quota.uid},gid={quota.gid},mode=755"
    size = f"size={quota.bytes},nr_inodes={quota.inodes}"
    return {"type": "tmpfs", "device": "tmpfs", "o": f"{size},{owner},{OPTIONS}"}


def harvest_request(rules: HarvestRules) -> dict[str, Any]:
    """The request to the keeper for the files of ``rules``."""
    return {
        "op": "send",
        "paths": list(rules.paths),
        "file": rules.file,
        "bytes": rules.bytes,
        "members": rules.members,
        "depth": rules.depth,
    }


def check_fits(workspace: int, tmp: int, shm: int, memory: int, why_not: str = "") -> None:
    """Check that a volume in memory can be full before the memory is.

    ``why_not`` says why the other backends are not available.

    Raises:
        ControlUnavailable: a job past its quota would be killed for memory instead.
    """
    if workspace + tmp + shm > memory:
        raise ControlUnavailable(
            "no hard disk quota is possible for storage.workspace",
            where="the policy's storage block",
            why=f"{workspace + tmp + shm} bytes of workspace, tmp and shm do not fit into "
            f"{memory} bytes of memory, and no other backend works here. {why_not}".strip(),
            todo="fix the cause for another backend, or lower the workspace below memory",
        )


def quota_not_enforced(why: str) -> SandboxFailed:
    """A quota that was set and is not enforced."""
    return SandboxFailed(
        "a disk quota was set and did not hold",
        where="the storage backend",
        why=why,
        todo="do not use it; `aisci doctor` shows which backends work here",
    )


def disk_full(quota: Quota) -> DiskFull:
    """The engine's disk is too full for a volume."""
    return DiskFull(
        "the engine's disk is too full for a job's workspace",
        where="storage.workspace",
        why=f"{quota.bytes} bytes must be free before a job starts",
        todo="free space where the engine keeps its volumes, or lower storage.workspace",
    )
