"""When each idea of a run was in a container, and when a model answered: a lane an idea, drawn to scale."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from orchestrator.record.events import NESTED, Answered, CallFailed, Event
from orchestrator.report.html import Child, Html, el
from orchestrator.report.page import duration

_WIDTH, _HIGH, _STEP = 880, 9, 15  # pixels: of a lane, of a bar, from one lane to the next
_MOST = 100  # lanes
_LONGEST = 1e9  # seconds of a call
_LOOKS = {"model": "s0", "sandbox": "s1", "editor": "s2"}
"""The classes of the bars, by port: model, container, editor."""
_WORDS = {
    "s0": "a model answers",
    "s1": "a container runs, or waits for its turn",
    "s2": "an editor works",
}

_Span = tuple[float, float, str]


def timeline(lanes: Iterable[tuple[str, Iterable[Event]]]) -> list[Child]:
    """A lane for each (name, lines of a journal); nothing where no call is recorded."""
    rows = [(name, _spans(events)) for name, events in lanes][:_MOST]
    every = [span for _, spans in rows for span in spans]
    if not every:
        return []
    first, last = min(span[0] for span in every), max(span[1] for span in every)
    scale = _WIDTH / max(last - first, 1e-3)
    bars = [
        el("g", el("title", name), *_lane(spans, number * _STEP, first, scale))
        for number, (name, spans) in enumerate(rows)
    ]
    used = dict.fromkeys(look for *_, look in every)
    legend = el("ul", [el("li", _sample(look), _WORDS[look]) for look in used], class_="legend")
    names = ", ".join(name for name, _ in rows)
    picture = el(
        "svg",
        *bars,
        class_="timeline",
        width=_WIDTH,
        height=len(rows) * _STEP,
        role="img",
        aria_label=f"When each idea worked, from the top: {names}",
    )
    about = f"{duration(last - first)} from the first call to the end of the last; a lane an idea, in the order above, and one for what they share."
    return [el("p", about, class_="small quiet"), legend, el("div", picture, class_="wide")]


def _spans(events: Iterable[Event]) -> list[_Span]:
    """(begin, end, look) of each call; what an editor asks is within its own."""
    found: list[_Span] = []
    for line in events:
        if not isinstance(line, Answered | CallFailed) or line.port not in _LOOKS:
            continue
        with suppress(ValueError, OverflowError):  # a stranger's record: a time that is none
            end = datetime.fromisoformat(line.at).timestamp()
            inside = line.scope.endswith(NESTED) or not 0 <= line.seconds < _LONGEST
            found += [] if inside else [(end - line.seconds, end, _LOOKS[line.port])]
    return sorted(found)


def _lane(spans: list[_Span], top: int, first: float, scale: float) -> list[Html]:
    """The bars of a lane, those of one kind that touch as one."""
    merged: list[tuple[float, float, str]] = []
    for begin, end, look in spans:
        left, right = (begin - first) * scale, (end - first) * scale
        if merged and merged[-1][2] == look and left - merged[-1][1] < 1:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]), look)
        else:
            merged.append((left, right, look))
    rail = el("rect", x=0, y=top + _HIGH // 2, width=_WIDTH, height=1, class_="rail")
    bars = [
        el(
            "rect", x=round(left, 1), y=top, width=round(max(right - left, 0.7), 1), height=_HIGH,
            class_=look,
        )
        for left, right, look in merged
    ]  # fmt: skip
    return [rail, *bars]


def _sample(look: str) -> Html:
    return el("svg", el("rect", width=10, height=10, class_=look), width=10, height=10)
