"""The facts that a number may state: values, errors, changes and ratios of the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator.research.claims.ledger import (
    AVERAGE,
    Ledger,
)
from orchestrator.research.claims.scope import Scope

FactKind = Literal[
    "value",
    "error",
    "difference",
    "percent",
    "ratio",
    "spread",
    "combined",
    "errors",
    "deviation",
    "extreme",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A quantity of the record: of one run, or of ``run`` less, or over, ``against``."""

    kind: FactKind
    value: float
    run: int
    dataset: str
    metric: str
    against: int | None = None

    @property
    def place(self) -> tuple[int, int | None, str, str]:
        """What it is of: a number and its error have the same."""
        return self.run, self.against, self.dataset, self.metric

    def source(self, ledger: Ledger) -> str:
        """Where it was measured, in one line."""
        data = "mean over the data sets" if self.dataset == AVERAGE else self.dataset
        place = f"{data}, {self.metric}"
        if self.against is None:
            return f"{ledger.run(self.run).label}, {place}: {_SAID[self.kind]}"
        other = ledger.run(self.against).label
        return f"{ledger.run(self.run).label} against {other}, {place}: {_SAID[self.kind]}"


_SAID: dict[FactKind, str] = {
    "value": "mean", "error": "standard error", "difference": "difference", "spread": "one seed's value",
    "percent": "percent change", "deviation": "standard deviation", "extreme": "mean, the extreme one of all runs", "ratio": "ratio", "combined": "error of the difference", "errors": "difference in standard errors",
}  # fmt: skip


def pairs_of(scope: Scope, ledger: Ledger) -> Iterator[tuple[int, int]]:
    """(run, other) that a change may be of."""
    subjects = list(scope.subjects) or list(scope.runs)
    objects = list(scope.objects)
    if not objects:
        objects = [0, *(ledger.run(n).base for n in subjects), *scope.subjects]
    seen = set()
    for one in subjects:
        for other in objects:
            if one != other and (one, other) not in seen:
                seen.add((one, other))
                yield one, other


def difference_facts(
    pairs: tuple[tuple[int, int], ...], dataset: str, metric: str, ledger: Ledger
) -> Iterator[Fact]:
    for run, other in pairs:
        found = ledger.difference(run, other, dataset, metric)
        if found is not None:
            yield _of_pair("difference", found.value, (run, other), dataset, metric)


def percents(
    pairs: tuple[tuple[int, int], ...], dataset: str, metric: str, ledger: Ledger
) -> Iterator[Fact]:
    for fact in ratios(pairs, dataset, metric, ledger, inverse=False):
        yield replace(fact, kind="percent", value=(fact.value - 1) * 100)


def ratios(
    pairs: tuple[tuple[int, int], ...],
    dataset: str,
    metric: str,
    ledger: Ledger,
    *,
    inverse: bool = True,
) -> Iterator[Fact]:
    for run, other in pairs:
        one, two = (ledger.cells.get((n, dataset, metric)) for n in (run, other))
        if one is None or two is None:
            continue
        if two.mean:
            yield _of_pair("ratio", one.mean / two.mean, (run, other), dataset, metric)
        if inverse and one.mean:
            yield _of_pair("ratio", two.mean / one.mean, (run, other), dataset, metric)


def error_facts(
    scope: Scope, pairs: tuple[tuple[int, int], ...], dataset: str, metric: str, ledger: Ledger
) -> Iterator[Fact]:
    for run in scope.runs:
        cell = ledger.cells.get((run, dataset, metric))
        if cell is not None and cell.error is not None:
            yield Fact(kind="error", value=cell.error, run=run, dataset=dataset, metric=metric)
    for run, other in pairs:
        found = ledger.difference(run, other, dataset, metric)
        if found is not None and found.error is not None:
            yield _of_pair("combined", found.error, (run, other), dataset, metric)


def _of_pair(
    kind: FactKind, value: float, pair: tuple[int, int], dataset: str, metric: str
) -> Fact:
    run, against = pair
    return Fact(kind=kind, value=value, run=run, against=against, dataset=dataset, metric=metric)
