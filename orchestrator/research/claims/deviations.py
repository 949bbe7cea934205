"""Standard deviations of the values per seed: where a text says that it prints them, and what they are."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator

from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.ledger import Cell, Ledger
from orchestrator.research.claims.scope import Scope

DEVIATION = re.compile(
    r"\bstandard deviations?\b|\bstd(?:ev|s)?\b\.?|\bstd\.? ?devs?\b|\bs\.d\.|\bSDs?\b",
    re.IGNORECASE,
)
_STANDARD_ERROR = re.compile(
    r"\bstandard errors?\b|\bstderr|\bs\.e\.(?:m\.)?|\bSEM?\b", re.IGNORECASE
)


def says_deviation(text: str) -> bool:
    return bool(DEVIATION.search(text))


def only_deviations(text: str) -> bool:
    """Whether the errors of a text are said to be deviations, and none to be a standard error."""
    return says_deviation(text) and not _STANDARD_ERROR.search(text)


def deviation_facts(scope: Scope, dataset: str, metric: str, ledger: Ledger) -> Iterator[Fact]:
    """The standard deviation of each run of a scope over its seeds, of a sample and of a population."""
    for run in scope.runs:
        cell = ledger.cells.get((run, dataset, metric))
        for value in _deviations(cell, dataset, ledger) if cell is not None else ():
            yield Fact(kind="deviation", value=value, run=run, dataset=dataset, metric=metric)


def has_deviation(scope: Scope, dataset: str, metric: str, ledger: Ledger) -> bool:
    return any(True for _ in deviation_facts(scope, dataset, metric, ledger))


def _deviations(cell: Cell, dataset: str, ledger: Ledger) -> tuple[float, ...]:
    if len(cell.values) > 1:
        return statistics.stdev(cell.values), statistics.pstdev(cell.values)
    count = dict(ledger.counts).get(f"seeds of {dataset}", 0)
    if cell.error is None or count < 2:
        return ()
    sample = cell.error * math.sqrt(count)
    return sample, sample * math.sqrt((count - 1) / count)
