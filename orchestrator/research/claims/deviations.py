"""Standard deviations of the values per seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.ledger import Cell, Ledger
from orchestrator.research.claims.scope import Scope


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
