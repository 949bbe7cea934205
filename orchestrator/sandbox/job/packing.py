"""A job's files, packed and copied into its container before its program starts."""

from __future__ import annotations

import tarfile
import tempfile
from itertools import accumulate
from typing import IO

from orchestrator.core.errors import SandboxFailed
from orchestrator.core.filenames import why_unsafe
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.job.spec import WORKDIR

_EPOCH = 946_684_800  # 2000-01-01: copied files carry one fixed time
_DEEPEST = 32


def pack_tree(files: Tree, blobs: BlobStore, owner: tuple[int, int], spool: IO[bytes]) -> None:
    """Write ``files`` to ``spool``, owned by (uid, gid), as a tar, and rewind it.

    Not compressed: engines have run the container's own decompressor as root on the host
    (CVE-2026-41567). Raises :class:`SandboxFailed` for an unsafe file name, :class:`BadJournal`
    for a missing blob.
    """
    made: set[str] = set()
    with tarfile.open(fileobj=spool, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, sha256 in files.files:
            why = why_unsafe(path, _DEEPEST)
            if why:
                raise SandboxFailed(
                    "a file cannot be copied into a container",
                    where=f"{path!a}",
                    why=why,
                    todo="rename it in the template",
                )
            for folder in accumulate(path.split("/")[:-1], "{}/{}".format):
                if folder not in made:
                    made.add(folder)
                    tar.addfile(_member(folder, owner, tarfile.DIRTYPE, 0o755))
            member = _member(path, owner, tarfile.REGTYPE, 0o644)
            member.size = blobs.size(sha256)
            with blobs.path(sha256).open("rb") as content:
                tar.addfile(member, content)
    spool.seek(0)


def put_files(
    engine: Engine, container: str, files: Tree, blobs: BlobStore, owner: tuple[int, int]
) -> None:
    """Copy ``files`` into a container's working directory, owned by (uid, gid). Raises as :func:`pack_tree`."""
    with tempfile.TemporaryFile() as spool:
        pack_tree(files, blobs, owner, spool)
        with translated("copying a job's files in"):
            engine.api.put_archive(container, WORKDIR, spool)


def _member(path: str, owner: tuple[int, int], kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime = kind, mode, _EPOCH
    member.uid, member.gid = owner
    return member
