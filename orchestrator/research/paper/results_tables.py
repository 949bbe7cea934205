"""The tables of results: every declared headline metric of every run, by data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.paper.cells import (
    column_width,
    dataset_name,
    first_column,
    heading_rows,
    metric_heading,
    named_row,
    printed_cell,
    run_name,
    seeds_of,
)
from orchestrator.research.paper.equal_results import (
    equal_places,
    equal_runs,
    run_in_prose,
    said_of_places,
    said_of_runs,
)
from orchestrator.research.paper.floats import (
    COLUMN,
    Block,
    Table,
    floats,
    printed_length,
    shares,
    spaced,
)

_UNDECLARED = 4  # metrics that are shown of a study that declares none
_LONGEST_SENTENCE = (
    1500  # characters of what is equal in every run; beyond them it is shown as rows
)


@dataclass(frozen=True, slots=True)
class _Panel:
    """Data sets that are shown with the same columns."""

    datasets: tuple[str, ...]
    metrics: tuple[str, ...]


def results_tables(ledger: Ledger) -> tuple[str, ...]:
    """The headline metrics as floats, the first with the label ``tab:results``; none without results.

    What is equal in every run is left out, and said with its value in the first caption.
    """
    headline = ledger.headline or tuple(one.name for one in ledger.metrics[:_UNDECLARED])
    equal = equal_places(ledger, headline)
    panels = _panels(ledger, headline, equal)
    said = said_of_places(ledger, equal)
    if not panels or len(said) > _LONGEST_SENTENCE:
        panels, said = _panels(ledger, headline, ()), ""
    parts = [(panel, part) for panel in panels for part in _columns(ledger, panel)]
    tables = []
    for at, (panel, metrics) in enumerate(parts):
        part = f"Results ({at + 1} of {len(parts)})" if len(parts) > 1 else "Results"
        one = len(panel.datasets) == 1
        where = f" on {dataset_name(panel.datasets[0])}" if one else ""
        copies = equal_runs(ledger, panel.datasets, metrics)
        caption = f"{part}{where}: {said_of_seeds(ledger, panel.datasets, metrics)}"
        if any(ledger.metric(name).direction != "none" for name in metrics):
            caption += " Arrows point to the better side."
        label = f"tab:results-{at + 1}" if at else "tab:results"
        if len(alike := said_of_runs(ledger, copies)) > _LONGEST_SENTENCE:
            copies, alike = {}, ""
        caption += alike + ("" if at else said)
        if at + 1 < len(parts):
            caption += rf" Continued in Table~\ref{{tab:results-{at + 2}}}."
        shown = [run for run in ledger.numbers if run not in copies]
        tables.append(_table(ledger, panel, metrics, shown, caption, label))
    return spaced(text for table in tables for text in floats(table))


def _panels(
    ledger: Ledger, headline: Sequence[str], left_out: Sequence[tuple[str, str]]
) -> tuple[_Panel, ...]:
    """Data sets that share a metric share a table; cells that none of them has are no columns. The table
    of the metric that comes first in ``headline`` is the first.
    """
    panels: list[_Panel] = []
    for dataset in ledger.datasets:
        metrics = {
            metric
            for metric in headline
            if (dataset, metric) not in left_out
            and any((run, dataset, metric) in ledger.cells for run in ledger.numbers)
        }
        if not metrics:
            continue
        sharing = [panel for panel in panels if metrics & {*panel.metrics}]
        every = metrics.union(*(panel.metrics for panel in sharing))
        datasets = (*(name for panel in sharing for name in panel.datasets), dataset)
        panels = [panel for panel in panels if panel not in sharing]
        panels.append(_Panel(datasets, tuple(name for name in headline if name in every)))
    return tuple(sorted(panels, key=lambda panel: headline.index(panel.metrics[0])))


def _columns(ledger: Ledger, panel: _Panel) -> list[tuple[str, ...]]:
    """The metrics of each table of a panel."""
    _, fixed = first_column([run_name(run) for run in ledger.runs])
    widths = [_width(ledger, panel, metric) for metric in panel.metrics]
    return [panel.metrics[part] for part in shares(widths, fixed)]


def _cells(ledger: Ledger, panel: _Panel, metric: str) -> list[str]:
    return [
        printed_cell(ledger.cells.get((run, dataset, metric)))
        for dataset in panel.datasets
        for run in ledger.numbers
    ]


def _heading(ledger: Ledger, panel: _Panel, metric: str) -> tuple[str, ...]:
    longest = max(map(printed_length, _cells(ledger, panel, metric)))
    return metric_heading(ledger.metric(metric), max(longest + 1, 11))


def _width(ledger: Ledger, panel: _Panel, metric: str) -> float:
    return column_width(_cells(ledger, panel, metric), _heading(ledger, panel, metric))


def _table(
    ledger: Ledger,
    panel: _Panel,
    metrics: tuple[str, ...],
    runs: Sequence[int],
    caption: str,
    label: str,
) -> Table:
    several = len(panel.datasets) > 1
    names = {run: run_name(ledger.run(run)) for run in runs}
    column, fixed = first_column([*names.values()])
    indent = r"\quad " if several and column == "l" else ""
    blocks = [
        Block(
            tuple(
                named_row(indent + names[run], cells, column)
                for run, cells in _rows(ledger, runs, dataset, metrics)
            ),
            dataset_name(dataset) + _one_seed(ledger, dataset) if several else "",
        )
        for dataset in panel.datasets
    ]
    width = fixed + sum(_width(ledger, panel, metric) for metric in metrics)
    return Table(
        caption=caption,
        label=label,
        columns=column + "r" * len(metrics),
        count=1 + len(metrics),
        heading=heading_rows("Run", [_heading(ledger, panel, metric) for metric in metrics]),
        blocks=tuple(blocks),
        wide=width > COLUMN,
    )


def _rows(
    ledger: Ledger, runs: Sequence[int], dataset: str, metrics: Sequence[str]
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each run; a run that equals an earlier one in all of them says so."""
    copies = equal_runs(ledger, [dataset], metrics)
    for run in runs:
        if run in copies and copies[run] in runs:
            same = f"as {run_in_prose(ledger, copies[run])}"
            yield run, [rf"\multicolumn{{{len(metrics)}}}{{c}}{{{same}}}"]
        else:
            yield run, [printed_cell(ledger.cells.get((run, dataset, one))) for one in metrics]


def _one_seed(ledger: Ledger, dataset: str) -> str:
    return " (one seed)" if seeds_of(ledger, dataset) == (1,) else ""


def said_of_seeds(ledger: Ledger, datasets: Sequence[str], metrics: Sequence[str]) -> str:
    """What the cells are, and of how many seeds, in a sentence."""
    kinds: dict[str, list[str]] = {}
    for dataset in datasets:
        kinds.setdefault(_kind(ledger, dataset, metrics), []).append(dataset_name(dataset))
    if len(kinds) == 1:
        return f"{next(iter(kinds))}."
    return "; ".join(f"{kind} ({', '.join(names)})" for kind, names in kinds.items()) + "."


def _kind(ledger: Ledger, dataset: str, metrics: Sequence[str]) -> str:
    counts = seeds_of(ledger, dataset)
    if counts == (1,):
        return "one seed"
    cells = [
        printed_cell(ledger.cells.get((run, dataset, metric)))
        for run in ledger.numbers
        for metric in metrics
    ]
    mean = r"mean $\pm$ standard error" if any(r"\pm" in cell for cell in cells) else "mean"
    if not counts:
        return mean
    return f"{mean} over {' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} seeds"
