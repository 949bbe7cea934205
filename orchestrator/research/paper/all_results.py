"""The tables of all results: every metric of every run, and the values of each seed.

Each value is the target of a link, so a number in the text can lead to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.research.claims.ledger import AVERAGE, CellPlace, KnownRun, Ledger
from orchestrator.research.claims.places import cell_target
from orchestrator.research.paper.cells import (
    LONGEST_LABEL,
    column_width,
    dataset_name,
    first_column,
    heading,
    heading_rows,
    metric_label,
    named_row,
    printed_cell,
    printed_short,
    run_name,
)
from orchestrator.research.paper.floats import (
    PAGE,
    SMALLEST,
    Block,
    Table,
    TableRow,
    floats,
    shares,
)
from orchestrator.research.paper.results_tables import said_of_seeds

_IN_A_ROW = 12  # values of seeds
_TOGETHER = 10  # lines of a run that no page divides


def all_results(ledger: Ledger, *, averages: bool = True) -> str:
    r"""Tables of all metrics by data set, then of the headline metrics' values per seed. ``averages``:
    with the means over the data sets.

    The text needs ``hyperref`` for ``\hypertarget``.
    """
    datasets = (*ledger.datasets, AVERAGE) if averages else ledger.datasets
    means = [
        text
        for at, dataset in enumerate(datasets)
        for table in _means(ledger, dataset, f"tab:all-{at + 1}")
        for text in floats(table)
    ]
    seeds = [
        text
        for at, dataset in enumerate(ledger.datasets)
        for table in _seeds(ledger, dataset, f"tab:seeds-{at + 1}")
        for text in floats(table)
    ]
    return "\n\n".join([*means, *seeds])


def _means(ledger: Ledger, dataset: str, label: str) -> Iterator[Table]:
    """A row per metric, a column per run; several tables if there are many runs."""
    measured = {name for _, place, name in ledger.cells if place == dataset}
    metrics = [one for one in ledger.metrics if one.name in measured]
    if not metrics:
        return

    def column(run: KnownRun) -> list[str]:
        return [printed_cell(ledger.cells.get((run.number, dataset, one.name))) for one in metrics]

    labels = [metric_label(one) for one in metrics]
    kind, fixed = first_column(labels, LONGEST_LABEL)
    headings = {
        run.number: heading("baseline" if run.number == 0 else run.name, 13) for run in ledger.runs
    }
    widths = [column_width(column(run), headings[run.number]) for run in ledger.runs]
    parts = shares(widths, fixed)
    for at, part in enumerate(parts):
        runs = ledger.runs[part]
        rows = tuple(
            named_row(
                label,
                [_linked(ledger, (run.number, dataset, one.name)) for run in runs],
                kind,
                LONGEST_LABEL,
            )
            for label, one in zip(labels, metrics, strict=True)
        )
        yield Table(
            caption=_caption(ledger, dataset, [one.name for one in metrics], at, len(parts)),
            label=f"{label}-{at + 1}",
            columns=kind + "r" * len(runs),
            count=1 + len(runs),
            heading=heading_rows("Metric", [headings[run.number] for run in runs]),
            blocks=(Block(rows),),
            wide=True,
            stays=True,
        )


def _linked(ledger: Ledger, place: CellPlace) -> str:
    cell = ledger.cells.get(place)
    text = printed_cell(cell)
    return text if cell is None else rf"\hypertarget{{{cell_target(ledger, *place)}}}{{{text}}}"


def _numbered(ledger: Ledger, count: int) -> str:
    """The seeds' numbers, where just so many of all seeds follow each other."""
    rows = list[list[int]]()
    for seed in sorted(ledger.seeds):
        if rows and seed == rows[-1][-1] + 1:
            rows[-1].append(seed)
        else:
            rows.append([seed])
    fitting = [row for row in rows if len(row) == count]
    return f", {fitting[0][0]} to {fitting[0][-1]}" if len(fitting) == 1 else ""


def _caption(ledger: Ledger, dataset: str, metrics: list[str], part: int, parts: int) -> str:
    several = f", runs {part + 1} of {parts}" if parts > 1 else ""
    if dataset == AVERAGE:
        return f"Means over the data sets that have a metric{several}."
    said = said_of_seeds(ledger, [dataset], metrics)
    return f"All metrics on {dataset_name(dataset)}{several}: {said}"


def _seeds(ledger: Ledger, dataset: str, label: str) -> Iterator[Table]:
    """The values of each seed, by headline metric; none for a data set with one seed."""
    values = {
        (run.number, metric): cell.values
        for metric in ledger.headline
        for run in ledger.runs
        if (cell := ledger.cells.get((run.number, dataset, metric))) and cell.values
    }
    most = max(map(len, values.values()), default=0)
    if most < 2:
        return
    kind, fixed = first_column([run_name(run) for run in ledger.runs])
    width = column_width([printed_short(value) for row in values.values() for value in row], [])
    count = max(min(most, _IN_A_ROW, int((PAGE / SMALLEST - fixed) / width)), 1)
    blocks = [_block(ledger, metric, values, count, kind) for metric in ledger.headline]
    yield Table(
        caption=f"Values of each seed on {dataset_name(dataset)}, in the order of the seeds{_numbered(ledger, most)}.",
        label=label,
        columns=kind + "r" * count,
        count=1 + count,
        heading=(rf"Run & \multicolumn{{{count}}}{{c}}{{values, one for each seed}}",),
        blocks=tuple(block for block in blocks if block.rows),
        wide=True,
        stays=True,
    )


def _block(
    ledger: Ledger,
    metric: str,
    values: Mapping[tuple[int, str], tuple[float, ...]],
    count: int,
    kind: str,
) -> Block:
    """The values of one metric; a run whose values are all the baseline's has one short row."""
    first = values.get((0, metric))
    rows = []
    for run in ledger.runs:
        row = values.get((run.number, metric))
        if row and row == first and run.number:
            same = rf"\multicolumn{{{count}}}{{c}}{{as the baseline}}"
            rows.append(named_row(run_name(run), [same], kind))
        elif row:
            rows += _rows(run_name(run), tuple(map(printed_short, row)), count, kind)
    return Block(tuple(rows), metric_label(ledger.metric(metric)))


def _rows(name: str, values: tuple[str, ...], count: int, kind: str) -> Iterator[TableRow]:
    """The values of a run, ``count`` on a line; a few lines stay together on a page."""
    lines = [values[at : at + count] for at in range(0, len(values), count)]
    rows = [named_row("" if at else name, line, kind) for at, line in enumerate(lines)]
    for at in range(0, len(rows), _TOGETHER):
        part = rows[at : at + _TOGETHER]
        yield TableRow(
            " \\tabularnewline\n".join(row.tex for row in part), sum(row.lines for row in part)
        )
