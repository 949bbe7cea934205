"""The table of a run at work: fixed columns, of which only what is being done is ever cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from orchestrator.api.run_state import IdeaProgress, RunState
from orchestrator.console.columns import Column, cell, cut_middle, fixed_columns
from orchestrator.console.live import (
    STYLES,
    Display,
    container_counts,
    elapsed,
    ending,
    share_of,
)
from orchestrator.console.output import exact_span, span
from orchestrator.console.run_list import short_cost
from orchestrator.core.job import Verdict
from orchestrator.core.progress import seconds_left
from orchestrator.record.heard import Heard

_NAME, _ROOMY_NAME = 12, 24  # characters of an idea's name
_DOING, _ROOMY_DOING = 10, 33  # characters that what is being done gets before a column is left out
_COLUMNS = {
    "name": Column(head="", wide=8),
    "stage": Column(head="stage", wide=17),
    "doing": Column(head="doing", least=0, wide=13),
    "containers": Column(head="containers", wide=10),
    "recalled": Column(head="recalled", right=True),
    "tokens": Column(head="tokens", right=True, wide=9),
    "cost": Column(head="cost", right=True, wide=7),
}
_LEFT_OUT = ("recalled", "containers", "stage", "tokens")
"""The columns that a terminal too narrow for all has not, the first of them first."""
_GAP = 2
_BARS_FROM = 116  # characters of width from which on there is room for bars and words


def _rough_span(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``: what plans say needs no seconds."""
    return exact_span(seconds if seconds < 60 else 60 * round(seconds / 60)).removesuffix(" 0 s")


class LiveTable(Display):
    """A journal listener that draws; use it as a context manager around the run."""

    def __init__(
        self, track: RunState, clock: Callable[[], float] = time.monotonic, began: str = ""
    ) -> None:
        super().__init__(keep=True)
        self._track, self._clock, self._since = track, clock, clock()
        self._heard = False
        self._began = began or datetime.now(UTC).strftime("%H:%M")

    def __call__(self, event: Heard) -> None:
        self._heard = True
        self._track.take(event)

    def __exit__(self, *_: object) -> None:
        self._keep = self._heard  # of what never began no empty table stays
        if self.live:
            self.live.transient = not self._keep
        super().__exit__()

    def drawn(self) -> RenderableType:
        width = self.console.width
        return Group(*self.lines(width, self.console.height))

    def lines(self, width: int, height: int = 1000) -> list[Text]:
        """The table of this moment; where there are too many ideas, those that ended are only counted."""
        ways = list(self._track.ways.values())
        room = max(1, height - 6)
        shown = sorted(ways, key=lambda one: bool(one.status))[:room] if len(ways) > room else ways
        rows = self._rows(ways, shown, roomy=width >= _BARS_FROM, counts_in_words=True)
        names = [name for name in _COLUMNS if name != "recalled" or any(w.recalled for w in ways)]
        doing = _ROOMY_DOING if width >= _BARS_FROM else _DOING
        if _least(names, rows, doing) > width:
            rows = self._rows(ways, shown, roomy=width >= _BARS_FROM, counts_in_words=False)
        for name in _LEFT_OUT:
            if _least(names, rows, _DOING) > width and name in names:
                names.remove(name)
        cells = [[row[name] for name in names] for row in rows]
        lines = fixed_columns([_COLUMNS[name] for name in names], cells, width)
        if len(shown) < len(ways):
            lines.append(cell(f"and {len(ways) - len(shown)} more ideas that have ended", "dim"))
        now, ends = self._clock(), self._track.ends
        taken = exact_span(now - self._since)
        left = f"; about {_rough_span(ends - now)} left" if ends is not None and ends > now else ""
        return [*lines, cell(f"working since {self._began} UTC, {taken}{left}", "dim")]

    def _rows(
        self,
        ways: list[IdeaProgress],
        shown: list[IdeaProgress],
        *,
        roomy: bool,
        counts_in_words: bool,
    ) -> list[dict[str, Text]]:
        total = IdeaProgress("all", status=" ")
        for way in ways:
            total.verdicts.update(way.verdicts)
            total.tokens, total.usd = total.tokens + way.tokens, total.usd + way.usd
            total.unpriced, total.recalled = (
                total.unpriced + way.unpriced,
                total.recalled + way.recalled,
            )
        return [
            {
                "name": cell(cut_middle(way.name, _ROOMY_NAME if roomy else _NAME), "bold"),
                "stage": cell(f"{way.stage} {way.place}".strip()),
                "doing": self._doing(way, roomy=roomy),
                "containers": Text(short_counts(way.verdicts, roomy=counts_in_words)),
                "recalled": Text(f"{way.recalled:,}" if way.recalled else ""),
                "tokens": Text(f"{way.tokens:,}"),
                "cost": Text(short_cost(way.usd, way.unpriced)),
            }
            for way in (*shown, *[total] * (len(ways) > 2))
        ]

    def _doing(self, way: IdeaProgress, *, roomy: bool) -> Text:
        if way.status:
            return cell(way.status, STYLES.get(way.status, ""))
        if not way.doing:
            return Text()
        doing = way.doing[-1]
        taken = self._clock() - doing.since
        left = seconds_left(taken, doing.share)
        if not roomy:
            verb = doing.what.partition(" ")[0]
            return cell(f"{verb} {span(taken) if left is None else f'{share_of(taken, left)}'}")
        going = elapsed(taken, doing.limit) if left is None else ending(taken, left)
        return cell(f"{doing.what} {going}")


def short_counts(verdicts: Mapping[str, int], *, roomy: bool) -> str:
    """``✓ 6  ✗ 1``; where there is room, with how each ended."""
    if roomy:
        return container_counts(verdicts)
    good = verdicts.get(Verdict.FINISHED, 0)
    bad = sum(verdicts.values()) - good
    return "  ".join([f"✓ {good}"] * bool(good) + [f"✗ {bad}"] * bool(bad))


def _least(names: list[str], rows: list[dict[str, Text]], doing: int) -> int:
    """The width that these columns take when what is being done has so many characters."""
    wide = doing + _GAP * (len(names) - 1)
    for name in names:
        if name != "doing":
            column = _COLUMNS[name]
            wide += max(len(column.head), column.wide, *(row[name].cell_len for row in rows))
    return wide
