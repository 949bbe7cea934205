"""The tables that a source has open while it is read: their heads, captions and columns of percentages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from orchestrator.research.paper.columns import is_heading, percent_columns, with_percents
from orchestrator.research.paper.latex import closing
from orchestrator.research.paper.table_heads import TableCell, TableHeads
from orchestrator.research.paper.visible import visible_text

_FLOAT = re.compile(r"\\(begin|end)\{(?:table|wraptable|longtable|sidewaystable)\*?\}")
_CAPTION = re.compile(r"\\caption(?:\[[^\]]{0,400}\])?(?=\{)")
_FAR = 20_000  # characters in which the float around a table begins or ends
_AFTER = 40  # characters behind a row in which a rule stands


@dataclass(slots=True)
class OpenTables:
    """The state of reading a source; ``depth`` tables are open, one in another."""

    source: str
    end: int
    _open: list[TableHeads] = field(default_factory=list)
    _percents: frozenset[int] = frozenset()
    _heading: bool = False

    @property
    def depth(self) -> int:
        return len(self._open)

    def begin(self, at: int) -> None:
        """A table begins at this place."""
        self._percents, self._heading = frozenset(), True
        self._open.append(TableHeads(_caption_of(self.source, at, self.end), visible_text))

    def close(self) -> None:
        """The innermost table ends."""
        del self._open[-1:]
        self._percents = self._percents if self._open else frozenset()

    def row(self, start: int, stop: int, after: int) -> tuple[str, tuple[TableCell, ...]]:
        """The text and the cells of the row between two places; the next begins at ``after``."""
        text = self.source[start:stop]
        self._heading = self._heading and is_heading(text)
        if self._heading:
            self._percents |= percent_columns(text)
        shown = frozenset[int]() if self._heading else self._percents
        behind = self.source[after : after + _AFTER]
        return self._open[-1].row(with_percents(text, shown), behind)


def _caption_of(source: str, at: int, end: int) -> str:
    """The caption of the float in which a table begins; empty if it stands in none."""
    opened = [*_FLOAT.finditer(source, max(0, at - _FAR), at + 1)][-1:]
    if not opened or opened[0][1] == "end":
        return ""
    most = min(end, at + _FAR)
    last = next((one for one in _FLOAT.finditer(source, at, most) if one[1] == "end"), None)
    caption = _CAPTION.search(source, opened[0].end(), last.start() if last else most)
    if caption is None:
        return ""
    return " ".join(visible_text(source[caption.end() : closing(source, caption.end())]).split())
