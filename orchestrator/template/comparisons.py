"""Runs beside each other, metric by metric: difference, error, and whether it counts.

Runs that keep the seeds are paired: the difference is taken per seed, and its error is that of the mean
of these differences. Where a metric has no values per seed, the error is ``sqrt(a² + b²)`` of the two
standard errors, as of independent runs. With one seed there is no error, and nothing is better by it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Direction, Run
from orchestrator.template.results import RESULTS_FILE, Results, SeedValues, per_seed

CLEAR = 2.0  # errors that a difference must exceed to count


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A run with what it measured: results, and values per seed where there are any."""

    run: Run
    results: Results
    values: SeedValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``difference`` is the run's mean less the other's; ``errors`` is its size in errors, None where
    there is no error. ``paired`` says that the error is of differences per seed, of which ``higher``
    are positive and ``lower`` negative.
    """

    run: str
    against: str
    dataset: str
    metric: str
    difference: float
    error: float | None
    errors: float | None
    paired: bool
    higher: int | None
    lower: int | None
    verdict: str


def compare_runs(
    pairs: Iterable[tuple[Measured, Measured]],
    metrics: Iterable[str],
    directions: Mapping[str, Direction],
    exact: Iterable[str] = (),
) -> tuple[Comparison, ...]:
    """Each pair (run, other), in those of ``metrics`` that both measured. ``exact`` are data sets without chance,
    where every difference counts.
    """
    wanted, without_chance = tuple(metrics), frozenset(exact)
    return tuple(
        row for one, other in pairs for row in _rows(one, other, wanted, directions, without_chance)
    )


def _rows(
    one: Measured,
    other: Measured,
    metrics: tuple[str, ...],
    directions: Mapping[str, Direction],
    exact: frozenset[str],
) -> Iterator[Comparison]:
    for dataset, data in one.results.datasets.items():
        before = other.results.datasets.get(dataset)
        for metric in metrics:
            if before is None or metric not in data.means or metric not in before.means:
                continue
            difference = data.means[metric] - before.means[metric]
            both = (data.stderrs.get(metric), before.stderrs.get(metric))
            apart = _per_seed(one, other, dataset, metric)
            error: float | None
            if apart:
                error = error_of_mean(apart)
            else:
                error = None if None in both else math.hypot(*(part or 0.0 for part in both))
            yield Comparison(
                run=one.run.name,
                against=other.run.name,
                dataset=dataset,
                metric=metric,
                difference=difference,
                error=error,
                errors=abs(difference) / error if error else None,
                paired=bool(apart),
                higher=sum(value > 0 for value in apart) if apart else None,
                lower=sum(value < 0 for value in apart) if apart else None,
                verdict=verdict_of(
                    difference,
                    0.0 if dataset in exact and error is None else error,
                    directions.get(metric, "none"),
                    paired=bool(apart) or dataset in exact,
                ),
            )


def error_of_mean(values: Sequence[float]) -> float:
    """The standard error of the mean of two values or more, in their unit."""
    return statistics.stdev(values) / math.sqrt(len(values))


def _per_seed(one: Measured, other: Measured, dataset: str, metric: str) -> list[float]:
    """The difference for each seed; empty where the two runs have no values for the same seeds."""
    name = metric.removesuffix("_mean")
    rows = [
        known.values.get(dataset, {}).get(metric) or known.values.get(dataset, {}).get(name, ())
        for known in (one, other)
    ]
    if len(rows[0]) != len(rows[1]) or len(rows[0]) < 2:
        return []
    return [after - before for after, before in zip(*rows, strict=True)]


def seed_values(run: Run, blobs: Blobs) -> SeedValues:
    """The values per seed that a run wrote, or nothing where it wrote none that can be read."""
    sha256 = run.files.get(f"run_{run.number}/{RESULTS_FILE}")
    return per_seed(blobs.get(sha256)) if sha256 else {}


def verdict_of(
    difference: float, error: float | None, direction: Direction, *, paired: bool = False
) -> str:
    """In words: whether the difference counts, and for which side. A ``paired`` difference with an
    error of 0 is the same for every seed, or has no chance in it, which counts.
    """
    if difference == 0:
        return "no difference of the means"
    if error is None:
        return "no error is known"
    if error == 0 and not paired:
        return "no error was measured"
    if abs(difference) <= CLEAR * error:
        return f"within {CLEAR:g} errors: no difference is shown"
    if direction == "none":
        return "different"
    return "better" if (difference > 0) == (direction == "higher") else "worse"
