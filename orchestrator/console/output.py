"""Answers on stdout: tables for people, one JSON object a line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any

from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.core.sanitize import plain, plain_line

_WIDE = 160  # characters, where no terminal says how wide it is
_BY_COLOUR = {
    "green": ("ok", "ready", "finished", "stronger"),
    "yellow": ("warn", "warning", "stale", "not novel", "note", "different"),
    "red": ("fail", "missing", "failed", "error", "weaker"),
    "magenta": ("exceeds",),
}
STATES = {state: colour for colour, states in _BY_COLOUR.items() for state in states}


def as_json(value: Any) -> None:
    """One JSON object on one line; ASCII alone, so that nothing in it acts on a terminal."""
    print(json.dumps(value, ensure_ascii=True, default=str), flush=True)  # noqa: T201 - the answer


def json_lines(values: Iterable[Any]) -> str:
    """One JSON object a line, for a file."""
    return "".join(json.dumps(value, ensure_ascii=True, default=str) + "\n" for value in values)


def verbatim(text: str) -> None:
    """A table for a program, on stdout as it is: whoever made it made it safe."""
    sys.stdout.write(text)


def say(text: str = "") -> None:
    """Text for a person, sanitized; never rich markup."""
    print(plain(text, limit=100_000))  # noqa: T201 - the answer


def can_draw() -> bool:
    """Whether stderr is a terminal whose cursor moves: not an editor's shell, not a log."""
    return sys.stderr.isatty() and not Console(stderr=True).is_dumb_terminal


def width() -> int:
    """Characters on a line: the terminal's, or :data:`WIDE`."""
    return Console().width if sys.stdout.isatty() else _WIDE


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    groups: Sequence[str] = (),
    *,
    numbers: bool = False,
    whole: int = 0,
) -> None:
    """A table without a frame, states in colour; ``groups`` names the heading above each row. All columns
    but the first may be ``numbers``. The cells of the first ``whole`` columns are never broken.
    """
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for place, head in enumerate(heads):
        side: JustifyMethod = "right" if numbers and place else "left"
        kept = place < whole
        drawn.add_column(head, overflow="ignore" if kept else "fold", justify=side, no_wrap=kept)
    for number, row in enumerate(rows):
        if groups and (not number or groups[number] != groups[number - 1]):
            drawn.add_row()
            drawn.add_row(Text(plain_line(groups[number]), style="bold"))
        cells = [plain_line(cell, limit=400) for cell in row]
        drawn.add_row(*(Text(cell, style=STATES.get(cell, "")) for cell in cells))
    draw([drawn])


def draw(
    parts: Iterable[RenderableType], *, longest: int | None = None, soft_wrap: bool = False
) -> None:
    """Draw on stdout, one below the other; no line ends in blanks in a file or pipe.

    ``longest`` is the longest line of running text. A pager has the width of the terminal that
    stderr goes to.
    """
    watched = sys.stdout.isatty() or (longest is not None and sys.stderr.isatty())
    wide = min(Console().width if watched else _WIDE, longest or _WIDE * 10)
    page = None if sys.stdout.isatty() else StringIO()
    console = Console(file=page, highlight=False, width=wide)
    for part in parts:
        console.print(part, soft_wrap=soft_wrap)
    if page is not None:
        print("\n".join(line.rstrip() for line in page.getvalue().splitlines()))  # noqa: T201 - the answer


@contextmanager
def trying(first: str, form: str = "{}") -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what is under way, in ``form``, until the block ends."""
    console = Console(stderr=True)
    if not can_draw():
        yield lambda _doing: None
        return
    with console.status(first) as status:
        yield lambda doing: status.update(form.format(plain_line(doing)))


def counted(number: int, noun: str) -> str:
    """``1 finding``, ``3 findings``."""
    return f"{number} {noun}" + "s" * (number != 1)


def span(seconds: float) -> str:
    """``34 s``, ``150 s``, ``5 min``, ``2 h``: whole units where they say the same."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def exact_span(seconds: float) -> str:
    """``34 s``, ``3 min 5 s``, ``2 h 7 min``: a time that grows."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60} s"
        if whole < 3600
        else f"{whole // 3600} h {whole // 60 % 60} min"
    )
