"""Progress on a terminal: one small table that is drawn again four times a second."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestrator.console.track import Line, Track, Way, money, verdict_mark

STYLES = {"finished": "green", "failed": "red", "skipped": "yellow", "not novel": "yellow"}
BAR = 12  # characters of a bar of elapsed time


class Progress:
    """A journal listener that draws; use it as a context manager around the run."""

    def __init__(self, track: Track) -> None:
        self._track = track
        console = Console(stderr=True, highlight=False)
        self._live = Live(
            console=console, get_renderable=self._table, refresh_per_second=4, transient=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, line: Line) -> None:
        self._track.take(line)

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("", "stage", "doing", "containers", "tokens", "cost"):
            table.add_column(name, justify="right" if name in {"tokens", "cost"} else "left")
        for way in tuple(self._track.ways.values()):
            table.add_row(*self._row(way))
        return table

    def _row(self, way: Way) -> tuple[Text, ...]:
        now = time.monotonic()
        doing = way.doing[-1] if way.doing else None
        state = Text(way.status, style=STYLES.get(way.status, "")) if way.status else Text("")
        if doing:
            state = Text(f"{doing.what} {elapsed(now - doing.since, doing.limit)}")
        recalled = f" ({way.recalled} recalled)" if way.recalled else ""
        return (
            Text(way.name, style="bold"),
            Text(f"{way.stage} {way.place}".strip()),
            state,
            Text(containers(way)),
            Text(f"{way.tokens:,}{recalled}"),
            Text(money(way)),
        )


def elapsed(seconds: float, limit: float) -> str:
    """``34 s``, or with a limit a bar of it: ``████········ 34 of 300 s``."""
    if not limit:
        return f"{seconds:.0f} s"
    full = min(BAR, int(BAR * seconds / limit))
    return f"{'█' * full}{'·' * (BAR - full)} {seconds:.0f} of {limit:.0f} s"


def containers(way: Way) -> str:
    """``✓ 6  ✗ 1 timed out``: how many ended in which way."""
    return "  ".join(
        f"{verdict_mark(name)} {count}" + ("" if name == "finished" else f" {name}")
        for name, count in sorted(way.verdicts.items())
    )
