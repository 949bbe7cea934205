"""What a careful reader would notice in a run's numbers, in words: no judgement, only what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.template.results import Results, SeedValues

_AT_BOUND = 3  # values that are all the smallest, or all the largest, of a metric
_SHARE = 0.15  # of a metric's values
_NEAR = 1e-4  # of the range of a metric's values
_MANY, _LEVELS = 10, 4  # of so many values, so few different ones are a share or a count
_MOST = 20  # sentences


def oddities(
    values: SeedValues, results: Results, others: Mapping[str, Results]
) -> tuple[str, ...]:
    """Sentences about one run. ``others`` are the results of the runs before it, by name."""
    said = [*_same_as(results, others), *_diverged(results)]
    for dataset, metrics in values.items():
        for metric, row in metrics.items():
            said += _piled(f"{metric} on {dataset}", row)
    return tuple(said[:_MOST])


def _same_as(results: Results, others: Mapping[str, Results]) -> Iterator[str]:
    for name, other in others.items():
        if identical(results, other):
            yield f"every number is the same as in {name!r}: the change had no effect"


def identical(one: Results, other: Results) -> bool:
    """Whether all means and errors are equal, of the metrics that both have."""
    pairs = [
        (mean, other.datasets[dataset].means[metric])
        for dataset, data in one.datasets.items()
        if dataset in other.datasets
        for metric, mean in data.means.items()
        if metric in other.datasets[dataset].means
    ]
    return bool(pairs) and all(left == right for left, right in pairs)


def _diverged(results: Results) -> Iterator[str]:
    for dataset, data in results.datasets.items():
        for metric in data.diverged:
            yield f"{metric} on {dataset} is not a number: the run diverged there"


def _piled(name: str, row: tuple[float, ...]) -> Iterator[str]:
    lowest, highest = min(row), max(row)
    if lowest == highest:
        if len(row) > 1:
            yield f"{name}: all {len(row)} values are {row[0]:g}"
        return
    few = len(row) >= _MANY and len(set(row)) <= _LEVELS
    if few or set(row) <= {0.0, 1.0}:  # an indicator or a share of few, not a quantity
        return
    near = _NEAR * (highest - lowest)  # an optimiser stops a little before its bound
    for side, value in (("smallest", lowest), ("largest", highest)):
        times = sum(abs(one - value) <= near for one in row)
        if times >= max(_AT_BOUND, _SHARE * len(row)):
            equal = "" if row.count(value) == times else " or next to it"
            yield (
                f"{name}: {times} of {len(row)} values are {value:.6g}{equal}, the {side}: "
                "a bound may hold them there"
            )
