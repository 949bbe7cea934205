"""A small made ledger, and the rows of a table that is printed from it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.core.research import Direction
from orchestrator.research.claims.ledger import Cell, KnownMetric, KnownRun, Ledger

SEEDS = (0.25, 0.5, 0.75)


def known(
    runs: Iterable[str] = ("baseline", "less decay"),
    datasets: Iterable[str] = ("plus",),
    metrics: Iterable[str] = ("loss",),
    direction: Direction = "lower",
) -> Ledger:
    """A ledger in which every cell is another, of three seeds."""
    runs, datasets, metrics = tuple(runs), tuple(datasets), tuple(metrics)
    cells = {
        (run, dataset, metric): Cell(1 + run + d / 8 + m / 64, 0.125, tuple(run + v for v in SEEDS))
        for run in range(len(runs))
        for d, dataset in enumerate(datasets)
        for m, metric in enumerate(metrics)
    }
    return Ledger(
        runs=tuple(KnownRun(number=n, name=name) for n, name in enumerate(runs)),
        datasets=datasets,
        metrics=tuple(
            KnownMetric(name=name, unit="nats", direction=direction, headline=True)
            for name in metrics
        ),
        cells=cells,
    )


def changed(ledger: Ledger, **cells: Cell) -> Ledger:
    """``ledger`` with these cells, named ``run_dataset_metric`` with the run's number."""
    places = {}
    for name, cell in cells.items():
        run, dataset, metric = name.removeprefix("r").split("_")
        places[int(run), dataset, metric] = cell
    return Ledger(
        runs=ledger.runs,
        datasets=ledger.datasets,
        metrics=ledger.metrics,
        cells={**ledger.cells, **places},
    )


def rows(text: str) -> list[list[str]]:
    """The cells of each row below the heading."""
    found = re.findall(r"^(.+) \\tabularnewline$", text, re.MULTILINE)
    return [row.split(" & ") for row in found]
