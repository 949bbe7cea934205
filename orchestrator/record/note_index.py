"""The notes of one journal by their kind, scope and ordinal."""

from __future__ import annotations

from typing import TypeVar

from orchestrator.record.notes import Note

_N = TypeVar("_N", bound=Note)
_Key = tuple[str, str, int]


class NoteIndex:
    """What was noted, and which of it came about (again) in this process."""

    def __init__(self) -> None:
        self._notes: dict[_Key, Note] = {}
        self._came: set[_Key] = set()

    def take(self, note: Note, scope: str, ordinal: int) -> None:
        """A note that the journal holds."""
        self._notes[note.note, scope, ordinal] = note

    def expect(self, note: Note, scope: str, ordinal: int) -> Note | None:
        """``note`` came about; returns what the journal holds in its place, if anything."""
        key = (note.note, scope, ordinal)
        self._came.add(key)
        return self._notes.get(key)

    def of(self, kind: type[_N], *, below: str, now: bool) -> list[_N]:
        """Every note of ``kind`` in the scope ``below`` or under it, as written.

        ``now`` leaves out those that did not come about in this process.
        """
        return [
            note
            for key, note in self._notes.items()
            if isinstance(note, kind) and (key[1] == below or key[1].startswith(f"{below}/"))
            if not now or key in self._came
        ]
