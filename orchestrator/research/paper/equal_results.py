"""What is equal in runs by construction: told once, in a sentence, and not in every row of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.research.claims.ledger import Cell, Ledger
from orchestrator.research.paper.cells import dataset_name, printed_cell, run_name
from orchestrator.research.paper.tables import breakable, metric_words


def equal_places(ledger: Ledger, headline: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(data set, metric) of what shows nothing of what the runs changed: whole data sets and columns."""
    measured = [
        (dataset, metric)
        for dataset in ledger.datasets
        for metric in headline
        if any((run, dataset, metric) in ledger.cells for run in ledger.numbers)
    ]
    same = {place for place in measured if len(ledger.runs) > 1 and _same(ledger, *place)}
    return tuple(
        (dataset, metric)
        for dataset, metric in measured
        if same.issuperset(place for place in measured if place[0] == dataset)
        or same.issuperset(place for place in measured if place[1] == metric)
    )


def _same(ledger: Ledger, dataset: str, metric: str) -> bool:
    cells = [ledger.cells.get((run, dataset, metric)) for run in ledger.numbers]
    return None not in cells and len({(one.mean, one.error) for one in cells if one}) == 1


def said_of_places(ledger: Ledger, equal: Sequence[tuple[str, str]]) -> str:
    """Metrics with the value that every run has, as a sentence of a caption."""
    by_metric: dict[str, list[str]] = {}
    for dataset, metric in equal:
        value = printed_cell(ledger.cells[ledger.numbers[0], dataset, metric])
        by_metric.setdefault(metric, []).append(f"{value} on {dataset_name(dataset)}")
    alike = [
        f"{breakable(metric_words(metric))} {', '.join(values)}"
        for metric, values in by_metric.items()
    ]
    return f" Equal in every run, and left out: {'; '.join(alike)}." if alike else ""


def equal_runs(ledger: Ledger, datasets: Sequence[str], metrics: Sequence[str]) -> dict[int, int]:
    """The runs that equal an earlier one in all cells of a table, each with the first that it equals."""
    places = [(dataset, metric) for dataset in datasets for metric in metrics]
    first: dict[tuple[Cell | None, ...], int] = {}
    copies = {}
    for run in ledger.numbers:
        cells = tuple(ledger.cells.get((run, *place)) for place in places)
        if any(cells) and first.setdefault(cells, run) != run:
            copies[run] = first[cells]
    return copies


def said_of_runs(ledger: Ledger, copies: Mapping[int, int]) -> str:
    """Which runs equal which, as a sentence of a caption."""
    alike: dict[int, list[str]] = {}
    for run, first in copies.items():
        alike.setdefault(first, []).append(rf"\textit{{{run_name(ledger.run(run))}}}")
    said = [f"{', '.join(runs)} (as {run_in_prose(ledger, one)})" for one, runs in alike.items()]
    return f" Equal to another run, and left out: {'; '.join(said)}." if said else ""


def run_in_prose(ledger: Ledger, run: int) -> str:
    return rf"\textit{{{run_name(ledger.run(run))}}}" if run else "the baseline"
