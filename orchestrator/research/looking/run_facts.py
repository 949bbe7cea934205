"""The facts of one run for whoever looks at it: numbers, values per seed, output, files, oddities."""

from __future__ import annotations

import math
from statistics import quantiles
from typing import Any

from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Run
from orchestrator.core.strict_json import loads
from orchestrator.research.looking.contents import LOOKED_BYTES
from orchestrator.research.looking.digest import curves_in
from orchestrator.research.looking.oddities import oddities
from orchestrator.research.run_spec import Study
from orchestrator.template.comparisons import seed_values
from orchestrator.template.results import Results, SeedValues

_INFO = "final_info.json"
_VALUES = 40  # per metric
_EACH = 16  # values of a metric that does not decide; more are told by their quartiles
_SEEN_METRICS = 12  # with values per seed, per data set
_FILES = 20
_KEYS = 30  # of a JSON file
_INNER = 10  # below one of them
_READ = 256 * 1024  # bytes of a JSON file whose keys are listed


def run_facts(study: Study, run: Run, blobs: Blobs, *, whole: bool = True) -> dict[str, Any]:
    """A run as a prompt shows it: ``[mean, standard error]`` by data set and metric, seconds of wall
    time, memory in MiB. Unless ``whole``, its values per seed are those of the metrics that decide,
    without output, and of its files their names alone. ``not_measured`` are declared metrics that it lacks.
    """
    results = dict(study.results)[run.number]
    before = {
        other.name: known
        for other in study.runs
        for number, known in study.results
        if number == other.number < run.number
    }
    values = seed_values(run, blobs)
    base = next((one for one in study.runs if one.number == run.base and one is not run), None)
    same = (base.name, seed_values(base, blobs)) if base else ("", {})
    declared = {_stem(name) for name in study.template.manifest.metrics}
    shown = [*study.headline, *(one.name for one in study.plan.metrics)]
    facts = {
        "run": run.number,
        "name": run.name,
        "description": run.description,
        "seconds": round(run.seconds, 1),
        "memory_mib": run.memory >> 20 or None,
        "datasets": _means(results),
        "values_per_seed": _chosen(
            values, shown, declared, _SEEN_METRICS if whole else 0, same, {*study.plan.decides}
        ),
        "noticed": oddities(values, results, before),
        "left_files": [path for path, _ in run.files.files if not path.endswith(f"/{_INFO}")][
            :_FILES
        ],
    }
    if lacks := [name for name in study.metrics if _stem(name) not in map(_stem, results.metrics)]:
        facts["not_measured"] = lacks
    if whole:
        facts |= {"output_tail": run.output, "left_files": _left(run, blobs)}
        facts |= {"curves": _curves(run, blobs)}
    return facts


def _means(results: Results) -> dict[str, dict[str, Any]]:
    return {
        name: {
            **{m: [_short(mean), _short(data.stderrs.get(m))] for m, mean in data.means.items()},
            **dict.fromkeys(data.diverged, "not a number"),
        }
        for name, data in results.datasets.items()
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _chosen(
    values: SeedValues,
    shown: list[str],
    declared: set[str],
    most: int,
    base: tuple[str, SeedValues],
    decides: set[str],
) -> dict[str, dict[str, Any]]:
    """The metrics that decide, and others up to ``most``. What ``base``, a run's name and values, has too is
    not repeated.
    """
    stems = {_stem(name) for name in shown}
    whole = {_stem(name) for name in decides} or stems
    chosen: dict[str, dict[str, Any]] = {}
    for dataset, metrics in values.items():
        first = [name for name in metrics if _stem(name) in stems]
        others = [name for name in metrics if _stem(name) not in stems]
        others.sort(
            key=lambda name: _stem(name) in declared
        )  # what a run adds by itself comes first
        names = [*first, *others[: max(0, most - len(first))]]
        known = base[1].get(dataset, {})
        chosen[dataset] = {
            name: f"as in {base[0]}"
            if len(metrics[name]) > 1 and metrics[name] == known.get(name)
            else _listed(metrics[name], whole=_stem(name) in whole)
            for name in names
        }
    return chosen


def _listed(row: tuple[float, ...], *, whole: bool) -> Any:
    """The values in four digits; many of a metric that does not decide by their quartiles."""
    if len(set(row)) == 1 and len(row) > 1:
        return f"{len(row)} times {row[0]:.6g}"
    finite = [value for value in row if math.isfinite(value)]
    if whole or len(row) <= _EACH or len(finite) < len(row):
        return [float(f"{value:.4g}") for value in row[:_VALUES]]
    inner = ", ".join(f"{value:.4g}" for value in quantiles(finite, n=4, method="inclusive"))
    low, high = min(finite), max(finite)
    return f"{len(row)} values, lowest {low:.4g}, quartiles {inner}, highest {high:.4g}"


def _stem(name: str) -> str:
    return name.removesuffix("_mean")


def _left(run: Run, blobs: Blobs) -> list[dict[str, Any]]:
    """The other files of the run: path, bytes, and the top keys of a JSON file."""
    rows: list[dict[str, Any]] = []
    for path, sha256 in run.files.files:
        if not path.endswith(f"/{_INFO}") and len(rows) < _FILES:
            size = blobs.size(sha256)
            small = path.endswith(".json") and size <= _READ
            keys = _keys(blobs.get(sha256, _READ)) if small else {}
            rows.append({"path": path, "bytes": size, **keys})
    return rows


def _curves(run: Run, blobs: Blobs) -> dict[str, Any]:
    """The curves in the JSON files of the run, each at a few places."""
    return {
        path: found
        for path, sha256 in run.files.files[:_FILES]
        if path.endswith(".json") and not path.endswith(f"/{_INFO}")
        if blobs.size(sha256) <= LOOKED_BYTES and (found := curves_in(blobs.get(sha256)))
    }


def _key(key: str, value: Any) -> str:
    """A key, with the keys that stand below it."""
    below = (
        ", ".join(inner[:30] for inner in list(value)[:_INNER]) if isinstance(value, dict) else ""
    )
    return f"{key[:60]}: {below}" if below else key[:60]


def _keys(data: bytes) -> dict[str, Any]:
    try:
        value = loads(data, finite=False)
    except ValueError:
        return {"json": "it cannot be read"}
    if isinstance(value, dict):
        return {"keys": [_key(key, one) for key, one in value.items()][:_KEYS]}
    return {"json": f"a list of {len(value)}" if isinstance(value, list) else "one value"}
