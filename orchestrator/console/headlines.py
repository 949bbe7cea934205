"""The answer of ``aisci compare``: the headline metrics of two runs in one table, and in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap

from rich.text import Text

from orchestrator.api.headlines import HeadlineRow
from orchestrator.console.columns import Column, cell, fixed_columns
from orchestrator.report.measured import MeanError, mean_text

_ARROWS = {"lower": "↓", "higher": "↑"}
_NAME = 12  # the fewest characters of a metric's name
_ANSWERS = {"first": "A better", "second": "B better", "": "within s.e.", None: "not known"}
_COLUMNS = (
    Column(head="", least=_NAME),
    Column(head=""),
    Column(head="baseline", right=True),
    Column(head="best of A", right=True),
    Column(head="best of B", right=True),
    Column(head=""),
)


def drawn_headlines(rows: Sequence[HeadlineRow], sides: tuple[str, str], width: int) -> list[Text]:
    """The lines: which run is A and which B, a row a metric and data set, and what follows."""
    lines = [cell(f"A: {sides[0]}"), cell(f"B: {sides[1]}")]
    if rows:
        lines += [
            Text("↓ lower is better, ↑ higher is better"),
            Text(),
            *fixed_columns(_COLUMNS, list(map(_row, rows)), width),
            Text(),
        ]
    return lines + [Text(line) for text in _said(rows) for line in wrap(text, width)]


def _row(one: HeadlineRow) -> tuple[Text, ...]:
    base = _value(one.baseline) + ("" if one.baselines else "*")
    values = (base, _value(one.first), _value(one.second), _ANSWERS[one.better])
    return cell(f"{one.dataset} {one.metric}"), cell(_ARROWS[one.direction]), *map(cell, values)


def _value(value: MeanError | None) -> str:
    return "–" if value is None else mean_text(value)


def _said(rows: Sequence[HeadlineRow]) -> list[str]:
    """The closing line; and what a star means, where there is one."""
    notes = ["* the two runs measured different baselines; this is A's"]
    starred = [] if all(one.baselines for one in rows) else notes
    counts = Counter(one.better for one in rows)
    known = len(rows) - counts[None]
    if not rows:
        return [
            "no headline metric was measured (`headline: true` in template.yaml makes a metric one)"
        ]
    if not known:
        return [*starred, "no headline metric has a best value with a standard error in both runs"]
    won = [
        f"{name} is better in {counts[key]}"
        for key, name in (("first", "A"), ("second", "B"))
        if counts[key]
    ]
    if not won:
        return [
            *starred,
            f"neither run is better by more than the standard errors, in {known} compared",
        ]
    said = ", ".join(won)
    return [*starred, f"{said} of {known} by more than the standard errors"]
