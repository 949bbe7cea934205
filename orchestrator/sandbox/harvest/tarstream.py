"""A tar read as it comes, by a parser that knows only what a trusted reader sends.

The standard library's reader takes a header's word for how much memory a long name or an
extended header needs, and follows half a dozen dialects. This one knows regular files, kinds
without content, and GNU long names up to a bound; anything else ends the reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.core.errors import HarvestRefused

BLOCK = 512
MAX_NAME_BYTES = 1 << 16  # bytes of a name: longer than may be kept, to say what was refused


@dataclass(frozen=True, slots=True)
class Member:
    """One header: undecodable bytes of a name stand as surrogates; ``size`` in bytes."""

    path: str
    kind: str
    size: int
    link: str


_WHERE = "the harvest of a container"
RERUN_JOB = "`aisci resume` runs the job again; report it if it happens again"


class TarReader:
    """Exact reads from a stream of chunks of any length; holds one chunk at most."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def members(self) -> Iterator[Member]:
        """Each member, up to the empty block at the end.

        Before the next one is asked for, the caller reads this one's :meth:`content`.

        Raises:
            HarvestRefused: the stream breaks off, or is not such an archive.
        """
        long_name: bytes | None = None
        while (block := self._exactly(BLOCK)) != bytes(BLOCK):
            member = _parse(block)
            if member.kind == "L":
                if long_name is not None or not 0 < member.size <= MAX_NAME_BYTES:
                    raise HarvestRefused(
                        "a container's output has a long name out of place",
                        where=_WHERE,
                        todo=RERUN_JOB,
                    )
                long_name = b"".join(self.content(member.size)).rstrip(b"\0")
                continue
            if long_name is not None:
                member = Member(_text(long_name), member.kind, member.size, member.link)
                long_name = None
            yield member
        if long_name is not None:
            raise HarvestRefused(
                "a container's output has a long name out of place", where=_WHERE, todo=RERUN_JOB
            )

    def _exactly(self, size: int) -> bytes:
        """``size`` bytes; only for small sizes."""
        return b"".join(self._pieces(size))

    def content(self, size: int) -> Iterator[bytes]:
        """A member's ``size`` bytes, then its padding is skipped."""
        yield from self._pieces(size)
        for _ in self._pieces(-size % BLOCK):
            pass

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    raise HarvestRefused(
                        "a container's output broke off in the middle", where=_WHERE, todo=RERUN_JOB
                    )
                self._rest = memoryview(chunk)
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            yield bytes(piece)


def _parse(block: bytes) -> Member:
    """One 512-byte header of the old GNU form."""
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if block[257:265] != b"ustar  \0" or _number(block[148:156]) != total:
        raise HarvestRefused(
            "a container's output is not the archive that its reader sends",
            where=_WHERE,
            todo=RERUN_JOB,
        )
    kind = chr(block[156])
    size = _number(block[124:136])
    if size and kind not in ("0", "\0", "L"):
        raise HarvestRefused(
            f"a container's output has content in a member of kind {kind!a}",
            where=_WHERE,
            todo=RERUN_JOB,
        )
    return Member(
        _text(block[0:100].split(b"\0", 1)[0]).rstrip("/"),
        kind,
        size,
        _text(block[157:257].split(b"\0", 1)[0]),
    )


def _number(data: bytes) -> int:
    """An octal field, or GNU's base-256 for what octal cannot hold."""
    if data[0] == 0x80:
        return int.from_bytes(data[1:], "big")
    digits = data.strip(b" \0")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise HarvestRefused(
            "a container's output has a header that holds no number", where=_WHERE, todo=RERUN_JOB
        )
    return int(digits, 8)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
