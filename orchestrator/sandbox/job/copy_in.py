"""A tree of blobs as a plain tar, for the engine to unpack before a container starts.

Not compressed: engines have run the container's own decompressor as root on the host
(CVE-2026-41567).
"""

from __future__ import annotations

import tarfile
from itertools import accumulate
from typing import IO

from orchestrator.core.errors import SandboxFailed
from orchestrator.core.filenames import why_unsafe
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore

_EPOCH = 946_684_800  # 2000-01-01: copied files carry one fixed time
_DEEPEST = 32


def pack_tree(files: Tree, blobs: BlobStore, owner: tuple[int, int], spool: IO[bytes]) -> None:
    """Write ``files`` to ``spool``, owned by (uid, gid), and rewind it.

    Raises :class:`SandboxFailed` for an unsafe file name, :class:`BadJournal` for a missing blob.
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


def _member(path: str, owner: tuple[int, int], kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime = kind, mode, _EPOCH
    member.uid, member.gid = owner
    return member
