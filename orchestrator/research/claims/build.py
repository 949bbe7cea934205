"""The ledger of a study, from what its runs measured and from the code and texts of its template."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from orchestrator.core.python_source import parse_python
from orchestrator.core.research import Direction
from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import (
    Cell,
    CellPlace,
    CodeSetting,
    KnownMetric,
    KnownRun,
    Ledger,
    with_averages,
)
from orchestrator.research.claims.printed import printed_numbers
from orchestrator.research.claims.settings import settings_in
from orchestrator.template.manifest import Manifest, Metric
from orchestrator.template.results import Results, SeedValues

PLANNED = "the plan of the study"
"""Where numbers stand that were planned, whatever came of it."""
DECLARED = "template.yaml: a declared value"
"""Where a knob's values stand that no run may have used."""
_RANGE = re.compile(r"\bseeds?\w*\s*=\s*(?:\w+\()?range\((\d{1,9}),\s*(\d{1,9})\)")
_SHARE_UNITS = re.compile(r"\b(?:fraction|share|accuracy|probability|proportion)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMeasurements:
    """What is known of one run: its results, the values per seed, its code by path, the title of its note."""

    number: int
    name: str
    base: int
    seconds: float
    results: Results
    values: SeedValues
    code: Mapping[str, str]
    title: str = ""


def build_ledger(
    records: Sequence[RunMeasurements],
    metrics: Mapping[str, Metric],
    headline: Sequence[str],
    scale: str,
    manifest: Manifest | None = None,
    texts: Iterable[str] = (),
    years: Iterable[int] = (),
) -> Ledger:
    """The ledger of these runs. ``metrics`` are the declared ones; others that a run measured have no
    unit and no direction. ``texts`` are more texts whose numbers may be printed.
    """
    datasets = tuple(dict.fromkeys(d for one in records for d in one.results.datasets))
    names = tuple(dict.fromkeys(m for one in records for m in one.results.metrics))
    cells = {
        (one.number, dataset, metric): _cell(one, dataset, metric)
        for one in records
        for dataset, data in one.results.datasets.items()
        for metric in data.means
    }
    scales = frozenset(manifest.scales) if manifest else frozenset({scale})
    settings = {one.number: _settings(one, scale, scales) for one in records}
    return Ledger(
        runs=tuple(_run(one, settings) for one in records),
        datasets=datasets,
        metrics=tuple(_metric(name, metrics.get(name), headline, cells) for name in names),
        cells=with_averages(cells, [one.number for one in records], names),
        settings=tuple(dict.fromkeys(s for rows in settings.values() for s in rows)),
        base_settings=settings.get(0, ()),
        run_settings=settings,
        counts=_counts(records, datasets, manifest, scale),
        stated=tuple(_stated(manifest, scale, metrics.values(), texts)),
        years=frozenset(years),
        seeds=_seeds(records, manifest, scale, datasets),
        words=" ".join(text for one in records[:1] for text in one.code.values()).lower(),
    )


def _cell(record: RunMeasurements, dataset: str, metric: str) -> Cell:
    data = record.results.datasets[dataset]
    rows = record.values.get(dataset, {})
    values = rows.get(metric) or rows.get(metric.removesuffix("_mean")) or ()
    return Cell(data.means[metric], data.stderrs.get(metric), tuple(values))


def _settings(
    record: RunMeasurements, scale: str, scales: frozenset[str]
) -> tuple[CodeSetting, ...]:
    return tuple(
        s for path, text in record.code.items() for s in settings_in(text, path, scale, scales)
    )


def _run(record: RunMeasurements, settings: Mapping[int, tuple[CodeSetting, ...]]) -> KnownRun:
    base = {(one.name, one.value) for one in settings.get(0, ())}
    changed = tuple(
        one for one in settings[record.number] if (one.name, one.value) not in base and one.name
    )
    known = {name for name, _ in base}
    return KnownRun(
        number=record.number,
        name=record.name,
        base=record.base,
        seconds=record.seconds,
        title=record.title,
        changed=tuple(
            one for one in changed if one.name in known or (one.whole and one.name.isupper())
        ),
    )


def _metric(
    name: str, metric: Metric | None, headline: Sequence[str], cells: Mapping[CellPlace, Cell]
) -> KnownMetric:
    means = [cell.mean for (_, _, m), cell in cells.items() if m == name]
    within = all(0 <= mean <= 1 for mean in means)
    unit = metric.unit if metric else ""
    named = {"acc", "coverage"} & set(words.words_of(name)) and not {"step"} & set(
        words.words_of(name)
    )
    share = bool(_SHARE_UNITS.search(unit)) or (not unit and bool(named) and within)
    return KnownMetric(
        name=name,
        unit=unit,
        direction=metric.direction if metric else _usual_direction(name),
        description=metric.description if metric else "",
        headline=name in headline,
        place=headline.index(name) if name in headline else 0,
        share=share,
    )


_LOWER = frozenset(
    {"loss", "error", "err", "perplexity", "ppl", "bits", "mse", "rmse", "mae", "nll", "fid"}
)
_HIGHER = frozenset(
    {"acc", "accuracy", "auc", "precision", "recall", "psnr", "ssim", "bleu", "reward"}
)


def _usual_direction(name: str) -> Direction:
    """The better side of a metric that nobody declared, where its name leaves no doubt."""
    parts = {*re.findall(r"[a-z]+", name.lower()), *words.words_of(name)}
    if "step" in parts or "steps" in parts or bool(parts & _LOWER) == bool(parts & _HIGHER):
        return "none"
    return "lower" if parts & _LOWER else "higher"


def _counts(
    records: Sequence[RunMeasurements],
    datasets: Sequence[str],
    manifest: Manifest | None,
    scale: str,
) -> tuple[tuple[str, int], ...]:
    """What the program counts: runs, data sets, seeds, trained models."""
    seeds = {
        dataset: max(
            (len(values) for one in records for values in one.values.get(dataset, {}).values()),
            default=0,
        )
        for dataset in datasets
    }
    for dataset, count in seeds.items():
        if not count and manifest is not None and scale in manifest.scales:
            seeds[dataset] = len(manifest.seeds(scale, dataset) or ())
    runs = len(records)
    counts = [("runs", runs), ("runs beside the baseline", runs - 1), ("data sets", len(datasets))]
    counts += [(f"seeds of {dataset}", count) for dataset, count in seeds.items() if count]
    if len(set(seeds.values())) == 1:
        counts.append(("models in all", runs * sum(seeds.values())))
    return tuple(counts)


def _seeds(
    records: Sequence[RunMeasurements],
    manifest: Manifest | None,
    scale: str,
    datasets: Sequence[str],
) -> frozenset[int]:
    """The seeds that the manifest or the code names."""
    rows = [
        manifest.seeds(scale, d) or () for d in datasets if manifest and scale in manifest.scales
    ]
    found = {seed for row in rows for seed in row}
    for code in (text for one in records for text in one.code.values()):
        for first, last in _RANGE.findall(code):
            found |= set(range(int(first), min(int(last), int(first) + 1000)))
        found |= _listed_seeds(code)
    return frozenset(found)


@lru_cache(maxsize=256)
def _listed_seeds(code: str) -> frozenset[int]:
    """The numbers in what a program assigns to a name with "seed" in it, or gives to such a parameter."""
    try:
        tree = parse_python(code)
    except (SyntaxError, ValueError):
        return frozenset()
    named = [
        node.value
        for node in ast.walk(tree)
        if (isinstance(node, ast.keyword) and "seed" in (node.arg or "").lower())
        or (isinstance(node, ast.Assign) and "seed" in ast.unparse(node.targets[0]).lower())
    ]
    return frozenset(
        number.value
        for value in named
        for row in ast.walk(value)
        if isinstance(row, ast.Tuple | ast.List | ast.Set)
        for number in row.elts
        if isinstance(number, ast.Constant) and type(number.value) is int
    )


def _stated(
    manifest: Manifest | None, scale: str, metrics: Iterable[Metric], texts: Iterable[str]
) -> Iterable[CodeSetting]:
    """Numbers in what the manifest and a plan say of data, metrics and scale, with the words beside."""
    about = [one.description for one in metrics]
    if manifest is not None:
        for name, knob in manifest.knobs.items():
            for value in knob.values:
                yield CodeSetting(name, float(value), DECLARED, knob.description)
        about += [
            manifest.title,
            manifest.description,
            manifest.question or "",
            *(one.description for one in manifest.data),
            manifest.scales[scale].description if scale in manifest.scales else "",
        ]
    for text in about:
        for number in printed_numbers(text):
            before = re.findall(r"[A-Za-z]+", text[: number.start])[-1:]
            said = " ".join([*before, *re.findall(r"[A-Za-z]+", text[number.end :])[:2]])
            yield CodeSetting("", number.value, "template.yaml", said)
    for text in texts:
        for number in printed_numbers(text):
            yield CodeSetting("planned", number.value, PLANNED)
