"""Columns of a table whose heading has a percent sign: each number in them is a percentage."""

from __future__ import annotations

import re

_CELL = re.compile(r"(?<!\\)&")
_SPAN = re.compile(r"\\multicolumn\s*\{\s*(\d{1,2})\s*\}")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_RULES = re.compile(
    r"\\(?:cmidrule|cline|addlinespace|specialrule)(?:\([^)]{0,20}\))?(?:\[[^\]]{0,20}\])?(?:\{[^{}]{0,40}\})?"
)


def cells_of(row: str) -> list[tuple[int, int, int, int]]:
    """(start, end, first column, last column) of each cell of a row."""
    found, at, column = [], 0, 0
    for end in [*(match.start() for match in _CELL.finditer(row)), len(row)]:
        span = _SPAN.search(row, at, end)
        last = column + (int(span[1]) if span else 1) - 1
        found.append((at, end, column, last))
        at, column = end + 1, last + 1
    return found


def is_heading(row: str) -> bool:
    """Whether no cell of a row has a number."""
    plain = _SPAN.sub(" ", _RULES.sub(" ", row))
    return not any(_NUMBER.search(plain[a:b]) for a, b, first, _ in cells_of(plain) if first)


def percent_columns(row: str) -> frozenset[int]:
    """The columns over which a row of a heading has a percent sign."""
    return frozenset(
        column
        for start, end, first, last in cells_of(row)
        if r"\%" in row[start:end]
        for column in range(first, last + 1)
    )


def with_percents(row: str, columns: frozenset[int]) -> str:
    """``row`` with a percent sign behind what stands in these columns, if that ends in a number without one."""
    out = []
    for start, end, first, _ in cells_of(row):
        cell = row[start:end]
        ends = cell.rstrip()
        number = first in columns and _NUMBER.search(cell) and r"\%" not in cell
        out.append(ends + r"\% " if number and re.search(r"\d[\s$})]*$", ends[-12:]) else cell)
    return "&".join(out)
