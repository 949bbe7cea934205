"""The numbers that a paper may print: of results, and fixed ones.

Of results: each mean, standard error and difference. Fixed numbers are settings, constants, years
and counts: they come from the manifest, the code of the template and of each run, and the
references. A printed number must equal a fixed one exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from orchestrator.core.research import Run
from orchestrator.research.paper.numbers import Quantity, numbers
from orchestrator.research.paper.references import references
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Results

_LITERAL = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ASSIGNED = re.compile(
    rf"\b([A-Za-z_]\w*)\s*(?::\s*[\w\[\], .|]+)?=\s*\(?\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*,?\s*\)?"
    r"\s*(?=[,)#;\n]|$)",
    re.MULTILINE,
)
_MAX_CONSTANTS = 2000  # of one file


def from_results(
    results: Iterable[tuple[int, Results]], headline: Sequence[str]
) -> tuple[Quantity, ...]:
    """Every quantity of all runs; ratios and percent changes only for the metrics ``headline``."""
    known = dict(results)
    quantities = [q for number, result in known.items() for q in _direct(number, result)]
    for earlier, run in combinations(sorted(known), 2):
        quantities += _between(run, known[run], earlier, known[earlier], headline)
    return tuple(quantities)


def from_comparisons(
    rows: Iterable[Mapping[str, Any]], runs: Iterable[Run]
) -> tuple[Quantity, ...]:
    """The host's comparisons: each difference with its error, and for how many seeds it is positive
    or negative.
    """
    numbers_of = {run.name: run.number for run in runs}
    found = []
    for row in rows:
        named = frozenset({numbers_of[row["run"]], numbers_of[row["against"]]})
        source = f"{row['run']} against {row['against']}, {row['dataset']}, {row['metric']}"
        base = replace(_template(named, row["dataset"], row["metric"]), kind="derived")
        found += [
            replace(base, value=float(row[key]), source=f"{source}: {key}")
            for key in ("difference", "error", "errors", "higher", "lower")
            if row[key] is not None
        ]
    return tuple(found)


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


def _template(runs: Iterable[int], dataset: str, metric: str) -> Quantity:
    """A quantity without a value; an accuracy is a share, so it may be printed as a percentage."""
    share = "acc" in metric.lower()
    return Quantity(
        value=0.0, source="", runs=frozenset(runs), dataset=dataset, metric=metric, share=share
    )


def from_manifest(manifest: Manifest, scale: str) -> Iterator[Quantity]:
    """The values of knobs, and every number in the texts of the manifest."""
    for name, knob in manifest.knobs.items():
        for value in {knob.default, *knob.values}:
            yield _fixed(value, f"template.yaml: a value of the knob {name}", name)
    texts = [
        ("title", manifest.title),
        ("description", manifest.description),
        ("question", manifest.question or ""),
        *((f"metric {key}", f"{key} {one.description}") for key, one in manifest.metrics.items()),
        *((f"knob {key}", knob.description) for key, knob in manifest.knobs.items()),
        *((f"data set {data.name}", data.description) for data in manifest.data),
        (f"scale {scale}", manifest.scales[scale].description if scale in manifest.scales else ""),
    ]
    for where, text in texts:
        for number in numbers(text):
            yield _fixed(number.value, f"template.yaml: {where}")


def from_code(text: str, where: str) -> Iterator[Quantity]:
    """Numbers with a name in code (``width=128``), and the count of several (``seeds=(1, 2)``)."""
    for count, match in enumerate(_ASSIGNED.finditer(text)):
        if count == _MAX_CONSTANTS:
            return
        literals = re.findall(_LITERAL, match[2])
        for literal in literals:
            yield _fixed(float(literal.replace("_", "")), f"{where}: {match[1]}", match[1])
        if len(literals) > 1:
            yield _fixed(len(literals), f"{where}: how many {match[1]}", match[1])


def from_references(tex: str) -> Iterator[Quantity]:
    """The years of the papers in the reference list."""
    for reference in references(tex):
        year = reference.fields.get("year", "")
        if year.isdigit():
            yield _fixed(int(year), f"year of the reference {reference.key}")


def from_counts(named: dict[str, int]) -> Iterator[Quantity]:
    """Counts by the program, such as the number of runs."""
    for what, count in named.items():
        yield _fixed(count, f"how many {what}", re.split(" beside | of ", what)[0])


def from_names(runs: Iterable[Run]) -> Iterator[Quantity]:
    """The numbers in the names of runs, which are what was varied: ``480 updates``."""
    for run in runs:
        for number in numbers(run.name):
            yield _fixed(number.value, f"the name of run {run.number}")


def _fixed(value: float, source: str, name: str = "") -> Quantity:
    return Quantity(value=float(value), source=source, kind="fixed", name=name)
