"""The ideas of a run beside each other: what each reached in the metrics that the template leads with."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from orchestrator.report.html import Child, Html, data_table, el, number
from orchestrator.report.measured import MeanError, against, mean_error, mean_text, verdicts
from orchestrator.report.reading import IdeaFacts
from orchestrator.template.manifest import Metric

_MOST = 6  # columns of a metric on a data set

MetricColumn = tuple[str, str]
"""Data set, metric."""


def side_by_side(known: Sequence[tuple[str, IdeaFacts]]) -> list[Child]:
    """A row an idea with the best value of its runs, below the baseline; nothing where no idea has a result.
    ``known`` are folder and facts of each.
    """
    measured = [(folder, facts) for folder, facts in known if len(facts.results) > 1]
    columns = _columns(measured)
    if not columns:
        return []
    facts = measured[0][1]
    heads: list[Child] = ["idea", *(_head(one, facts.metrics.get(one[1])) for one in columns)]
    baseline = dict(facts.results).get(0)
    rows: list[list[Child]] = []
    if baseline is not None:
        values = [_value(facts, 0, one) for one in columns]
        rows.append(["baseline", *(number(mean_text(v) if v else "–") for v in values)])
    for folder, idea in measured:
        link = el("a", idea.idea.title, href=f"{quote(folder)}/report.html")
        rows.append([link, *(_best_cell(idea, one) for one in columns)])
    told = (
        "The best value of each idea's runs, with its standard error and the change from that idea's baseline. "
        "The best of several runs is a chosen value: a small lead may be chance."
    )
    return [el("p", told, class_="small quiet"), data_table(heads, rows)]


def _columns(known: Sequence[tuple[str, IdeaFacts]]) -> list[MetricColumn]:
    """The headline metrics that have a better side, by data set, as the first ideas measured them."""
    found = dict.fromkeys(
        (dataset, metric)
        for _, facts in known
        for metric in (facts.manifest.headline if facts.manifest else ())
        if facts.metrics[metric].direction != "none"
        for _, results in facts.results[:1]
        for dataset, data in results.datasets.items()
        if metric in data.means
    )
    return list(found)[:_MOST]


def _head(column: MetricColumn, about: Metric | None) -> Html:
    dataset, metric = column
    arrow = {"lower": "↓", "higher": "↑"}.get(about.direction if about else "", "")
    return el(
        "th",
        f"{metric} {arrow}".strip(),
        el("div", dataset, class_="small"),
        scope="col",
        class_="num",
    )


def _value(facts: IdeaFacts, run: int, column: MetricColumn) -> MeanError | None:
    dataset, metric = column
    results = dict(facts.results).get(run)
    data = results.datasets.get(dataset) if results else None
    return mean_error(data, metric) if data else None


def _best_cell(facts: IdeaFacts, column: MetricColumn) -> Html:
    dataset, metric = column
    values = {
        run: value
        for run, _ in facts.results
        if run and (value := _value(facts, run, column)) is not None
    }
    if not values:
        return number("–")
    least = facts.metrics[metric].direction == "lower"
    best = (min if least else max)(values, key=lambda run: values[run][0])
    base = _value(facts, 0, column)
    if base is None:
        return number(mean_text(values[best]))
    verdict = verdicts(facts, dataset, [metric]).get((best, metric), "")
    return against(base, values[best], verdict)
