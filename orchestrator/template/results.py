"""``final_info.json`` as an experiment wrote it, parsed as untrusted data.

The form is ``{data set: {"means": {metric: number}, "stderrs": {…}, "final_info_dict": {…}}}``.
Existing templates vary it: ``means`` may be a single number, or nested; a standard error is
called ``x_stderr`` where its mean is ``x_mean``. Both are converted to one shape here, and values
that are not numbers are listed in :attr:`Results.ignored`, not dropped silently; a mean that is NaN
or infinite is a metric that diverged. Results are also
compared with the same model untrained: whether training had an effect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.errors import BadResults, BadTemplate
from orchestrator.core.research import TrainingComparison
from orchestrator.core.strict_json import NotStrict, loads
from orchestrator.template.manifest import Manifest

MAX_RESULT_BYTES = 2 * 1024 * 1024
MAX_NUMBERS = 5000  # entries of all mappings that are read, together
MAX_NESTING = 6  # levels below `means`
MAX_NAME = 120  # characters of a data set's or metric's whole name
BARE = "value"  # the metric's name where `means` is one bare number

SeedValues = Mapping[str, Mapping[str, tuple[float, ...]]]
"""By data set and metric: a value for each seed or repetition."""
RESULTS_FILE = "final_info.json"
_BOM = b"\xef\xbb\xbf"  # some editors write it before UTF-8
_FORM = 'write {data set: {"means": {metric: number}, "stderrs": {metric: number}}}'


@dataclass(frozen=True, slots=True)
class Dataset:
    """Finite numbers by metric; ``stderrs`` has the metric names of ``means``, and maybe fewer.
    ``diverged`` are the metrics whose mean is not finite.
    """

    means: Mapping[str, float]
    stderrs: Mapping[str, float] = field(default_factory=dict)
    diverged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """One run's numbers by data set. ``ignored`` are the paths of values that are not numbers."""

    datasets: Mapping[str, Dataset]
    ignored: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric's name, once, in the order of the file."""
        return tuple(dict.fromkeys(m for d in self.datasets.values() for m in d.means))


def parse_final_info(data: bytes) -> Results:
    """The results in ``data``. Raises :class:`BadResults`."""
    if len(data) > MAX_RESULT_BYTES:
        raise _bad(
            f"it has {len(data)} bytes, over {MAX_RESULT_BYTES}", "write the curves to another file"
        )
    try:
        value = _value_in(data)
    except NotStrict as error:
        todo = "write finite numbers under distinct names; omit failed values"
        raise _bad(str(error), todo) from error
    except ValueError as error:
        raise _bad(str(error), _FORM) from error
    if not isinstance(value, dict) or not value:
        raise _bad("it is no mapping of data sets", _FORM)
    seen = _Seen()
    datasets = {_name(k): _dataset(k, v, seen) for k, v in seen.entries(value)}
    return Results(datasets, tuple(seen.ignored))


def per_seed(data: bytes) -> dict[str, dict[str, tuple[float, ...]]]:
    """The values by seed in ``final_info_dict``, of each data set and metric that has them. For
    data that :func:`parse_final_info` has read. Values that are not lists of numbers are omitted:
    ``final_info_dict`` has no fixed form.
    """
    by_dataset: dict[str, dict[str, tuple[float, ...]]] = {}
    for dataset, value in _value_in(data).items():
        metrics = value.get("final_info_dict")
        by_dataset[dataset] = {
            metric: tuple(map(float, values))
            for metric, values in (metrics.items() if isinstance(metrics, dict) else ())
            if isinstance(values, list) and values and all(map(_is_number, values))
            if all(map(math.isfinite, values))
        }
    return by_dataset


def _value_in(data: bytes) -> Any:
    return loads(data.removeprefix(_BOM), finite=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(slots=True)
class _Seen:
    """The state of reading one file."""

    ignored: list[str] = field(default_factory=list)
    count: int = 0

    def entries(self, value: dict[str, Any]) -> list[tuple[str, Any]]:
        """A mapping's entries; raises :class:`BadResults` above ``MAX_NUMBERS`` in one file."""
        self.count += len(value)
        if self.count > MAX_NUMBERS:
            raise _bad(f"it has over {MAX_NUMBERS} entries", _FORM)
        return list(value.items())


def _dataset(name: str, value: Any, seen: _Seen) -> Dataset:
    if not isinstance(value, dict) or "means" not in value:
        raise _bad(f"data set {name!r} has no 'means'", _FORM)
    values = list(_numbers("", value["means"], f"{name}.means", seen, 0))
    means = {metric: mean for metric, mean in values if math.isfinite(mean)}
    diverged = tuple(metric for metric, mean in values if not math.isfinite(mean))
    if not values:
        raise _bad(f"the 'means' of data set {name!r} hold no number", _FORM)
    if len({metric for metric, _ in values}) < len(values):
        raise _bad(f"two 'means' of data set {name!r} have one name once nesting is undone", _FORM)
    errors: dict[str, float] = {}
    for key, number in _numbers("", value.get("stderrs", {}), f"{name}.stderrs", seen, 0):
        stem = key.removesuffix("_stderr")
        metric = next((mean for mean in (key, stem, f"{stem}_mean") if mean in means), None)
        if _of_one_seed(value.get("final_info_dict"), metric):
            continue  # one value has no spread, whatever the program wrote
        if not math.isfinite(number):
            continue  # of one seed, or of a metric that diverged
        if number < 0:
            raise _bad(f"{name}.stderrs.{key} is negative", "a standard error is 0 or more")
        if metric is None:
            seen.ignored.append(f"{name}.stderrs.{key}")
        else:
            errors[metric] = number
    return Dataset(means, errors, diverged)


def _of_one_seed(by_seed: Any, metric: str | None) -> bool:
    """Whether ``final_info_dict`` has exactly one value of the metric."""
    if metric is None or not isinstance(by_seed, dict):
        return False
    values = by_seed.get(metric, by_seed.get(metric.removesuffix("_mean")))
    return isinstance(values, list) and len(values) == 1


def _numbers(
    key: str, value: Any, where: str, seen: _Seen, depth: int
) -> Iterator[tuple[str, float]]:
    """The numbers at and below ``value``, nested names joined by dots."""
    if depth > MAX_NESTING:
        raise _bad(f"{where[:MAX_NAME]!r} is nested too deep", _FORM)
    if isinstance(value, dict):
        for part, inner in seen.entries(value):
            name = _name(f"{key}.{part}" if key else part)
            yield from _numbers(name, inner, f"{where}.{part}", seen, depth + 1)
    elif _is_number(value):
        yield key or BARE, float(value)
    else:
        seen.ignored.append(where)


def _name(text: str) -> str:
    if not text or len(text) > MAX_NAME or not text.isprintable():
        raise _bad(f"{text[:MAX_NAME]!r} is no name", "use short names of printable characters")
    return text


def _bad(why: str, todo: str) -> BadResults:
    return BadResults(f"{RESULTS_FILE} cannot be used", where=RESULTS_FILE, why=why, todo=todo)


def compare_untrained(
    manifest: Manifest, scale: str, results: Results
) -> tuple[TrainingComparison, ...]:
    """Each comparison of ``scale``. Raises :class:`BadResults` for lack of a data set or metric."""
    comparisons = []
    for beats in manifest.scales[scale].beats:
        sign = 1.0 if manifest.metrics[beats.metric].direction == "higher" else -1.0
        for dataset in beats.datasets or tuple(results.datasets):
            trained = _value(results, dataset, beats.metric)
            untrained = _value(results, dataset, beats.untrained)
            comparisons.append(
                TrainingComparison(
                    dataset=dataset,
                    metric=beats.metric,
                    trained=trained,
                    untrained=untrained,
                    gain=sign * (trained - untrained),
                    margin=beats.margin,
                )
            )
    return tuple(comparisons)


def require_held(comparisons: tuple[TrainingComparison, ...]) -> None:
    """Raise :class:`BadTemplate` if training did not reach the margin of the manifest."""
    missed = [row for row in comparisons if not row.held]
    if missed:
        rows = (
            f"{row.metric} on {row.dataset}: {row.trained:g} trained, {row.untrained:g} untrained, "
            f"better by {row.gain:g} where {row.margin:g} is required"
            for row in missed[:5]
        )
        raise BadTemplate(
            "the baseline does not beat the untrained model: nothing can be learned from it",
            where="run_0, the baseline; the manifest's `beats`",
            why="\n".join(rows),
            todo="give the scale more steps, or correct `beats` in template.yaml",
        )


def _value(results: Results, dataset: str, metric: str) -> float:
    data = results.datasets.get(dataset)
    if data is None or metric not in data.means:
        raise BadResults(
            f"the run has no {metric!r} on data set {dataset!r}",
            where="final_info.json",
            why="the template's manifest compares it with the untrained model",
            todo="write it among the 'means', or change `beats` in template.yaml",
        )
    return data.means[metric]
