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
from orchestrator.template.comparisons import seed_values
from orchestrator.template.results import SeedValues

_MOST_PAIRS = 3
_FEWEST = 2  # seeds
_ROUNDING = 1e-6  # of the largest difference; a mean below it is 0 but for how numbers are stored


def gap_table(study: Study, blobs: Blobs, runs: tuple[Run, ...]) -> dict[str, Any]:
    """A row for each data set and pair of metrics, a column for each of ``runs`` that measured both: ``[difference,
    error, seeds higher, seeds lower]``, of the first metric less the second.
    """
    known = {run.name: seed_values(run, blobs) for run in runs}
    rows = [
        row
        for first, second in islice(_pairs(study), _MOST_PAIRS)
        for data in dict.fromkeys(name for values in known.values() for name in values)
        if (row := _row(known, data, first, second))
    ]
    return as_table(rows) if rows else {}


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


def _row(known: dict[str, SeedValues], data: str, first: str, second: str) -> dict[str, Any]:
    cells = dict[str, list[float]]()
    for run, values in known.items():
        rows = [_values(values, data, name) for name in (first, second)]
        if len(rows[0]) == len(rows[1]) >= _FEWEST:
            apart = [one - other for one, other in zip(*rows, strict=True)]
            if any(apart) and not _measured(apart, values, data):
                cells[run] = _cell(apart)
    if not cells:
        return {}
    # A column for each run, also where it has nothing, so that the rows are alike.
    return {"data_set": data, "pair": f"{first} less {second}"} | {
        run: cells.get(run) for run in known
    }


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


def _cell(apart: list[float]) -> list[float]:
    mean, error = statistics.fmean(apart), statistics.stdev(apart) / math.sqrt(len(apart))
    mean = 0.0 if abs(mean) < _ROUNDING * max(map(abs, apart)) else mean
    short = [float(f"{value:.4g}") for value in (mean, error)]
    return [*short, sum(one > 0 for one in apart), sum(one < 0 for one in apart)]
