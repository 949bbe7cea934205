"""The chain of a journal: reading and appending lines, and incomplete last lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.errors import BadJournal
from orchestrator.core.files import disk_errors
from orchestrator.core.tree import digest
from orchestrator.core.untrusted import NotPlain, open_plain
from orchestrator.record.events import GENESIS, JOURNAL_SCHEMA, Event, Sealed, read_event

MOST_JOURNAL = 1 << 30  # bytes
MOST_LINE = 8 << 20  # bytes

_RESTORE = "restore the journal from a copy; a changed record is never replayed"


def read_lines(path: Path, *, torn: bool = False) -> Iterator[tuple[Event, str]]:
    """Each event with the hash of its line; with ``torn``, up to a torn last one.

    Raises :class:`BadJournal` at the first invalid line.
    """
    chain = _Chain(path)
    for raw in raw_lines(path, torn=torn):
        yield chain.linked(raw), chain.head


class _Chain:
    """The lines of one journal so far: their number, and the hash of the last."""

    def __init__(self, path: Path) -> None:
        self.path, self.number, self.head = path, 0, GENESIS

    def linked(self, raw: bytes) -> Event:
        """The event of the next line. Raises :class:`BadJournal` if it does not follow."""
        self.number += 1
        where = f"{self.path}:{self.number}"
        if self.number == 1:
            require_schema(raw, where)
        try:
            event = read_event(raw)
        except (ValueError, RecursionError) as error:
            raise BadJournal(
                "a line is not one that aisci writes", where=where, why=str(error), todo=_RESTORE
            ) from error
        if event.prev != self.head or event.n != self.number - 1:
            raise BadJournal(
                "the chain breaks here: this line, or one before it, was changed",
                where=where,
                todo=_RESTORE,
            )
        self.head = digest(raw)
        return event


class GrowingJournal(_Chain):
    """A journal that another process may be writing: :meth:`more` reads on from where it was."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._bytes = 0

    def more(self) -> Iterator[Event]:
        """The whole lines since the last call. A torn last line is left for the next one.

        Raises :class:`BadJournal` at the first line that is invalid.
        """
        for raw in whole_lines(self.path, self._bytes):
            event = self.linked(raw)
            self._bytes += len(raw) + 1
            yield event


def whole_lines(path: Path, start: int = 0) -> Iterator[bytes]:
    """Each line from byte ``start`` on without its end, up to a torn last one. Raises as :func:`raw_lines`."""
    yield from raw_lines(path, start, torn=True)


def raw_lines(path: Path, start: int = 0, *, torn: bool = False) -> Iterator[bytes]:
    """Each line from byte ``start`` on, without its end.

    Raises :class:`BadJournal` for no such file, and for a torn last line unless ``torn``.
    """
    try:
        with open_plain(path, MOST_JOURNAL) as file:
            file.seek(start)
            for number, raw in enumerate(iter(lambda: file.readline(MOST_LINE), b""), start=1):
                if torn and not raw.endswith(b"\n") and len(raw) < MOST_LINE:
                    return
                if not raw.endswith(b"\n"):
                    raise BadJournal(
                        f"the journal's last line is torn: {len(raw)} bytes without an end",
                        where=f"{path}:{number}",
                        why="the program or the machine was stopped in the middle of a write",
                        todo="`aisci resume` moves the torn bytes to journal.torn and continues",
                    )
                yield raw[:-1]
    except NotPlain as error:
        raise BadJournal(
            "the journal cannot be read", where=str(path), why=str(error), todo=_RESTORE
        ) from error


def require_schema(raw: bytes, where: str) -> None:
    """Raise :class:`BadJournal` for a journal that another version wrote."""
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return  # read_event reports the error
    schema = line.get("schema") if isinstance(line, dict) else None
    if schema != JOURNAL_SCHEMA:
        raise BadJournal(
            f"the journal has schema {schema}, this program reads {JOURNAL_SCHEMA}",
            where=where,
            todo="read it with the aisci version that wrote it",
        )


def head_of(path: Path) -> str:
    """The hash of the last line, which covers all lines. Raises :class:`BadJournal`."""
    heads = [head for _, head in read_lines(path)]
    return heads[-1] if heads else GENESIS


def is_sealed(path: Path) -> bool:
    """Whether a journal ends with its seal, so that resume asks for nothing more. Raises :class:`BadJournal`."""
    events = [event for event, _ in read_lines(path)] if path.exists() else []
    return bool(events) and isinstance(events[-1], Sealed)


def set_torn_tail_aside(path: Path) -> int:
    """Move the bytes after the last complete line to ``journal.torn``; return their number."""
    data = path.read_bytes() if path.exists() else b""
    whole = data.rfind(b"\n") + 1
    if whole == len(data):
        return 0
    with disk_errors(path), path.with_name("journal.torn").open("ab") as aside:
        aside.write(data[whole:] + b"\n")
    os.truncate(path, whole)
    return len(data) - whole


def append_line(path: Path, raw: bytes) -> None:
    """Write one line and sync it to the disk; if that fails, the file stays unchanged."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: a buffer that a full disk refused would be written again when the file closes.
        with path.open("ab", buffering=0) as file:
            start, left = file.tell(), memoryview(raw + b"\n")
            try:
                while left:
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), start)
                raise
