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

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import ControlUnavailable, EngineFailed
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.storage.helper import Helper
from orchestrator.sandbox.storage.quota import Quota, make_storage

_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system's kind and source, its mount options, and the file system's own options."""

    kind: str
    source: str
    options: tuple[str, ...]
    own: tuple[str, ...]

    @property
    def has_project_quotas(self) -> bool:
        return bool({"prjquota", "pquota"} & set(self.own))


def mount_of(folder: Path, mountinfo: str) -> Mount:
    """The mount that contains ``folder``; of two at one place the later one covers the first.

    ``mountinfo`` is the text of a ``/proc/<pid>/mountinfo`` (proc(5)).
    """
    mount, longest = Mount("an unknown file system", "", (), ()), -1
    for line in mountinfo.splitlines():
        place, _, system = line.partition(" - ")
        fields = place.split()
        point = Path(fields[4].encode().decode("unicode_escape"))  # a space is \040
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            kind, source, own = system.split(" ", 2)
            options, longest = tuple(fields[5].split(",")), len(point.parts)
            mount = Mount(kind, source, options, tuple(own.split(",")))
    return mount


def pool_folder(engine: Engine, pool: str, mounts: Path = _MOUNTS) -> str:
    """Where the pool is. Raises :class:`ControlUnavailable` if not on XFS with project quotas."""
    with translated("finding the folder of a volume"):
        folder = str(engine.api.inspect_volume(pool)["Mountpoint"])
    mount = mount_of(Path(folder), mounts.read_text())
    if mount.kind != "xfs":
        raise _no_project_quota(f"the engine's volumes are on {mount.kind}, not on XFS")
    if not mount.has_project_quotas:
        raise _no_project_quota("the XFS below the engine's volumes is mounted without prjquota")
    return folder


@contextmanager
def project_folder(maker: Helper, name: str, quota: Quota) -> Iterator[None]:
    """A new folder ``name`` of the pool with ``quota``; removed, with its content, at the end.

    Raises as :func:`make_storage`; :class:`EngineFailed` if the folder could not be removed.
    """
    make_storage(maker, quota, _no_project_quota, name=name)
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


def _no_project_quota(why: str) -> ControlUnavailable:
    return ControlUnavailable(
        "no XFS project quota is available here",
        where="storage backend xfs",
        why=why,
        todo="keep the engine's folder on XFS, mounted with the option prjquota",
    )
