"""What became of the blocks of all replies of one edit: an edit is whole or it is none.

Aider looks at its last reply alone. A block that failed to match, and that no later reply sends
again, would be forgotten there, and half an edit would pass for a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Block = tuple[str, str, str]
"""A block of a reply: the path, the SEARCH lines, the REPLACE lines."""

_LONGEST = 1900  # characters of one reason


class Progress:
    """The blocks that were applied, those that wait to be sent again, and why the first failed."""

    def __init__(self) -> None:
        self.applied, self.waiting = set[Block](), list[Block]()
        self._unread, self._first = False, ""

    def settle(self, passed: Iterable[Block], failed: Iterable[Block]) -> None:
        """Count one reply's blocks: each takes the place of one that waited."""
        passed, failed = tuple(passed), tuple(failed)
        for path, _, lines in passed + failed:
            same = (one for one in self.waiting if one[0] == path or one[2] == lines)
            found = min(same, key=lambda one: one[2] != lines, default=None)
            if found is not None:
                self.waiting.remove(found)
        self.applied |= set(passed)
        self.waiting += failed
        self._unread &= not passed

    def unread(self) -> None:
        """A whole reply was not applied; a later one has to be."""
        self._unread = True

    def trouble(self, reason: str) -> None:
        """Keep the first reason of all."""
        self._first = self._first or reason.strip()

    def missing(self, stands: Callable[[Block], bool]) -> str:
        """What to tell a model whose reply was applied while other blocks still wait; "" if none
        does. A block whose lines the file has by now (``stands``) waits no more.
        """
        self.waiting = [one for one in self.waiting if not stands(one)]
        if not self.waiting:
            return ""
        shown = "\n".join(
            f"{path}\n<<<<<<< SEARCH\n{search}=======\n{lines}>>>>>>> REPLACE\n"
            for path, search, lines in self.waiting
        )
        return (
            f"This reply was applied, but {_blocks(self.waiting)} of your earlier replies failed to "
            f"match and still wait:\n\n{shown}\nSend a fixed version of each. In place of one that "
            "is not needed any more, send a block for the same file that leaves a line as it is."
        )

    def why_not(self, turns: int, refusal: str | None) -> str:
        """Why the edit is not whole: the first reason and the last; empty where it is whole.
        ``refusal`` says why the last reply could not be applied, if so.
        """
        if refusal:
            last = f"after {turns} replies: {refusal.strip()}"
        elif self.waiting:
            last = f"{_blocks(self.waiting)} that failed to match were not sent again"
        elif self._unread or not self.applied:
            last = "the reply holds no SEARCH/REPLACE block"
        else:
            return ""
        if not self._first or self._first in last:
            return last[: 2 * _LONGEST]
        return f"{self._first[:_LONGEST]}\n\nIn the end: {last[:_LONGEST]}"


def _blocks(blocks: list[Block]) -> str:
    return f"{len(blocks)} SEARCH/REPLACE block{'s' if len(blocks) > 1 else ''}"
