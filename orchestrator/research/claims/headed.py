"""A cell of a table read under its heads: the run, data set and metric that stand above it and before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.quantity import Quantity
from orchestrator.research.claims.scope import Scope
from orchestrator.research.claims.table_names import (
    data_of_cell,
    head_named,
    metrics_of_cell,
    runs_in_head,
    runs_of_cell,
)
from orchestrator.research.paper.prose import Sentence
from orchestrator.research.paper.table_heads import TableCell

_ASIDE = re.compile(r"\([^()]*\b(?:is|are) better\)", re.IGNORECASE)
_UNIT = re.compile(r"[(\[]\s*(?:in\s+)?([A-Za-z]{1,12})\s*[)\]]|\bin ([a-z]{1,12})$")
_SHORT = re.compile(r"(?<![(\[\w])(min|max)\b\.?(?!imum)", re.IGNORECASE)
_SEED = re.compile(r"\bseeds?\b\D{0,4}(\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HeadedNumber:
    """A number of a cell as if it stood in a sentence of its own: behind the heads, before the unit that they say."""

    number: Printed
    text: str
    seen: Named
    scope: Scope
    bound: bool  # heads or caption name the run, the data set or the metric
    on_data: bool  # they name the data set
    seed: int | None = None
    label: str = ""  # what a number says that is no result: which run a row is of


def headed(
    number: Printed, sentence: Sentence, seen: Named, scope: Scope, ledger: Ledger
) -> HeadedNumber | None:
    """A number of a table's row under its heads; None where it stands in no cell."""
    cell = cell_at(sentence, number.start)
    if cell is None:
        return None
    ahead = " ".join(filter(None, (cell.block, cell.row, cell.column)))
    ahead = _SHORT.sub(lambda match: f"{match[1]}imum", _ASIDE.sub(" ", ahead)) + " "
    said = seen.masked[cell.start : cell.end]
    unit = _UNIT.search(cell.column) or _UNIT.search(cell.row)
    behind = f" {unit[1] or unit[2]}" if unit and not re.search(r"[A-Za-z]", said) else ""
    moved = len(ahead) - cell.start
    text = ahead + said + behind
    within = _bound(cell, scope, ledger)
    return HeadedNumber(
        number=replace(number, start=number.start + moved, end=number.end + moved),
        text=text,
        seen=replace(
            head_named(ahead, ledger), masked=head_named(ahead, ledger).masked + said + behind
        ),
        scope=within,
        bound=within != scope,
        on_data=bool(data_of_cell(cell, ledger)),
        seed=_seed(cell, within, ledger),
        label=_label(number, cell, ledger),
    )


_CHANGE = re.compile(
    r"\b(?:change|diff\w*|delta|improvement|gain|reduction|vs|against|relative)\b|Δ", re.IGNORECASE
)
_RATIO = re.compile(r"\b(?:speed-?up|ratio|relative|factor|normali[sz]ed)", re.IGNORECASE)


def _label(number: Printed, cell: TableCell, ledger: Ledger) -> str:
    """Of the number of a run in the first column, and of the 1.0 by which the baseline is compared with itself."""
    if cell.start == 0 and re.match(rf"run {re.escape(number.text)}(?![\w.])", cell.row):
        return "the number of a run" if number.value in ledger.numbers else ""
    if number.value == 0 and _CHANGE.search(cell.column) and runs_in_head(cell.row, ledger) == (0,):
        return "the baseline less itself"
    ratio = number.times or _RATIO.search(cell.column)
    if ratio and number.value == 1 and runs_in_head(cell.row, ledger) == (0,):
        return "the baseline over itself"
    return ""


def cell_at(sentence: Sentence, place: int) -> TableCell | None:
    return next((one for one in sentence.cells if one.start <= place < one.end), None)


def headed_cell_problems(
    marks: Sequence[tuple[int, Quantity]], sentence: Sentence, ledger: Ledger
) -> list[str]:
    """The numbers by reference in a row's cells that are of another run, data set or metric than the heads name."""
    problems = []
    for place, one in marks:
        cell = cell_at(sentence, place)
        if cell is None or not one.metric:
            continue
        runs, other = runs_of_cell(cell, ledger)
        known = {one.run, one.against} & {*runs, *other}
        data = data_of_cell(cell, ledger)
        metrics = metrics_of_cell(cell, ledger)
        metrics += tuple(name for name in _longer(metrics, ledger) if name not in metrics)
        for wrong, what in (
            (runs and not known, "run"),
            (data and one.data not in data, "data set"),
            (metrics and one.metric not in metrics, "metric"),
        ):
            if wrong:
                problems.append(
                    f"its heads name another {what} than the number in the cell, which is of "
                    f"{ledger.run(one.run).label}, {one.data}, {one.metric}"
                )
                break
    return problems


def _longer(metrics: tuple[str, ...], ledger: Ledger) -> tuple[str, ...]:
    """The metrics whose names have more words than one of these, which an author may leave out."""
    names = [set(words.words_of(one)) - words.OPTIONAL for one in metrics]
    return tuple(
        one.name
        for one in ledger.metrics
        if any(own <= set(words.words_of(one.name)) for own in names)
    )


def _bound(cell: TableCell, scope: Scope, ledger: Ledger) -> Scope:
    runs, other = runs_of_cell(cell, ledger)
    data, metrics = data_of_cell(cell, ledger), metrics_of_cell(cell, ledger)
    if runs:
        scope = replace(
            scope, runs=runs, subjects=runs, objects=other, open_run=False, every_run=False
        )
    if data:
        scope = replace(scope, data=data, every_data=False)
    if metrics:
        scope = replace(scope, metrics=metrics, all_metrics=metrics)
    return scope


def _seed(cell: TableCell, scope: Scope, ledger: Ledger) -> int | None:
    """Which of the values per seed a cell holds; None where it holds a mean."""
    counts = {
        len(cell_.values)
        for (run, _, metric), cell_ in ledger.cells.items()
        if run in scope.runs and metric in (scope.metrics or (metric,)) and cell_.values
    }
    if cell.seed is not None:
        place, count = cell.seed
        return place if counts == {count} else None
    match = _SEED.search(cell.row)
    seeds = sorted(ledger.seeds)
    if match is None or match[1] is None:
        return None
    number = int(match[1])
    return seeds.index(number) if number in seeds and counts == {len(seeds)} else None
