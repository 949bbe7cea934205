"""Where in a file something is wrong, in its parts, and which rule it breaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: line and column from 1, and the key with its dots.

    ``line`` and ``column`` are 0 where only the file is known.
    """

    file: str
    line: int = 0
    column: int = 0
    key: str = ""

    @property
    def position(self) -> str:
        return f"{self.line}:{self.column}" if self.line else ""

    def __str__(self) -> str:
        at = ":".join(filter(None, (self.file, self.position)))
        return f"{at}: {self.key}" if self.key else at


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in a file. ``rule`` is the name of the rule that it breaks, for programs."""

    place: Place
    what: str
    todo: str
    rule: str

    @property
    def where(self) -> str:
        return str(self.place)
