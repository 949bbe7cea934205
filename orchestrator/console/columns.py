"""Tables with fixed columns: numbers are never cut, names are shortened in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.text import Text

from orchestrator.core.sanitize import plain_line

_GAP = 2  # blanks between columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``least``: it may be shortened to so many characters; None: never. Else it is as wide as its longest cell,
    and at least ``wide``.
    """

    head: str
    right: bool = False
    least: int | None = None
    wide: int = 0


def cut_middle(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters' room; the middle is left out where there is too much."""
    if cell_len(text) <= width:
        return text
    if width < 3:
        return (chop_cells(text, max(1, width)) or [""])[0]
    front = chop_cells(text, (width - 1) // 2)[0]
    back = chop_cells(text[::-1], width - 1 - cell_len(front))[0][::-1]
    return f"{front}…{back}"


def fixed_columns(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int
) -> list[Text]:
    """A line of heads and one for each row, ``width`` wide at most: what may be is cut_middle, the widest first."""
    cells = [[len(one.head), one.wide] for one in columns]
    for row in rows:
        for place, cell in enumerate(row):
            cells[place].append(cell.cell_len)
    wide = [max(one) for one in cells]
    over = sum(wide) + _GAP * (len(columns) - 1) - width
    while over > 0:
        loose = [
            n for n, one in enumerate(columns) if one.least is not None and wide[n] > one.least
        ]
        if not loose:
            break
        wide[max(loose, key=wide.__getitem__)] -= 1
        over -= 1
    heads = [Text(one.head, style="dim") for one in columns]
    return [_line(columns, row, wide) for row in (heads, *rows)]


def _line(columns: Sequence[Column], row: Sequence[Text], wide: Sequence[int]) -> Text:
    line = Text(no_wrap=True, overflow="ignore")
    for place, (column, cell) in enumerate(zip(columns, row, strict=True)):
        text = cell
        if cell.cell_len > wide[place]:
            text = Text(cut_middle(cell.plain, wide[place]), style=cell.style)
        blanks = " " * (wide[place] - text.cell_len)
        line.append(blanks if column.right else "").append_text(text)
        line.append("" if column.right else blanks).append(
            " " * (_GAP if place < len(wide) - 1 else 0)
        )
    line.rstrip()
    return line


def cell(value: object, style: str = "") -> Text:
    """One line of text that acts on no terminal."""
    return Text(plain_line(value), style=style)
