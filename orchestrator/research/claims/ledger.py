"""Everything that a study measured and set, as one value that sentences are held to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.core.research import BASELINE, Direction
from orchestrator.template.comparisons import CLEAR, error_of_mean


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric of one run on one data set: mean, standard error, the values per seed."""

    mean: float
    error: float | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeSetting:
    """A number of the code, or of the manifest, under its name; ``about`` is the comment beside it.
    ``whole``: it is the constant's whole value, and no operand or part of a list.
    """

    name: str
    value: float
    where: str
    about: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """``changed`` are the settings that differ from the baseline's, with their new values; ``title`` is what notes
    call the run.
    """

    number: int
    name: str
    base: int = 0
    seconds: float = 0.0
    changed: tuple[CodeSetting, ...] = ()
    title: str = ""

    @property
    def label(self) -> str:
        return BASELINE if self.number == 0 else f"run {self.number} ({self.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMetric:
    """``description`` is the manifest's or the plan's. ``place`` orders the headline metrics: those that
    decide the plan's hypotheses come first.
    """

    name: str
    unit: str = ""
    direction: Direction = "none"
    description: str = ""
    headline: bool = False
    place: int = 0
    share: bool = False


CellPlace = tuple[int, str, str]
"""Run, data set, metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDifference:
    """A run's mean less another's, with its error (of pairs of seeds where they have the same)."""

    value: float
    error: float | None
    higher: int | None = None
    lower: int | None = None

    @property
    def clear(self) -> bool:
        """Larger than twice its error; without an error none is."""
        return self.error is not None and abs(self.value) > CLEAR * self.error and self.value != 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # by identity, as a key of caches
class Ledger:
    """``counts`` are the program's own ("runs", "seeds of x"); ``stated`` are numbers in texts of the
    template; ``words`` is the text of code and manifest in lower case, for names of software; ``compared`` are the
    pairs of runs that the paper's text compares.
    """

    runs: tuple[KnownRun, ...]
    datasets: tuple[str, ...]
    metrics: tuple[KnownMetric, ...]
    cells: Mapping[CellPlace, Cell]
    settings: tuple[CodeSetting, ...] = ()
    base_settings: tuple[CodeSetting, ...] = ()
    run_settings: Mapping[int, tuple[CodeSetting, ...]] = field(default_factory=dict)
    counts: tuple[tuple[str, int], ...] = ()
    stated: tuple[CodeSetting, ...] = ()
    years: frozenset[int] = frozenset()
    seeds: frozenset[int] = frozenset()
    words: str = ""
    nicknames: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compared: tuple[tuple[int, int], ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(run.number for run in self.runs)

    def run(self, number: int) -> KnownRun:
        return next(run for run in self.runs if run.number == number)

    def metric(self, name: str) -> KnownMetric:
        return next(metric for metric in self.metrics if metric.name == name)

    @property
    def headline(self) -> tuple[str, ...]:
        found = (one for one in self.metrics if one.headline)
        return tuple(one.name for one in sorted(found, key=lambda one: one.place))

    def difference(self, run: int, against: int, dataset: str, metric: str) -> RunDifference | None:
        """``run`` less ``against``; None where one of them has no such mean."""
        one, other = (self.cells.get((number, dataset, metric)) for number in (run, against))
        if one is None or other is None:
            return None
        if (paired := _paired(one, other)) is not None:
            return paired
        known = one.error is not None and other.error is not None
        error = math.hypot(one.error or 0.0, other.error or 0.0) if known else None
        return RunDifference(value=one.mean - other.mean, error=error)

    def gap(self, one: CellPlace, other: CellPlace) -> RunDifference | None:
        """One metric less another, seed by seed; None where both have no values for the same seeds."""
        cells = [self.cells.get(place) for place in (one, other)]
        return _paired(cells[0], cells[1]) if cells[0] and cells[1] else None

    def better(self, metric: str, difference: float) -> bool | None:
        """Whether a difference is to the better side; None where neither side is better."""
        direction = self.metric(metric).direction
        return None if direction == "none" else (difference > 0) == (direction == "higher")


def _paired(one: Cell, other: Cell) -> RunDifference | None:
    """The mean of the differences seed by seed, with its error; None where there are no such pairs."""
    apart = _apart(one.values, other.values)
    if not apart:
        return None
    return RunDifference(
        value=one.mean - other.mean,
        error=error_of_mean(apart),
        higher=sum(part > 0 for part in apart),
        lower=sum(part < 0 for part in apart),
    )


def with_averages(
    cells: Mapping[CellPlace, Cell], runs: Iterable[int], metrics: Sequence[str]
) -> dict[CellPlace, Cell]:
    """``cells`` and, under the data set :data:`AVERAGE`, each metric's mean over the data sets that
    have it, where there are several. Errors are those of independent means.
    """
    found = dict(cells)
    for run in runs:
        for metric in metrics:
            rows = [one for (r, _, m), one in cells.items() if (r, m) == (run, metric)]
            if len(rows) > 1:
                errors = [row.error for row in rows]
                known = None not in errors
                error = math.hypot(*(one or 0.0 for one in errors)) / len(rows) if known else None
                lengths = {len(row.values) for row in rows}
                values = (
                    tuple(map(statistics.fmean, zip(*(row.values for row in rows), strict=True)))
                    if len(lengths) == 1
                    else ()
                )
                mean = statistics.fmean(row.mean for row in rows)
                found[run, AVERAGE, metric] = Cell(mean, error, values)
    return found


AVERAGE = "*mean*"
"""The data set that stands for the mean over all of them."""


def _apart(one: Sequence[float], other: Sequence[float]) -> list[float]:
    if len(one) != len(other) or len(one) < 2:
        return []
    return [after - before for after, before in zip(one, other, strict=True)]


Side = Literal["up", "down", "better", "worse"]
"""What a word says of a change."""
