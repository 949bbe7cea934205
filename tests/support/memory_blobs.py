"""A blob store in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchestrator.core.errors import BadJournal
from orchestrator.core.files import write


class MemoryBlobs:
    """Implements :class:`orchestrator.core.protocols.Blobs`."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        self._kept[sha256] = data
        return sha256

    def copy(self, sha256: str, target: Path) -> None:
        write(target, self.get(sha256))

    def size(self, sha256: str) -> int:
        return len(self.get(sha256))

    def get(self, sha256: str, most: int | None = None) -> bytes:
        if sha256 not in self._kept:
            raise BadJournal(f"blob {sha256[:12]}… is missing", where="memory", todo="put it first")
        assert most is None or len(self._kept[sha256]) <= most
        return self._kept[sha256]
