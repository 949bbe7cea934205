"""The table of differences: each run against its base and the baseline, in the headline metrics."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.research.claims.ledger import Ledger, RunDifference
from orchestrator.research.claims.places import compared_pairs, difference_name, differs
from orchestrator.research.paper.cells import (
    dataset_name,
    first_column,
    metric_label,
    named_row,
    printed_value,
    run_name,
)
from orchestrator.research.paper.floats import Block, Table, TableRow, floats

_HEADING = r"Run & less & difference & seeds & higher & lower & clear"


def differences_table(ledger: Ledger) -> str:
    """A table for each data set, each row the target of a link; empty if no runs differ."""
    tables = (
        _table(ledger, dataset, f"tab:differences-{at + 1}")
        for at, dataset in enumerate(ledger.datasets)
    )
    return "\n\n".join(text for table in tables if table.blocks for text in floats(table))


def _table(ledger: Ledger, dataset: str, label: str) -> Table:
    kind, _ = first_column([run_name(run) for run in ledger.runs])
    blocks = [
        Block(tuple(_rows(ledger, dataset, metric, kind)), metric_label(ledger.metric(metric)))
        for metric in ledger.headline
        if differs(ledger, dataset, metric)
    ]
    return Table(
        caption=f"Differences on {dataset_name(dataset)}, and in how many seeds the run is higher and "
        "lower.",
        label=label,
        columns=kind * 2 + "rrrrl",
        count=7,
        heading=(_HEADING,),
        blocks=tuple(blocks),
        wide=True,
        stays=True,
    )


def _rows(ledger: Ledger, dataset: str, metric: str, kind: str) -> Iterator[TableRow]:
    for run, other in compared_pairs(ledger):
        found = ledger.difference(run, other, dataset, metric)
        if found is None:
            continue
        values = ledger.cells[run, dataset, metric].values
        target = difference_name(ledger, run, other, dataset, metric)
        less = run_name(ledger.run(other))
        cells = _cells(found, len(values))
        cells[0] = rf"\hypertarget{{{target}}}{{{cells[0]}}}"
        first = rf"\raggedright {less}" if kind != "l" else less
        yield named_row(run_name(ledger.run(run)), [first, *cells], kind)


def _cells(found: RunDifference, seeds: int) -> list[str]:
    """Difference, seeds, how many are higher and lower, whether it is clear; no error of one seed."""
    if seeds == 1:
        return [_signed(found.value, None), "1", "--", "--", "--"]
    clear = "yes" if found.clear else "no"
    if found.higher is None or found.lower is None:
        return [_signed(found.value, found.error), "--", "--", "--", clear]
    counts = [str(seeds), str(found.higher), str(found.lower)]
    return [_signed(found.value, found.error), *counts, clear]


def _signed(value: float, error: float | None) -> str:
    digits = printed_value(value, error)
    return f"$+{digits.removeprefix('$')}" if value > 0 else digits
