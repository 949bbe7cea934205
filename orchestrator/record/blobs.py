"""Content-addressed files: ``blobs/<sha256>``, written to a temporary name first.

An idea's store reads from its run's store too, so a shared baseline is stored once. The idea's own
files are in its own folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from orchestrator.core.errors import BadJournal
from orchestrator.core.files import UNFINISHED, disk_errors, replacing, usual_mode, write
from orchestrator.core.untrusted import NotPlain, file_hash, open_plain

_HEX = re.compile(r"[0-9a-f]{64}")
_STEP = 1 << 20  # bytes
_FICLONE = 0x40049409  # ioctl_ficlone(2)
_RESTORE = "restore the folder from a copy; a run without its blobs cannot be read"


class BlobStore:
    """Implements :class:`orchestrator.core.protocols.Blobs` in ``folder``, reading through to ``parents``."""

    def __init__(self, folder: Path, *parents: BlobStore) -> None:
        self.folder = folder
        self.parents = parents

    def put(self, data: bytes) -> str:
        return self.put_stream((data,))[0]

    def put_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Store bytes; return (SHA-256 in hex, their count). Nothing remains if ``chunks`` raises."""
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=UNFINISHED)
            hasher, size = hashlib.sha256(), 0
            try:
                with os.fdopen(handle, "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                        hasher.update(chunk)
                        size += len(chunk)
                    file.flush()
                    usual_mode(file.fileno())
                    os.fsync(file.fileno())
                Path(temporary).replace(self.folder / hasher.hexdigest())
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        return hasher.hexdigest(), size

    @classmethod
    def reading(cls, folder: Path, *parents: BlobStore) -> BlobStore:
        """A store that writes nothing: what is put into it is kept in memory while it lives."""
        return _ReadOnlyStore(folder, *parents)

    def path(self, sha256: str) -> Path:
        """The file of a blob. Raises :class:`BadJournal` if no store has it."""
        if not _HEX.fullmatch(sha256):
            raise BadJournal(
                "a blob's name is not a SHA-256", where=str(self.folder), todo=_RESTORE
            )
        for store in (self, *self.parents):
            if (store.folder / sha256).is_file():
                return store.folder / sha256
        raise BadJournal(f"blob {sha256[:12]}… is missing", where=str(self.folder), todo=_RESTORE)

    def get(self, sha256: str, most: int | None = None) -> bytes:
        """The bytes of a blob. Raises :class:`BadJournal` if it is missing, changed or over ``most``."""
        try:
            with open_plain(self.path(sha256), most) as file:
                data = file.read()
        except NotPlain as error:
            raise BadJournal(
                f"blob {sha256[:12]}… cannot be read",
                where=str(self.folder),
                why=str(error),
                todo=_RESTORE,
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadJournal(
                f"blob {sha256[:12]}… was changed: its bytes no longer match its name",
                where=str(self.path(sha256)),
                todo="restore it from a copy",
            )
        return data

    def copy(self, sha256: str, target: Path) -> None:
        """Write a blob to a file, in pieces; where the file system can, the bytes are kept once.

        Raises :class:`BadJournal` if it is missing or was changed.
        """
        path = self.path(sha256)
        if file_hash(path) != sha256:
            raise BadJournal(
                f"blob {sha256[:12]}… was changed: its bytes no longer match its name",
                where=str(path),
                todo="restore it from a copy",
            )
        with open_plain(path) as source, replacing(target) as file:
            try:
                fcntl.ioctl(file.fileno(), _FICLONE, source.fileno())
            except OSError:  # another file system, or one without shared extents
                shutil.copyfileobj(source, file, _STEP)

    def size(self, sha256: str) -> int:
        return self.path(sha256).stat().st_size


class _ReadOnlyStore(BlobStore):
    """A replay puts what its record already has; anything else only lives until it is compared."""

    def __init__(self, folder: Path, *parents: BlobStore) -> None:
        super().__init__(folder, *parents)
        self.only_here: dict[str, bytes] = {}

    def put_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        data = b"".join(chunks)
        sha256 = hashlib.sha256(data).hexdigest()
        if not any((store.folder / sha256).is_file() for store in (self, *self.parents)):
            self.only_here[sha256] = data
        return sha256, len(data)

    def _kept(self, sha256: str) -> bytes | None:
        stores = (one for one in (self, *self.parents) if isinstance(one, _ReadOnlyStore))
        return next((one.only_here[sha256] for one in stores if sha256 in one.only_here), None)

    def get(self, sha256: str, most: int | None = None) -> bytes:
        kept = self._kept(sha256)
        return super().get(sha256, most) if kept is None else kept

    def size(self, sha256: str) -> int:
        kept = self._kept(sha256)
        return super().size(sha256) if kept is None else len(kept)

    def copy(self, sha256: str, target: Path) -> None:
        kept = self._kept(sha256)
        if kept is None:
            super().copy(sha256, target)
        else:
            write(target, kept)
