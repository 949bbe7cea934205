"""The backend ``xfs``: a folder in its own XFS project, with hard limits of bytes and inodes.

For engines whose volumes are on an XFS that is mounted with ``prjquota``. Nothing is created or
reserved: a trusted maker gives each job a folder of one pool volume, and the job's volume is a
bind mount of that folder. A bind has the options of the mount below it, which are the host's:
``nosuid``, ``nodev`` and ``noexec`` cannot be asked for here, and the mount's options are
attested as they are. The job has no capability and cannot gain one, so that a set-user-id file or
a device is of no use to it; it may execute what it wrote, as in ``/tmp``.

A file's owner may change its project. So this quota is hard only where a job cannot do that:
under a seccomp profile that refuses the call, as aisci's does, or in a user namespace. The probe
tries it, and then writes past the quota.
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
    with translated("finding the folder of a volume"):
        folder = str(engine.api.inspect_volume(pool)["Mountpoint"])
    mount = mount_of(Path(folder), mounts.read_text())
    if mount.kind != "xfs":
        raise no_project_quota(f"the engine's volumes are on {mount.kind}, not on XFS")
    if not {"prjquota", "pquota"} & set(mount.own):
        raise no_project_quota("the XFS below the engine's volumes is mounted without prjquota")
    return folder


@contextmanager
def project_folder(maker: Helper, name: str, quota: Quota) -> Iterator[None]:
    """A new folder ``name`` of the pool with ``quota``; removed, with its content, at the end.

    Raises:
        ControlUnavailable: the kernel or the engine does not allow a project's limits to be set.
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
    """A job could remove its own files from the quota."""
    return ControlUnavailable(
        "an XFS project quota would not bind a job here",
        where="seccomp",
        why="the job could remove its own files from their project (FS_IOC_FSSETXATTR)",
        todo="leave the policy's seccomp at `default`, which refuses that call",
    )


def no_project_quota(why: str) -> ControlUnavailable:
    """A project quota is not available."""
    return ControlUnavailable(
        "no XFS project quota is available here",
        where="storage backend xfs",
        why=why,
        todo="keep the engine's folder on XFS, mounted with the option prjquota",
    )
