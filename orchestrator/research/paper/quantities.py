"""The quantities of results: each mean, standard error and difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from orchestrator.research.paper.numbers import Quantity
from orchestrator.template.results import Results


def from_results(
    results: Iterable[tuple[int, Results]], headline: Sequence[str]
) -> tuple[Quantity, ...]:
    """Every quantity of all runs; ratios and percent changes only for the metrics ``headline``."""
    known = dict(results)
    quantities = [q for number, result in known.items() for q in _direct(number, result)]
    for earlier, run in combinations(sorted(known), 2):
        quantities += _between(run, known[run], earlier, known[earlier], headline)
    return tuple(quantities)


def _direct(number: int, result: Results) -> Iterator[Quantity]:
    by_metric: dict[str, list[float]] = {}
    for dataset, data in result.datasets.items():
        for metric, mean in data.means.items():
            by_metric.setdefault(metric, []).append(mean)
            where = f"run {number}, {dataset}, {metric}"
            base = _template({number}, dataset, metric)
            yield replace(base, value=mean, source=f"{where}: mean")
            if metric in data.stderrs:
                yield replace(base, value=data.stderrs[metric], source=f"{where}: standard error")
    for metric, means in by_metric.items():
        if len(means) > 1:
            yield replace(
                _template({number}, "", metric),
                value=sum(means) / len(means),
                source=f"run {number}, {metric}: mean over {len(means)} data sets",
                kind="derived",
            )


def _between(
    run: int, results: Results, earlier: int, before: Results, headline: Sequence[str]
) -> Iterator[Quantity]:
    for dataset, data in results.datasets.items():
        old = before.datasets[dataset].means if dataset in before.datasets else {}
        for metric in [name for name in data.means if name in old]:
            mean, old_mean = data.means[metric], old[metric]
            where = f"run {run} against run {earlier}, {dataset}, {metric}"
            base = replace(_template({run, earlier}, dataset, metric), kind="derived")
            yield replace(base, value=mean - old_mean, source=f"{where}: difference")
            if earlier == 0 and old_mean != 0 and metric in headline:
                yield replace(base, value=mean / old_mean, source=f"{where}: ratio", share=False)
                change = (mean / old_mean - 1) * 100
                yield replace(base, value=change, source=f"{where}: percent change", kind="percent")


def _template(runs: set[int], dataset: str, metric: str) -> Quantity:
    """A quantity without a value; an accuracy is a share, so it may be printed as a percentage."""
    return Quantity(
        value=0.0,
        source="",
        runs=frozenset(runs),
        dataset=dataset,
        metric=metric,
        share="acc" in metric.lower(),
    )
