"""The notes of a journal by their place, and which of them this process has produced."""

from __future__ import annotations

from typing import TypeVar

from orchestrator.record.notes import Note

_N = TypeVar("_N", bound=Note)


class NoteIndex:
    """The recorded notes, and which of them this process has produced (again)."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str, int], Note] = {}
        self._produced: set[tuple[str, str, int]] = set()

    def take(self, note: Note, scope: str, ordinal: int) -> None:
        """Add a note of the journal."""
        self._notes[note.note, scope, ordinal] = note

    def expect(self, note: Note, scope: str, ordinal: int) -> Note | None:
        """Mark ``note`` as produced; return the note that the journal has at its key, or None."""
        key = (note.note, scope, ordinal)
        self._produced.add(key)
        return self._notes.get(key)

    def of(self, kind: type[_N], *, below: str, now: bool) -> list[_N]:
        """See :meth:`Journal.notes`."""
        return [
            note
            for key, note in self._notes.items()
            if isinstance(note, kind) and (key[1] == below or key[1].startswith(f"{below}/"))
            if not now or key in self._produced
        ]
