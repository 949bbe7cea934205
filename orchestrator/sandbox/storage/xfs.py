"""The backend ``xfs``: a folder in an XFS project of its own, with hard bytes and inodes.

For engines whose volumes lie on an XFS that is mounted with ``prjquota``. Nothing is made or
reserved: a trusted maker gives each job a folder of one pool volume, and the job's own volume
is a bind of that folder. A bind has the options of the mount below it, which are the host's:
``nosuid``, ``nodev`` and ``noexec`` cannot be asked for here, and what the mount has is
attested as it is. The job has no capability and may gain none, so that a set-user-id file or
a device would be of no use to it; it may start what it wrote, as in ``/tmp``.

A project is an attribute of each file that the file's owner may change. So this quota is hard
only where a job cannot do that: under a seccomp profile that refuses it, as aisci's own
does, or in a user namespace. The probe tries it, and then writes past the quota.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.core.errors import ControlUnavailable, EngineFailed
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.storage.helper import Helper, helper_body, volume_mount
from orchestrator.sandbox.storage.mounts import mount_of
from orchestrator.sandbox.storage.quota import ENOSPC, Quota, disk_full

_MOUNTS = Path("/proc/self/mountinfo")


def xfs_maker_body(image: str, pool: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The maker's settings: it sets quotas, owns the pool's folders, and empties them."""
    return helper_body(
        image,
        labels,
        CapAdd=["CHOWN", "DAC_OVERRIDE", "FOWNER", "MKNOD", "SYS_ADMIN"],
        Mounts=[volume_mount(pool, "/pool")],
    )


def pool_folder(engine: Engine, pool: str, mounts: Path = _MOUNTS) -> str:
    """Where on this host the engine keeps the pool.

    Raises:
        ControlUnavailable: not on an XFS with project quotas.
    """
    with translated("asking where a volume lies"):
        folder = str(engine.api.inspect_volume(pool)["Mountpoint"])
    mount = mount_of(Path(folder), mounts.read_text())
    if mount.kind != "xfs":
        raise no_project_quota(f"the engine's volumes lie on {mount.kind}, not on XFS")
    if not {"prjquota", "pquota"} & set(mount.own):
        raise no_project_quota("the XFS below the engine's volumes is mounted without prjquota")
    return folder


@contextmanager
def project_folder(maker: Helper, name: str, quota: Quota) -> Iterator[None]:
    """A fresh folder ``name`` of the pool with ``quota``; removed, with all in it, at the end.

    Raises:
        ControlUnavailable: the kernel or the engine does not let a project's limits be set.
        DiskFull: the engine's disk has less free than the quota.
        EngineFailed: the folder could not be removed.
    """
    answer = maker.ask({"op": "make", "name": name, "bytes": quota.bytes, "inodes": quota.inodes,
                        "uid": quota.uid, "gid": quota.gid})  # fmt: skip
    if not answer["ok"]:
        if answer["errno"] == ENOSPC:
            raise disk_full(quota)
        raise no_project_quota(str(answer["error"]))
    try:
        yield
    finally:
        freed = maker.ask({"op": "free", "name": name})
        if not freed["ok"]:
            raise EngineFailed(
                "a job's folder could not be removed",
                where=name,
                why=str(freed["error"]),
                todo="`aisci reap` removes it with its pool once the run has ended",
            )


def project_not_binding() -> ControlUnavailable:
    """The quota holds only for those who keep to it."""
    return ControlUnavailable(
        "an XFS project quota would not bind a job here",
        where="seccomp",
        why="the job could take its own files out of their project (FS_IOC_FSSETXATTR)",
        todo="leave the policy's seccomp at `default`, which refuses that call",
    )


def no_project_quota(why: str) -> ControlUnavailable:
    """There is no project quota to be had."""
    return ControlUnavailable(
        "no XFS project quota can be given here",
        where="storage backend xfs",
        why=why,
        todo="keep the engine's folder on XFS, mounted with the option prjquota",
    )
