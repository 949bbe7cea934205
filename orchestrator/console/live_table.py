"""Progress on a terminal: one small table that is drawn again four times a second."""

from __future__ import annotations

import time

from rich.table import Table
from rich.text import Text

from orchestrator.console.display import Display
from orchestrator.console.run_state import IdeaProgress, RunState, money, verdict_mark
from orchestrator.core.progress import seconds_left
from orchestrator.record.events import Heard

STYLES = {"finished": "green", "failed": "red", "skipped": "yellow", "not novel": "yellow"}
BAR = 12  # characters of a bar of elapsed time
ROOM = 100  # characters of width from which on there is room for bars


class LiveTable(Display):
    """A journal listener that draws; use it as a context manager around the run."""

    def __init__(self, track: RunState) -> None:
        super().__init__(keep=True)
        self._track = track

    def __call__(self, event: Heard) -> None:
        self._track.take(event)

    def drawn(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        ways = tuple(self._track.ways.values())
        again = any(way.recalled for way in ways)
        for name in ("", "stage", "doing", "containers", *["recalled"] * again, "tokens", "cost"):
            numbers = name in {"recalled", "tokens", "cost"}
            table.add_column(
                name,
                justify="right" if numbers else "left",
                no_wrap=name != "containers",
                overflow="ellipsis",
                min_width=8 if name == "" else None,
            )
        for way in ways:
            table.add_row(*self._row(way, again=again))
        return table

    def _row(self, way: IdeaProgress, *, again: bool) -> tuple[Text, ...]:
        now, bar = time.monotonic(), self.console.width >= ROOM
        doing = way.doing[-1] if way.doing else None
        state = Text(way.status, style=STYLES.get(way.status, "")) if way.status else Text("")
        if doing:
            taken = now - doing.since
            left = seconds_left(taken, doing.share)
            going = elapsed(taken, doing.limit, bar=bar) if left is None else ending(taken, left)
            state = Text(f"{doing.what} {going}")
        return (
            Text(way.name, style="bold"),
            Text(f"{way.stage} {way.place}".strip()),
            state,
            Text(container_counts(way)),
            *[Text(f"{way.recalled:,}" if way.recalled else "")] * again,
            Text(f"{way.tokens:,}"),
            Text(money(way)),
        )


def elapsed(seconds: float, limit: float, *, bar: bool = True) -> str:
    """``34 s``, or with a limit ``██████······ 150 s of 5 min``, the bar where there is room."""
    if not limit:
        return span(seconds)
    full = min(BAR, int(BAR * seconds / limit))
    drawn = f"{'█' * full}{'·' * (BAR - full)} " if bar else ""
    return f"{drawn}{span(seconds)} of {span(limit)}"


def ending(taken: float, left: float) -> str:
    """``40 %, about 90 s to go``: where a program says how far it is."""
    share = taken / (taken + left) if taken + left else 1.0
    return f"{100 * share:.0f} %, about {span(round(left))} to go"


def span(seconds: float) -> str:
    """``34 s``, ``150 s``, ``5 min``, ``2 h``: whole units where they say the same."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def container_counts(way: IdeaProgress) -> str:
    """``✓ 6  ✗ 1 timed out``: how many ended in which way."""
    return "  ".join(
        f"{verdict_mark(name)} {count}" + ("" if name == "finished" else f" {name}")
        for name, count in sorted(way.verdicts.items())
    )
