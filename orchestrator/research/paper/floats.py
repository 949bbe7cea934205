"""Tables as LaTeX floats: one column or the whole width of a page, and as many floats as their rows need.

In a paper of two columns no table runs over a page by itself, so a long one becomes several floats
with the same heading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

COLUMN = 235.0  # points: a column of a page of two
PAGE = 465.0  # points: the text of a page
SMALLEST = 0.85  # a table is shrunk to this share of its size at most, then it is split
CHAR = 4.3  # points of a character, at the size of tables
GAP = 8.0  # points between two columns
_LINES = 46  # of a page, for a table with its caption
_HALF = 24  # of half a page
_WHOLE = 36  # of a table that stays in one piece
_FIRST = 3  # rows that stay under the title of their block
_WAITING = 8  # floats after which a page ends
_FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
_COMMAND = re.compile(
    r"\\hypertarget\{[^}]*\}|\\allowbreak\{\}|\\(?:texttt|textit|raggedright|quad)\b"
)
_SYMBOL = re.compile(r"\\[a-zA-Z]+(?:\{\})?|\\.")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table without its end, and how many lines it takes."""

    tex: str
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """Rows between two rules, under a title if there is one."""

    rows: tuple[TableRow, ...]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``columns`` is the argument of ``tabular``, ``count`` how many they are, ``heading`` the rows on
    top. ``wide`` tables take the width of the page. One that ``stays`` is in a text of one column, at its
    place in it.
    """

    caption: str
    label: str
    columns: str
    count: int
    heading: tuple[str, ...]
    blocks: tuple[Block, ...]
    wide: bool
    stays: bool = False


def floats(table: Table) -> tuple[str, ...]:
    """The floats of a table; those after the first say that they continue it."""
    line = (PAGE if table.wide else COLUMN) / CHAR
    room = _LINES - len(table.heading) - math.ceil(printed_length(table.caption) / line)
    room = max(min(room, _even(table.blocks)) if table.stays else room, 12)
    first, *others = _pages(table.blocks, room)
    caption = [rf"\caption{{{table.caption}}}", rf"\label{{{table.label}}}", r"\smallskip"]
    said = [rf"Table~\ref{{{table.label}}} (continued)\par\smallskip"]
    return (_float(table, caption, first), *(_float(table, said, blocks) for blocks in others))


def spaced(texts: Iterable[str]) -> tuple[str, ...]:
    """Floats in order, with an end of the page after every few: LaTeX keeps only some that wait."""
    return tuple(
        text + ("\n" + r"\clearpage" if at % _WAITING == 0 else "")
        for at, text in enumerate(texts, start=1)
    )


def _float(table: Table, above: list[str], blocks: Sequence[Block]) -> str:
    name, place = ("table*", "!tp") if table.wide else ("table", "!htp")
    if table.stays:
        name, place = "table", "H"
    return "\n".join(
        [
            rf"\begin{{{name}}}[{place}]",
            rf"\centering\small\setlength{{\tabcolsep}}{{{GAP / 2:g}pt}}",
            *above,
            _FITTED,
            rf"\begin{{tabular}}{{{table.columns}}}",
            r"\toprule",
            *(row + r" \\" for row in table.heading),
            *(row for block in blocks for row in _block(block, table.count)),
            r"\bottomrule",
            r"\end{tabular}%",
            "}",
            rf"\end{{{name}}}",
        ]
    )


def _block(block: Block, count: int) -> Iterator[str]:
    yield r"\midrule"
    if block.title:
        long = printed_length(block.title) * CHAR > COLUMN
        shape, title = (
            (f"p{{{COLUMN:g}pt}}", rf"\raggedright {block.title}") if long else ("l", block.title)
        )
        yield rf"\multicolumn{{{count}}}{{{shape}}}{{{title}}} \\"
    for row in block.rows:
        yield row.tex + r" \tabularnewline"


def _even(blocks: Sequence[Block]) -> int:
    """The lines of each part of a table that stays: parts of equal length, of which two fit a page."""
    lines = math.ceil(sum(row.lines for one in blocks for row in one.rows) + 1.5 * len(blocks))
    return lines if lines <= _WHOLE else math.ceil(lines / math.ceil(lines / _HALF)) + 2


def _pages(blocks: Sequence[Block], room: int) -> list[list[Block]]:
    """The blocks, divided where the lines of a page end; a divided block repeats its title."""
    pages: list[list[Block]] = [[]]
    used = 0.0
    for block in blocks:
        part = replace(block, rows=())
        above = 1.5 if block.title else 0.5
        used += above
        if used + sum(row.lines for row in block.rows[:_FIRST]) > room and pages[-1]:
            pages.append([])
            used = above
        for row in block.rows:
            if used + row.lines > room and used > above:
                pages[-1] += [part] if part.rows else []
                pages.append([])
                part = replace(
                    part, title=_continued(block.title) if part.rows else block.title, rows=()
                )
                used = above
            part = replace(part, rows=(*part.rows, row))
            used += row.lines
        pages[-1] += [part] if part.rows else []
    return pages


def _continued(title: str) -> str:
    return f"{title} (continued)" if title else ""


def printed_length(tex: str) -> int:
    """About how many characters of usual width ``tex`` takes."""
    text = re.sub(r"[{}$^]", "", _SYMBOL.sub("x", _COMMAND.sub("", tex)))
    return len(text) + sum(char in "MWmw@" for char in text) + sum(map(str.isupper, text)) // 2


def shares(widths: Sequence[float], fixed: float) -> list[slice]:
    """How columns of these widths, beside one of the width ``fixed``, are divided among tables: as
    few as fit a page, each with about as many columns.
    """
    for parts in range(1, len(widths) + 1):
        size = math.ceil(len(widths) / parts)
        found = [slice(at, at + size) for at in range(0, len(widths), size)]
        if all(fixed + sum(widths[part]) <= PAGE / SMALLEST for part in found):
            return found
    return [slice(at, at + 1) for at in range(len(widths))]
