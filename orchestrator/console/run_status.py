"""``aisci status``: one run's ideas and stages, what is out now, what it cost, and the next command."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orchestrator.api.find_run import find_run
from orchestrator.api.run_status import CallOut, RunStatus, WayStatus
from orchestrator.api.run_watch import RunWatch
from orchestrator.console import output as out
from orchestrator.console.columns import Column, cell, fixed_columns
from orchestrator.console.live import ROOM, STYLES, elapsed
from orchestrator.console.live_table import short_counts
from orchestrator.console.run_list import (
    STATE_STYLES,
    UNKNOWN_COST,
    idea_counts,
    run_json,
    short_cost,
)
from orchestrator.core.sanitize import plain, plain_line
from orchestrator.record.asked_stages import STAGE_NAMES

_EACH = 1.0  # seconds between two looks
_LONGEST = 1000  # characters of a command
_LONGEST_CAUSE = 8000  # characters of why ideas failed: such a text is what a screen is for
_LINES_AROUND = 15  # of a status, that are not of an idea
_SHORT = 3  # characters of a stage's name
_HEAD = " ".join(name[:_SHORT] for name in STAGE_NAMES)
_MARKS = {"reached": "✓", "failed": "✗", "begun": "▶", "left out": "-"}
_STAGES = (Column(head="idea", least=12, wide=12), Column(head=_HEAD), Column(head="", least=8))
_WORK = (
    Column(head="", least=10, wide=10),
    Column(head="out now", wide=22),
    Column(head="containers", wide=12),
    Column(head="tokens", right=True, wide=8),
    Column(head="cost", right=True, wide=8),
)


def show_status(name: str, results: Path, *, follow: bool, as_json: bool) -> int:
    """Where a run stands; with ``follow`` again and again, until no process works on it. The exit code."""
    watch = RunWatch(find_run(name, results).folder)
    status = watch.look(time.time())
    try:
        if follow and sys.stdout.isatty() and not (as_json or Console().is_dumb_terminal):
            _draw_until_end(watch, status)
            return 0
        _show(status, as_json=as_json)
        while follow and status.state == "working":
            time.sleep(_EACH)
            before, status = status, watch.look(time.time())
            if (before.changed, before.state) != (status.changed, status.state):
                _show(status, as_json=as_json)
    except KeyboardInterrupt:  # nobody looks any more; the run goes on
        return 130
    return 0


def _show(status: RunStatus, *, as_json: bool) -> None:
    if as_json:
        out.as_json(status_json(status))
    else:
        out.draw(drawn_status(status, time.time(), out.width()), soft_wrap=True)


def _draw_until_end(watch: RunWatch, status: RunStatus) -> None:
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        while True:
            lines = drawn_status(status, time.time(), console.width, console.height - 1)
            live.update(Group(*lines), refresh=True)
            if status.state != "working":
                return
            time.sleep(_EACH)
            status = watch.look(time.time())


def status_json(status: RunStatus) -> dict[str, Any]:
    """A status as JSON: what `aisci list` has, and times, ideas, stages and calls."""
    ways = []
    for way in status.ways:
        fields = asdict(way) | {"marks": dict(way.marks), "containers": dict(way.containers)}
        fields["out"] = [asdict(call) | {"since": _utc(call.since)} for call in way.out]
        ways.append(fields)
    times = {"changed": status.changed, "worked": round(status.worked, 3), "limit": status.limit}
    times["ends"] = _utc(status.ends) if status.ends else None
    return run_json(status) | times | {"shared": ways[:1], "each": ways[1:]}


def drawn_status(
    status: RunStatus, now: float, width: int, height: int | None = None
) -> list[Text]:
    """The lines of a status, at most ``height``: then ideas that have ended are only counted."""
    ideas = list(status.ideas)
    if height is not None:
        room = max(1, (height - _LINES_AROUND) // 2)
        ideas = sorted(ideas, key=lambda one: bool(one.status))[:room]
    above = [
        *_heading(status, now),
        *_stages(status, ideas, width),
        *_use(status, ideas, now, width),
    ]
    below = [Text(), Text(plain_line(f"next: {status.next}", limit=_LONGEST))]
    faults = _faults(status, width)
    if height is not None:
        faults = faults[: max(0, height - len(above) - len(below))]
    return [*above, *faults, *below]


def _heading(status: RunStatus, now: float) -> list[Text]:
    left = max(0.0, status.limit - status.worked)
    limit = f" of {out.span(status.limit)}, {_rough(left)} left" if status.limit else ""
    if status.ends > now:
        limit += f"; ends in about {_rough(status.ends - now)}, by its plans"
    began, heading = status.began[:16].replace("T", " "), Text(no_wrap=True)
    heading.append_text(cell(status.id, "bold")).append("  ")
    heading.append(status.state, style=STATE_STYLES[status.state])
    return [
        heading,
        cell(f"scale {status.scale}, model {status.model}, policy {status.policy}"),
        cell(f"began {began} UTC, worked {_rough(status.worked)}{limit}"),
        Text(),
    ]


def _stages(status: RunStatus, ideas: Sequence[WayStatus], width: int) -> list[Text]:
    """A row an idea, a mark a stage."""
    if not ideas:
        return []
    rows = [(cell(one.name, "bold"), _marks(one), _ended(one)) for one in ideas]
    lines = fixed_columns(_STAGES, rows, width)
    hidden = len(status.ideas) - len(ideas)
    if hidden:
        lines.append(cell(f"and {hidden} more: {idea_counts(status.counts)} in all", "dim"))
    return [*lines, Text()]


def _use(status: RunStatus, ideas: Sequence[WayStatus], now: float, width: int) -> list[Text]:
    """A row an idea: the call that is out, containers, tokens, cost."""
    working, roomy = status.state == "working", width >= ROOM
    ways = [status.shared, *ideas] if status.shared else list(ideas)
    rows = [_work(way, now, working=working, roomy=roomy) for way in ways]
    if len(ways) > 2:
        rows.append(_sums(status, roomy=roomy))
    name, doing, *others = _WORK
    if not working:
        doing = replace(doing, head="stopped" if any(way.out for way in ways) else "")
    lines = fixed_columns((name, doing, *others), rows, width)
    if status.unpriced:
        calls = out.counted(status.unpriced, "model call")
        lines.append(cell(f"{UNKNOWN_COST}: the price of {calls} is not known", "dim"))
    return lines


def _marks(idea: WayStatus) -> Text:
    """A mark for each stage, below the beginning of its name."""
    known, text = dict(idea.marks), Text()
    for name in STAGE_NAMES:
        nothing = "left out" if name in idea.left_out else ""
        mark = _MARKS.get(known.get(name, nothing), "·")
        style = {"✓": "green", "✗": "red", "▶": "cyan"}.get(mark, "dim")
        text.append(f" {mark}  ", style=style)
    text.rstrip()
    return text


def _ended(idea: WayStatus) -> Text:
    text = ", ".join((idea.status, *idea.lacking)) if idea.status else f"{idea.stage} {idea.place}"
    return cell(text, STYLES.get(idea.status, ""))


def _work(way: WayStatus, now: float, *, working: bool, roomy: bool) -> tuple[Text, ...]:
    doing = way.out[-1] if way.out else None
    text = (
        "" if doing is None else _going(doing, now, bar=roomy) if working else f"while {doing.what}"
    )
    counts = short_counts(Counter(dict(way.containers)), roomy=roomy)
    cost = short_cost(way.usd, way.unpriced)
    return cell(way.name), cell(text), Text(counts), cell(f"{way.tokens:,}"), cell(cost)


def _sums(status: RunStatus, *, roomy: bool) -> tuple[Text, ...]:
    verdicts: Counter[str] = Counter()
    for way in status.ways:
        verdicts.update(dict(way.containers))
    cost = short_cost(status.usd, status.unpriced)
    counts, tokens = short_counts(verdicts, roomy=roomy), f"{status.tokens:,}"
    return cell("all", "bold"), cell(""), Text(counts), cell(tokens), cell(cost)


def _going(call: CallOut, now: float, *, bar: bool) -> str:
    if call.waits:
        return f"waiting for room {elapsed(max(0.0, now - call.since), 0.0, bar=False)}"
    done = "" if call.share is None else f" {call.share:.0%}"
    done += f" on {', '.join(one[:12] for one in call.gpus)}" if call.gpus else ""
    return f"{call.what}{done} {elapsed(max(0.0, now - call.since), call.limit, bar=bar)}"


def _faults(status: RunStatus, width: int) -> list[Text]:
    """Why ideas, or the whole run, ended early, and what was left out of them as the run was asked."""
    told_of = [f"{one.name}: {one.why}" for one in status.ways if one.why]
    left = dict.fromkeys(
        what for one in status.ideas for what in one.lacking if what.endswith("left out")
    )
    told_of += [f"{what}, as the run was asked" for what in left]
    said = plain("\n".join(told_of[:5]), limit=_LONGEST_CAUSE).splitlines()
    lines = [line for text in said for line in wrap(plain_line(text, limit=_LONGEST_CAUSE), width)]
    return [Text(), *(Text(line, style="yellow") for line in lines)] if lines else []


def _rough(seconds: float) -> str:
    """``34 s``, ``12 min``, ``3.5 h``."""
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
