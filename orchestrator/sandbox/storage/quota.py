"""A hard quota, in bytes and inodes, on the one folder a job may fill.

Three backends. ``xfs``: a folder with a project quota (``xfs.py``). ``loop``: an ext4 image of
the right size behind a loop device, created by a trusted *maker* that runs as long as the run.
``tmpfs``: a volume in memory, only where it fits inside the job's memory limit. Which one works
is tested by writing past the quota (``volumes.py``), never assumed from an option. A trusted
*keeper* mounts each volume before the code is copied in, and reads it when the job's container
is removed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.core.errors import ControlUnavailable, DiskFull
from orchestrator.sandbox.storage.helper import Helper

BACKENDS = ("xfs", "loop", "tmpfs")  # all, the best first
OPTIONS = "nosuid,nodev,noexec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Bytes and inodes of one volume, and the numeric user who owns its root."""

    bytes: int
    inodes: int
    uid: int
    gid: int


def make_storage(
    maker: Helper, quota: Quota, refusal: Callable[[str], ControlUnavailable], **more: str
) -> dict[str, Any]:
    """The maker's answer to a request for ``quota``. Raises :class:`DiskFull`, or ``refusal``."""
    answer = maker.ask({"op": "make", **asdict(quota), **more})
    if answer["ok"]:
        return answer
    if answer["errno"] != errno.ENOSPC:
        raise refusal(str(answer["error"]))
    raise DiskFull(
        "the engine's disk is too full for a job's workspace",
        where="storage.workspace",
        why=f"{quota.bytes} bytes must be free before a job starts",
        todo="free space where the engine keeps its volumes, or lower storage.workspace",
    )


@contextmanager
def loop_device(maker: Helper, quota: Quota) -> Iterator[str]:
    """A new ext4 device; to be mounted before the block ends. Raises as :func:`make_storage`."""
    device = make_storage(maker, quota, _no_loop_device)["device"]
    try:
        yield device
    finally:
        maker.ask({"op": "release", "device": device})


def _no_loop_device(why: str) -> ControlUnavailable:
    return ControlUnavailable(
        "no loop device can be created here",
        where="storage backend loop",
        why=why,
        todo="docs/installing.md, what a machine can lack",
    )


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


def check_fits(workspace: int, tmp: int, shm: int, memory: int, why_not: str = "") -> None:
    """Raise :class:`ControlUnavailable` if a volume in memory could not be full before the memory is.

    A job past its quota would be killed for memory instead. ``why_not``: of the other backends.
    """
    if workspace + tmp + shm > memory:
        raise ControlUnavailable(
            "no hard disk quota is possible for storage.workspace",
            where="the policy's storage block",
            why=f"{workspace + tmp + shm} bytes of workspace, tmp and shm do not fit into "
            f"{memory} bytes of memory, and no other backend works here. {why_not}".strip(),
            todo="fix the cause for another backend, or lower the workspace below memory",
        )
