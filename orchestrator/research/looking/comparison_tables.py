"""Comparisons as prompts show them: a table for each data set, a row a pair of runs and a column a metric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from orchestrator.research.prompts import as_table, from_table

COMPARED = ("difference", "error", "seeds_higher", "seeds_lower", "verdict")
"""What a cell holds."""
_VERDICTS = {
    "better": "better", "worse": "worse", "different": "differs", "within": "no clear difference",
    "no difference": "the same", "no error": "no error known",
}  # fmt: skip
"""How a verdict begins, and how a table says it."""
_MOST_COLUMNS = 12  # of a row that is read by its places; a longer one names each metric


class Compared(NamedTuple):
    """One cell: two runs on a data set in a metric."""

    run: str
    against: str
    dataset: str
    metric: str
    difference: float
    error: float | None
    verdict: str


def comparison_tables(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of ``comparison_rows`` by data set, pair and metric."""
    tables: dict[str, dict[str, dict[str, list[Any]]]] = {}
    for row in rows:
        words = next(
            (word for start, word in _VERDICTS.items() if row["verdict"].startswith(start)), ""
        )
        cell = [*(row[key] for key in ("difference", "error", "higher", "lower")), words]
        pairs = tables.setdefault(row["dataset"], {})
        pairs.setdefault(f"{row['run']} against {row['against']}", {})[row["metric"]] = cell
    return {"cell": COMPARED, "data_sets": {name: _table(pairs) for name, pairs in tables.items()}}


def _table(pairs: Mapping[str, Mapping[str, list[Any]]]) -> Mapping[str, Any]:
    metrics = dict.fromkeys(metric for cells in pairs.values() for metric in cells)
    if len(metrics) > _MOST_COLUMNS:
        return pairs
    return as_table([
        {"pair": pair, **{metric: cells.get(metric) for metric in metrics}}
        for pair, cells in pairs.items()
    ])  # fmt: skip


def compared_cells(tables: Mapping[str, Any]) -> Iterator[Compared]:
    """The cells of :func:`comparison_tables` again."""
    for dataset, table in tables.get("data_sets", {}).items():
        pairs = table
        if "columns" in table:
            pairs = {row.pop("pair"): row for row in from_table(table)}
        for pair, cells in pairs.items():
            run, _, against = pair.partition(" against ")
            for metric, cell in cells.items():
                if cell is not None:
                    yield Compared(run, against, dataset, metric, cell[0], cell[1], cell[-1])
