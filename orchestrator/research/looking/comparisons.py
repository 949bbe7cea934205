"""Each run against the run that it started from and the baseline, metric by metric.

A difference of means has the error ``sqrt(a² + b²)`` of the two standard errors, which assumes that
the runs are independent. With one seed there is no error, and nothing is better by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.core.research import Direction, Run
from orchestrator.template.results import Results

CLEAR = 2.0  # errors that a difference must exceed to count


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``difference`` is the run's mean less the other's; ``errors`` is its size in combined errors,
    None where one of the two has no error.
    """

    run: str
    against: str
    dataset: str
    metric: str
    difference: float
    error: float | None
    errors: float | None
    verdict: str


def compare_runs(
    runs: Iterable[Run],
    results: Mapping[int, Results],
    metrics: Iterable[str],
    directions: Mapping[str, Direction],
) -> tuple[Comparison, ...]:
    """Every run beside the baseline, for those of ``metrics`` that both runs measured."""
    by_number = {run.number: run for run in runs}
    wanted, rows = tuple(metrics), list[Comparison]()
    for run in by_number.values():
        for other in dict.fromkeys((run.base, 0)):
            if run.number and other in results and run.number in results:
                pair = (run, by_number[other])
                rows += _rows(pair, results, wanted, directions)
    return tuple(rows)


def _rows(
    pair: tuple[Run, Run],
    results: Mapping[int, Results],
    metrics: tuple[str, ...],
    directions: Mapping[str, Direction],
) -> Iterator[Comparison]:
    run, other = pair
    theirs = results[other.number].datasets
    for dataset, data in results[run.number].datasets.items():
        for metric in metrics:
            before = theirs.get(dataset)
            if before is None or metric not in data.means or metric not in before.means:
                continue
            difference = data.means[metric] - before.means[metric]
            both = (data.stderrs.get(metric), before.stderrs.get(metric))
            error = None if None in both else math.hypot(*(part or 0.0 for part in both))
            yield Comparison(
                run=run.name,
                against=other.name,
                dataset=dataset,
                metric=metric,
                difference=difference,
                error=error,
                errors=abs(difference) / error if error else None,
                verdict=verdict_of(difference, error, directions.get(metric, "none")),
            )


def verdict_of(difference: float, error: float | None, direction: Direction) -> str:
    """In words: whether the difference counts, and for which side."""
    if difference == 0:
        return "the same"
    if error is None:
        return "no error is known: it may be chance"
    if error == 0:
        return "no error was measured: it may be chance"
    if abs(difference) <= CLEAR * error:
        return f"within {CLEAR:g} errors: no difference is shown"
    if direction == "none":
        return "different"
    return "better" if (difference > 0) == (direction == "higher") else "worse"
