"""``aisci list``: the runs, one line each, and where those stand that are not at their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.text import Text

from orchestrator.api.run_list import list_runs
from orchestrator.api.run_status import RunStatus
from orchestrator.console import output as out
from orchestrator.console.columns import Column, cell, cut_middle, fixed_columns
from orchestrator.console.live import ROOM
from orchestrator.core.sanitize import plain_line

STATE_STYLES = {
    "working": "cyan",
    "finished": "green",
    "failed": "red",
    "unreadable": "red",
    "stopped": "yellow",
    "unfinished": "yellow",
}
MARKS = {"finished": "✓", "failed": "✗", "not novel": "≈", "stopped": "‖", "left out": "-"}
_TEMPLATE = 10  # characters of a template's name on a narrow terminal
UNKNOWN_COST = "+?"
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
_COLUMNS = (
    Column(head="run"),
    Column(head="age", right=True),
    Column(head="model", least=8),
    Column(head="state"),
    Column(head="ideas"),
    Column(head="cost", right=True),
)


def show_runs(results: Path, *, as_json: bool) -> None:
    """The runs below ``results``, the newest first."""
    runs = list_runs(results)
    if as_json:
        for run in runs:
            out.as_json(run_json(run))
        return
    if not runs:
        out.say(f"no run below {results.absolute()}/; start one: aisci run grokking")
        return
    out.draw(drawn_list(runs, datetime.now(UTC), out.width()), soft_wrap=True)


def run_json(run: RunStatus) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "id": run.id,
        "folder": str(run.folder),
        "state": run.state,
        "began": run.began,
        "template": run.template,
        "scale": run.scale,
        "policy": run.policy,
        "model": run.model,
        "ideas": run.counts,
        "tokens": run.tokens,
        "usd": run.usd,
        "unpriced": run.unpriced,
        "where": run.where,
        "fault": run.fault,
        "next": run.next,
    }


def drawn_list(runs: Sequence[RunStatus], now: datetime, width: int) -> list[Text]:
    """Fixed columns; below a run that did not finish, where it stands."""
    most = _TEMPLATE if width < ROOM else width
    head, *lines = fixed_columns(_COLUMNS, [_row(run, now, most) for run in runs], width)
    drawn = [head]
    for run, line in zip(runs, lines, strict=True):
        drawn.append(line)
        if run.where:
            where = cell(run.where, "dim").plain
            drawn.append(Text(f"  {cut_middle(where, width - 2)}", style="dim"))
    return drawn


def _row(run: RunStatus, now: datetime, most: int) -> tuple[Text, ...]:
    template, slash, began = plain_line(run.id).rpartition("/")
    return (
        Text(
            f"{cut_middle(template, most)}{slash}{began}", style="bold"
        ),  # the time alone is a name
        cell(age(run.began, now)),
        cell(run.model),
        cell(run.state, STATE_STYLES[run.state]),
        cell(idea_counts(run.counts)),
        cell(short_cost(run.usd, run.unpriced) if run.shared else ""),
    )


def idea_counts(counts: Mapping[str, int]) -> str:
    """``2 ✓ 1 ✗ 1 …``: finished, failed, under way."""
    return " ".join(f"{count} {MARKS.get(status, '…')}" for status, count in counts.items())


def short_cost(usd: float, unpriced: int) -> str:
    """Dollars, with a mark where calls have no known price: ``$0.1234+?``."""
    known = f"${usd:,.2f}" if usd >= 1 else f"${usd:.4f}" if usd else "$0"
    return known + (UNKNOWN_COST if unpriced else "")


def age(began: str, now: datetime) -> str:
    """``5 min``: the time since one of the journal's times."""
    try:
        seconds = (now - datetime.fromisoformat(began)).total_seconds()
    except (ValueError, TypeError):  # no time, or one that somebody made up
        return ""
    for unit, name in _UNITS:
        if seconds >= unit:
            return f"{seconds // unit:.0f} {name}"
    return "now"
