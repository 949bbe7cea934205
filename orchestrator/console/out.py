"""Answers on stdout: tables for people, one JSON object a line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.plain import plain, plain_line

WIDE = 160  # characters, where no terminal says how wide it is
STATES = {
    "ok": "green",
    "ready": "green",
    "finished": "green",
    "warn": "yellow",
    "stale": "yellow",
    "not novel": "yellow",
    "note": "yellow",
    "fail": "red",
    "missing": "red",
    "failed": "red",
    "error": "red",
    "stronger": "green",
    "different": "yellow",
    "weaker": "red",
}


def as_json(value: Any) -> None:
    """One JSON object on one line; ASCII alone, so that nothing in it acts on a terminal."""
    print(json.dumps(value, ensure_ascii=True, default=str), flush=True)  # noqa: T201 - the answer


def say(text: str = "") -> None:
    """Text for a person, made plain; never rich markup."""
    print(plain(text, limit=100_000))  # noqa: T201 - the answer


def width() -> int:
    """Characters on a line: the terminal's, or :data:`WIDE`."""
    return Console().width if sys.stdout.isatty() else WIDE


def table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], groups: Sequence[str] = ()
) -> None:
    """A table without a frame; a cell that is a known state takes its colour.

    ``groups`` names a group for each row; a line is left free before each new one.
    """
    console = Console(highlight=False, width=width())
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in heads:
        drawn.add_column(head, overflow="fold")
    for number, row in enumerate(rows):
        if number and groups and groups[number] != groups[number - 1]:
            drawn.add_row()
        cells = [plain_line(cell, limit=400) for cell in row]
        drawn.add_row(*(Text(cell, style=STATES.get(cell, "")) for cell in cells))
    console.print(drawn)


def loads(data: bytes) -> Any:
    """A journal's own JSON body, as it was written."""
    return json.loads(data)
