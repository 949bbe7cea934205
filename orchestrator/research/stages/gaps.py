"""Two metrics of one run beside each other, seed by seed: an average beside the raw value, a part beside the whole.

Such a difference has an error of its own, which the errors of the two means do not give.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from itertools import islice
from typing import Any

from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Run
from orchestrator.research.prompts import as_table
from orchestrator.research.run_spec import Study
from orchestrator.template.comparisons import error_of_mean, seed_values
from orchestrator.template.results import SeedValues

_MOST_PAIRS = 3
_FEWEST = 2  # seeds
_ROUNDING = 1e-6  # of the largest difference; a mean below it is 0 but for how numbers are stored


def gap_table(study: Study, blobs: Blobs, runs: tuple[Run, ...]) -> dict[str, Any]:
    """A row for each data set and pair of metrics, a column for each of ``runs`` that measured both: ``[difference,
    error, seeds higher, seeds lower]``, of the first metric less the second. Then the second of each run less the first
    of the baseline: whether what a run changes does what the other metric stands for.
    """
    known = {run.name: seed_values(run, blobs) for run in runs}
    baseline = study.runs[0].name, seed_values(study.runs[0], blobs)
    rows = [
        {"data_set": data, "pair": pair} | cells
        for first, second in islice(_pairs(study), _MOST_PAIRS)
        for data in dict.fromkeys(name for values in known.values() for name in values)
        for pair, cells in _of_pair(first, second, data, known, baseline)
        if any(cells.values())
    ]
    return as_table(rows) if rows else {}


def _of_pair(
    first: str,
    second: str,
    data: str,
    known: dict[str, SeedValues],
    baseline: tuple[str, SeedValues],
) -> Iterator[tuple[str, dict[str, Any]]]:
    name, before = baseline
    yield (
        f"{first} less {second}",
        {run: _cell(values, first, values, second, data) for run, values in known.items()},
    )
    yield (
        f"{second} less {first} of {name}",
        {
            run: None if run == name else _cell(values, second, before, first, data)
            for run, values in known.items()
        },
    )


def _pairs(study: Study) -> Iterator[tuple[str, str]]:
    """The metrics that the study added, each beside one whose name is a part of its own, as ``raw_loss`` beside
    ``loss``, and which is measured alike.
    """
    for added in study.plan.metrics:
        for name, other in study.metrics.items():
            alike = (added.unit, added.direction) == (other.unit, other.direction)
            if alike and _words(name) < _words(added.name):
                yield added.name, name


def _words(name: str) -> frozenset[str]:
    return frozenset(name.removesuffix("_mean").split("_"))


def _values(values: SeedValues, data: str, name: str) -> tuple[float, ...]:
    of = values.get(data, {})
    return of.get(name) or of.get(name.removesuffix("_mean"), ())


def _measured(apart: list[float], values: SeedValues, data: str) -> bool:
    """Whether some metric of the run is this difference already."""
    return any(
        len(row) == len(apart)
        and all(math.isclose(abs(a), abs(b), rel_tol=1e-6, abs_tol=1e-9) for a, b in zip(row, apart, strict=True))
        for row in values.get(data, {}).values()
    )  # fmt: skip


def _cell(
    values: SeedValues, first: str, others: SeedValues, second: str, data: str
) -> list[float] | None:
    """One metric less another; None without pairs of seeds, without a difference, and where it is measured already."""
    one, other = _values(values, data, first), _values(others, data, second)
    if not len(one) == len(other) >= _FEWEST:
        return None
    apart = [a - b for a, b in zip(one, other, strict=True)]
    if not any(apart) or _measured(apart, values, data):
        return None
    mean, error = statistics.fmean(apart), error_of_mean(apart)
    mean = 0.0 if abs(mean) < _ROUNDING * max(map(abs, apart)) else mean
    short = [float(f"{value:.4g}") for value in (mean, error)]
    return [*short, sum(a > 0 for a in apart), sum(a < 0 for a in apart)]
