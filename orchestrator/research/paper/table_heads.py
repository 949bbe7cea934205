"""The heads of a table's cells: what stands above each cell, before it in its row, and over its block of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.research.paper.columns import cells_of

_RULE = re.compile(r"\s*\\(?:midrule|hline|Xhline|specialrule|thickhline)(?![A-Za-z])")
# A number, a mark of one by reference, or what stands in the place of one.
_DATA = re.compile(
    r"[^\w\ue200-\uf6ff]*(?:\.?\d|[\ue200-\uf6ff])|[-–—\s]+$|(?:n/?a|nan|inf|diverged|oom|yes|no)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\W*\d+(?:\.\d+)?\W*")
_OF_RUNS = re.compile(r"(?:runs?|run (?:no\.?|number|id|#)|#|no\.?)", re.IGNORECASE)
_SEED = re.compile(r"\bseeds?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell of a row by its place in the row's text: the heads above it (``column``), before it (``row``), over its
    block of rows, and the caption. ``seed``: which of how many columns of seeds it stands in.
    """

    start: int
    end: int
    column: str
    row: str
    block: str
    caption: str
    seed: tuple[int, int] | None = None


_Cell = tuple[int, int, str]
"""First and last column, text."""


@dataclass(slots=True)
class TableHeads:
    """The state of one table whose rows are read in turn; ``visible`` makes text of a cell's source."""

    caption: str
    visible: Callable[[str], str]
    _heads: list[list[_Cell]] = field(default_factory=list)
    _ended: bool = False  # the rows of the heading
    _block: str = ""
    _leading: dict[int, str] = field(default_factory=dict)

    def row(self, source: str, after: str) -> tuple[str, tuple[TableCell, ...]]:
        """The text of the next row and its cells; ``after`` is the source behind the row."""
        cells = [
            (first, last, self._text(source[start:end]))
            for start, end, first, last in cells_of(source)
        ]
        ruled = bool(_RULE.match(source))
        if ruled and self._heads:
            self._ended = True
        text = " ".join(said for *_, said in cells if said)
        before_rule = bool(_RULE.match(after))
        if self._is_heading(cells, ruled=ruled, before_rule=before_rule):
            return text, ()
        found = self._placed(cells)
        return text, found

    def _text(self, source: str) -> str:
        return " ".join(self.visible(f"{source}&").split())

    def _is_heading(self, cells: Sequence[_Cell], *, ruled: bool, before_rule: bool) -> bool:
        """Whether a row names what stands below it; its names are then kept."""
        filled = [one for one in cells if one[2]]
        data = [one for one in filled if one[0] and _DATA.match(one[2])]
        if not filled:
            return True
        if len(filled) == 1 and not _DATA.match(filled[0][2]) and (self._heads or len(cells) == 1):
            alone = filled[0][1] > filled[0][0] or len(cells) == 1 or filled[0][0] == 0
            if alone:
                self._block, self._leading = filled[0][2], {}
                self._ended = self._ended or bool(self._heads)
                return True
        if not self._ended and (not data or (before_rule and not ruled)):
            self._heads.append([*cells])
            return True
        if self._ended and not data and before_rule and len(filled) > 1:
            self._heads, self._leading = [[*cells]], {}  # a heading within the table
            return True
        self._ended = True
        return False

    def _placed(self, cells: Sequence[_Cell]) -> tuple[TableCell, ...]:
        row = self._row_head(cells)
        above = {first: self._above(first, last) for first, last, _ in cells}
        seeds = [first for first, *_ in cells if first and _SEED.search(above[first])]
        found, at = [], 0
        for first, _, said in cells:
            seed = (seeds.index(first), len(seeds)) if first in seeds else None
            if said:
                found.append(
                    TableCell(
                        at, at + len(said), above[first], row, self._block, self.caption, seed
                    )
                )
                at += len(said) + 1
        return tuple(found)

    def _row_head(self, cells: Sequence[_Cell]) -> str:
        """What the cells before the first number say; an empty one says what stands above it."""
        parts = []
        for first, last, said in cells:
            if first and said and _DATA.match(said):
                break
            if said:
                self._leading[first] = self._named(first, last, said)
                for later in [place for place in self._leading if place > first]:
                    del self._leading[later]
            if first in self._leading:
                parts.append(self._leading[first])
        return " ".join(parts)

    def _named(self, first: int, last: int, said: str) -> str:
        """A number in the first column with the head above it: "Run 1", "Dropout 0.3"."""
        if not _NUMBER.fullmatch(said):
            return said
        head = self._above(first, last)
        return f"{'run' if _OF_RUNS.fullmatch(head) else head} {said}"

    def _above(self, first: int, last: int) -> str:
        said = [
            text
            for row in self._heads
            for start, end, text in row
            if text and start <= last and first <= end
        ]
        return " ".join(dict.fromkeys(said))
