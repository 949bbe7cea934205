"""The quantities that a paper may quote: each mean, standard error and difference of the results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from orchestrator.research.paper.numbers import Quantity
from orchestrator.template.results import Results


def from_results(
    results: Iterable[tuple[int, Results]], headline: Sequence[str]
) -> tuple[Quantity, ...]:
    """Every quantity that the results of all runs give; percentages for ``headline`` only."""
    known = dict(results)
    found = [q for number, result in known.items() for q in _direct(number, result)]
    for other, one in combinations(sorted(known), 2):
        found += _between(one, known[one], other, known[other], headline)
    return tuple(found)


def _direct(number: int, result: Results) -> Iterator[Quantity]:
    by_metric: dict[str, list[float]] = {}
    for dataset, data in result.datasets.items():
        for metric, mean in data.means.items():
            by_metric.setdefault(metric, []).append(mean)
            where = f"run {number}, {dataset}, {metric}"
            base = _place({number}, dataset, metric)
            yield replace(base, value=mean, source=f"{where}: mean")
            if metric in data.stderrs:
                yield replace(base, value=data.stderrs[metric], source=f"{where}: standard error")
    for metric, means in by_metric.items():
        if len(means) > 1:
            yield replace(
                _place({number}, "", metric),
                value=sum(means) / len(means),
                source=f"run {number}, {metric}: mean over {len(means)} data sets",
                kind="derived",
            )


def _between(
    one: int, mine: Results, other: int, theirs: Results, headline: Sequence[str]
) -> Iterator[Quantity]:
    for dataset, data in mine.datasets.items():
        past = theirs.datasets[dataset].means if dataset in theirs.datasets else {}
        for metric in [name for name in data.means if name in past]:
            mean, was = data.means[metric], past[metric]
            where = f"run {one} against run {other}, {dataset}, {metric}"
            base = replace(_place({one, other}, dataset, metric), kind="derived")
            yield replace(base, value=mean - was, source=f"{where}: difference")
            if other == 0 and was != 0 and metric in headline:
                yield replace(base, value=mean / was, source=f"{where}: ratio", share=False)
                change = (mean / was - 1) * 100
                yield replace(base, value=change, source=f"{where}: percent change", kind="percent")


def _place(runs: set[int], dataset: str, metric: str) -> Quantity:
    """A blank quantity that belongs there; accuracies are shares of one."""
    return Quantity(
        value=0.0,
        source="",
        runs=frozenset(runs),
        dataset=dataset,
        metric=metric,
        share="acc" in metric.lower(),
    )
