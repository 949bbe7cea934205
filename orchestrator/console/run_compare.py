"""``aisci compare``: two runs side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.text import Text

from orchestrator.api.run_compare import (
    ComparedIdea,
    ComparedMetric,
    ComparedRun,
    RunComparison,
    compare_two,
)
from orchestrator.console import output as out
from orchestrator.console.columns import Column, cell, fixed_columns
from orchestrator.console.headlines import drawn_headlines
from orchestrator.console.live import STYLES
from orchestrator.console.run_list import run_json, short_cost
from orchestrator.report.measured import MeanError, mean_text

_NAME, _SIDE = 16, 14  # the fewest characters of a row's name, and of a side's words


def show_comparison(first: str, second: str, results: Path, *, as_json: bool) -> None:
    """Compare ``second`` with ``first``; a difference is not an error."""
    found = compare_two(first, second, results)
    if as_json:
        out.as_json(comparison_json(found))
    else:
        out.draw(drawn_comparison(found, out.width()), soft_wrap=True)


def comparison_json(found: RunComparison) -> dict[str, Any]:
    """The comparison as JSON."""
    sides = {
        name: run_json(side.status)
        | {"worked": round(side.status.worked, 3), "each": [asdict(one) for one in side.ideas]}
        for name, side in (("first", found.first), ("second", found.second))
    }
    return sides | {
        "pins": [asdict(one) for one in found.pins],
        "metrics": [asdict(one) for one in found.metrics],
        "headlines": [asdict(one) for one in found.headlines],
    }


def drawn_comparison(found: RunComparison, width: int) -> list[Text]:
    """The lines: the answer, then what differs at the start, ideas, results, use."""
    sides = (found.first.status.id, found.second.status.id)
    pins = [
        (cell(one.what), cell(one.first), cell(one.second), cell(one.verdict)) for one in found.pins
    ]
    lines = [*drawn_headlines(found.headlines, sides, width), Text()]
    lines.append(Text("started with", style="bold"))
    if pins:
        last = "the second is" if any(one.verdict for one in found.pins) else ""
        lines += fixed_columns(_columns(sides, last), pins, width)
    else:
        lines.append(Text("the same model, policy, template, prompts and images"))
    lines += [Text(), Text("ideas", style="bold")]
    lines += fixed_columns(_columns(sides), list(_ideas(found)), width)
    for (idea, run), metrics in groupby(found.metrics, key=lambda one: (one.idea, one.run)):
        title = f"{idea}, {run}" if idea else run
        lines += [Text(), cell(title, "bold")]
        rows = [_metric(one) for one in metrics]
        lines += fixed_columns(_columns(sides, numbers=True), rows, width)
    lines += [Text(), Text("use", style="bold")]
    return lines + fixed_columns(_columns(sides, numbers=True), list(_use(found)), width)


def _columns(
    sides: tuple[str, str], last: str = "", *, numbers: bool = False
) -> tuple[Column, ...]:
    """A name, both sides, and a last word; numbers are never shortened."""
    least = None if numbers else _SIDE
    both = [Column(head=side, right=numbers, least=least) for side in sides]
    return Column(head="", least=_NAME), *both, Column(head=last)


def _ideas(found: RunComparison) -> Iterator[tuple[Text, ...]]:
    first, second = ({one.name: one for one in side.ideas} for side in (found.first, found.second))
    for name in dict.fromkeys((*first, *second)):
        yield cell(name), _idea(first.get(name)), _idea(second.get(name)), cell("")


def _idea(idea: ComparedIdea | None) -> Text:
    if idea is None:
        return cell("–")
    reviewed = f", {idea.review} of 10, {idea.decision}" if idea.review is not None else ""
    status = ", ".join((idea.status, *idea.lacking))
    return cell(f"{status}{reviewed}", STYLES.get(idea.status, ""))


def _metric(one: ComparedMetric) -> tuple[Text, ...]:
    within = {True: "within s.e.", False: "differs", None: ""}[one.within]
    within = "equal" if one.first == one.second else within
    name = f"{one.dataset} {one.metric}"
    return cell(name), _value(one.first), _value(one.second), cell(within)


def _value(value: MeanError | None) -> Text:
    return cell("–" if value is None else mean_text(value))


def _use(found: RunComparison) -> Iterator[tuple[Text, ...]]:
    both = (found.first, found.second)
    for name, row in (
        ("state", [one.status.state for one in both]),
        ("cost", [short_cost(one.status.usd, one.status.unpriced) for one in both]),
        ("tokens", [f"{one.status.tokens:,}" for one in both]),
        ("containers", [str(_containers(one)) for one in both]),
        ("time at work", [f"{one.status.worked:.0f} s" for one in both]),
    ):
        yield cell(name), *map(cell, row), cell("")


def _containers(run: ComparedRun) -> int:
    return sum(count for way in run.status.ways for _, count in way.containers)
