"""Two runs in one table: the best that each measured of every metric that a template declares as a headline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.core.research import BASELINE
from orchestrator.report.measured import MeanError, is_within

MetricKey = tuple[str, str, str, str]
"""Idea, run, data set, metric; the baseline is of no idea."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineRow:
    """A headline metric of a data set: the baseline, and the best of all ideas and runs of either side, each None
    where there is none. ``baselines`` says whether both sides begin with the same one. ``better`` is the side
    whose best is the better one by more than the standard error of the difference: ``first``, ``second``, or
    ``""`` for neither; None where that is not known.
    """

    dataset: str
    metric: str
    direction: str
    baseline: MeanError | None
    baselines: bool
    first: MeanError | None
    second: MeanError | None
    better: str | None


def headline_rows(
    first: Mapping[MetricKey, MeanError],
    second: Mapping[MetricKey, MeanError],
    directions: Mapping[str, str],
) -> Iterator[HeadlineRow]:
    """A row for each metric of ``directions`` and each data set that it was measured on. A metric without a
    direction has no best value and no row.
    """
    for metric, direction in directions.items():
        if direction not in {"lower", "higher"}:
            continue
        for dataset in dict.fromkeys(key[2] for key in (*first, *second) if key[3] == metric):
            a = _best(first, dataset, metric, direction)
            b = _best(second, dataset, metric, direction)
            base = ("", BASELINE, dataset, metric)
            known = [side[base] for side in (first, second) if base in side]
            yield HeadlineRow(
                dataset=dataset,
                metric=metric,
                direction=direction,
                baseline=known[0] if known else None,
                baselines=len(set(known)) < 2,
                first=a,
                second=b,
                better=_better(a, b, direction),
            )


def _best(
    side: Mapping[MetricKey, MeanError], dataset: str, metric: str, direction: str
) -> MeanError | None:
    """The best value of the ideas' own runs."""
    values = [value for key, value in side.items() if key[0] and key[2:] == (dataset, metric)]
    if not values:
        return None
    return (min if direction == "lower" else max)(values, key=lambda value: value[0])


def _better(first: MeanError | None, second: MeanError | None, direction: str) -> str | None:
    if first is None or second is None or first[1] is None or second[1] is None:
        return None
    if first[0] == second[0] or is_within(first, second):
        return ""
    return "first" if (first[0] < second[0]) == (direction == "lower") else "second"
