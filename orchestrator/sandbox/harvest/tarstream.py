"""Reads a tar stream with a parser that knows only what a trusted reader sends.

The standard library's reader lets a header decide how much memory a long name or an extended
header takes, and supports half a dozen dialects. This one knows regular files, kinds without
content, and GNU long names of limited length; anything else ends the reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from orchestrator.core.errors import HarvestRefused

BLOCK = 512
MAX_NAME_BYTES = 1 << 16  # bytes of a name; longer than may be kept, so that a refusal can name it


@dataclass(frozen=True, slots=True)
class Member:
    """One header: undecodable bytes of a name become surrogates; ``size`` in bytes."""

    path: str
    kind: str
    size: int
    link: str


RERUN_JOB = "`aisci resume` runs the job again; report it if it happens again"


class TarReader:
    """Exact reads from a stream of chunks of any length; holds at most one chunk."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def members(self) -> Iterator[Member]:
        """Each member, up to the empty block at the end; the caller first reads its :meth:`content`.

        Raises :class:`HarvestRefused` if the stream ends early, or is not such an archive.
        """
        long_name: bytes | None = None
        while (block := b"".join(self._pieces(BLOCK))) != bytes(BLOCK):
            member = _parse(block)
            if member.kind == "L":
                if long_name is not None or not 0 < member.size <= MAX_NAME_BYTES:
                    raise _refused("has a misplaced long name")
                long_name = b"".join(self.content(member.size)).rstrip(b"\0")
                continue
            if long_name is not None:
                member = replace(member, path=_text(long_name))
                long_name = None
            yield member
        if long_name is not None:
            raise _refused("has a misplaced long name")

    def content(self, size: int) -> Iterator[bytes]:
        """A member's ``size`` bytes; then its padding is skipped."""
        yield from self._pieces(size)
        for _ in self._pieces(-size % BLOCK):
            pass

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    raise _refused("ended early")
                self._rest = memoryview(chunk)
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            yield bytes(piece)


def _parse(block: bytes) -> Member:
    """One 512-byte header of the old GNU form."""
    # The checksum counts its own field as spaces.
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if block[257:265] != b"ustar  \0" or _number(block[148:156]) != total:
        raise _refused("is not the archive that its reader sends")
    kind, size = chr(block[156]), _number(block[124:136])
    if size and kind not in ("0", "\0", "L"):
        raise _refused(f"has content in a member of kind {kind!a}")
    path, link = (_text(field.split(b"\0", 1)[0]) for field in (block[0:100], block[157:257]))
    return Member(path.rstrip("/"), kind, size, link)


def _number(data: bytes) -> int:
    """An octal field, or GNU's base-256 for what octal cannot hold."""
    if data[0] == 0x80:
        return int.from_bytes(data[1:], "big")
    digits = data.strip(b" \0")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise _refused("has a header with an invalid number")
    return int(digits, 8)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _refused(what: str) -> HarvestRefused:
    return HarvestRefused(
        f"a container's output {what}", where="the harvest of a container", todo=RERUN_JOB
    )
