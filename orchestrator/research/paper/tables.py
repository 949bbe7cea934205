"""The tables of a paper, made by the program from the recorded results.

A model writes the marker of a table; the program replaces it with the table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.core.research import BASELINE, Run
from orchestrator.research.paper.floats import (
    Block,
    Table,
    TableRow,
    floats,
    printed_length,
    spaced,
)
from orchestrator.research.paper.latex import escape
from orchestrator.research.paper.numbers import format_error, format_mean
from orchestrator.template.manifest import Metric
from orchestrator.template.results import Results

RESULTS_MARKER = "RESULTS TABLE HERE"
RUNS_MARKER = "RUNS TABLE HERE"
_MAX_COLUMNS = 4  # metrics; more would not fit the width of a page
_LONG = 16  # characters of a word that fits every cell
_PIECE = 10  # of one between two places where it may break
_MAX_ROW = 125  # characters in a row's source; a table with longer rows is scaled to the page

_WORDS = {"val": "validation", "acc": "accuracy", "avg": "average", "std": "deviation"}


# Stages that hold no ledger call this one, until they call results_tables of results_tables.py.
def results_table(
    results: Sequence[tuple[int, Results]],
    headline: Sequence[str],
    metrics: Mapping[str, Metric],
    names: Mapping[int, str],
) -> str:
    """A row per run, by data set: the headline metrics, or else the first measured, with errors. What is
    equal in every run is left out, and said in the caption.
    """
    measured = list(dict.fromkeys(m for _, result in results for m in result.metrics))
    wanted = ([name for name in headline if name in measured] or measured)[:_MAX_COLUMNS]
    datasets = list(dict.fromkeys(d for _, result in results for d in result.datasets))
    equal = [name for name in datasets if _same_in_every_run(results, name, wanted)]
    different = [name for name in datasets if name not in equal]
    shown = _measuring(results, different, wanted) or datasets
    columns = [metric for metric in wanted if _measuring(results, shown, [metric])]
    rows = []
    for dataset in shown:
        rows.append(r"\midrule")
        for number, result in results:
            cells = [_cell(result, dataset, metric) for metric in columns]
            place = [rf"\texttt{{{escape(dataset)}}}"] if len(shown) > 1 else []
            rows.append(" & ".join([*place, named_run(number, names[number]), *cells]) + r" \\")
    first = ["Data set", "Run"] if len(shown) > 1 else ["Run"]
    heading = " & ".join([*first, *(_heading(name, metrics) for name in columns)])
    table = [
        rf"\begin{{tabular}}{{{'l' * len(first)}{'r' * len(columns)}}}",
        r"\toprule",
        heading + r" \\",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if max(map(len, [heading, *rows])) > _MAX_ROW:
        table = [r"\resizebox{\linewidth}{!}{%", *table, "}"]
    return _float(_caption(results, shown, equal, columns, wanted, metrics), "tab:results", table)


def _caption(
    results: Sequence[tuple[int, Results]],
    shown: list[str],
    equal: list[str],
    columns: list[str],
    wanted: list[str],
    metrics: Mapping[str, Metric],
) -> str:
    where = rf" on \texttt{{{escape(shown[0])}}}" if len(shown) == 1 else ""
    said = rf"Mean $\pm$ standard error over the seeds{where}, for every run."
    if {metrics[name].direction for name in columns if name in metrics} & {"lower", "higher"}:
        said += " Arrows point to the better side."
    alike = [
        rf"{escape(metric_words(metric))} on \texttt{{{escape(name)}}} {_cell(results[0][1], name, metric)}"
        for name in equal
        for metric in wanted
        if _measures(results[0][1], name, [metric])
    ]
    return said + (f" Equal in every run and left out: {', '.join(alike)}." if alike else "")


def _same_in_every_run(
    results: Sequence[tuple[int, Results]], dataset: str, metrics: list[str]
) -> bool:
    """Whether a data set shows nothing of what the runs changed."""
    rows = {tuple(_cell(one, dataset, metric) for metric in metrics) for _, one in results}
    measured = any(_measures(one, dataset, metrics) for _, one in results)
    return measured and len(results) > 1 and len(rows) == 1


def _measuring(
    results: Sequence[tuple[int, Results]], datasets: list[str], metrics: list[str]
) -> list[str]:
    """The data sets on which some run measures one of these metrics."""
    return [name for name in datasets if any(_measures(one, name, metrics) for _, one in results)]


def _measures(result: Results, dataset: str, metrics: list[str]) -> bool:
    return not {*metrics}.isdisjoint(_means(result, dataset))


def runs_table(runs: Iterable[Run]) -> str:
    """The description of each run, as recorded, under its name."""
    rows = [
        TableRow(
            rf"\raggedright {BASELINE if run.number == 0 else breakable(run.name)} & "
            rf"\raggedright {breakable(run.description)}",
            math.ceil(max(printed_length(run.name) / 22, printed_length(run.description) / 58, 1)),
        )
        for run in runs
    ]
    table = Table(
        caption="The runs, as they were described when they were made.",
        label="tab:runs",
        columns=r"p{0.25\linewidth}p{0.70\linewidth}",
        count=2,
        heading=("Run & What it tests",),
        blocks=(Block(tuple(rows)),),
        wide=True,
    )
    return "\n\n".join(spaced(floats(table)))


def _float(caption: str, label: str, table: list[str]) -> str:
    begin = [r"\begin{table}[!ht]", r"\centering\small", rf"\caption{{{caption}}}"]
    return "\n".join([*begin, rf"\label{{{label}}}", r"\smallskip", *table, r"\end{table}"])


def named_run(number: int, name: str) -> str:
    return "baseline" if number == 0 else f"run {number}: {breakable(name)}"


def breakable(text: str) -> str:
    """``text`` as LaTeX, in which a long word without blanks may break, so that its cell holds it."""
    return " ".join(_broken(word) if len(word) > _LONG else escape(word) for word in text.split())


def _broken(word: str) -> str:
    parts = (
        word[at : at + _PIECE] for word in re.findall(r"[^_=,./-]*[_=,./-]?", word)
        for at in range(0, len(word), _PIECE)
    )  # fmt: skip
    return r"\allowbreak{}".join(escape(part) for part in parts)


def metric_words(name: str) -> str:
    """``final_val_loss_mean`` as ``final validation loss``: a metric's name in prose."""
    parts = name.removesuffix("_mean").split("_")
    return " ".join(_WORDS.get(part, part) for part in parts)


def _heading(name: str, metrics: Mapping[str, Metric]) -> str:
    arrows = {"lower": r" $\downarrow$", "higher": r" $\uparrow$"}
    metric = metrics.get(name)
    short = name.removesuffix("_mean").replace("_", " ")
    return escape(short) + (arrows.get(metric.direction, "") if metric else "")


def _means(result: Results, dataset: str) -> Mapping[str, float]:
    data = result.datasets.get(dataset)
    return data.means if data else {}


def _cell(result: Results, dataset: str, metric: str) -> str:
    data = result.datasets.get(dataset)
    if data is None or metric not in data.means:
        return "--"
    error = data.stderrs.get(metric)
    mean = format_mean(data.means[metric], error)
    return f"${mean}$" if error is None else rf"${mean} \pm {format_error(error)}$"
