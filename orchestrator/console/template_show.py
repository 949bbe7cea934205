"""``aisci template show``: one template on one screen, and as JSON. It runs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import fill

from orchestrator.console import output as out
from orchestrator.console.output import counted, span
from orchestrator.core.files import shipped_root
from orchestrator.core.sanitize import plain_line
from orchestrator.core.units import MIB
from orchestrator.machine import baseline_cache as baselines
from orchestrator.template.manifest import DataSet, Knob, Manifest, Metric, Scale
from orchestrator.template.template import Template, load_template

_MOST = 4  # metrics that lead nothing and are named
_WIDE = 11  # characters of the first column


def show_template(name: str, *, as_json: bool) -> None:
    """Print what the manifest says: question, data, knobs, metrics, scales, packages, GPU."""
    template = load_template(name, shipped_root())
    seen = {one.scale: one.seconds for one in baselines.baselines_of(template.name)}
    if as_json:
        facts = {"argument": template.argument, "inferred": template.inferred, "seen": seen}
        manifest = template.manifest.model_dump(mode="json")
        out.as_json({"template": {**manifest, **facts, "files": sorted(template.files)}})
        return
    for title, text in _rows(template, seen):
        line = f"{title:<{_WIDE}}{plain_line(text, limit=2000)}"
        out.say(fill(line, min(out.width(), 100), subsequent_indent=" " * _WIDE))


def _rows(template: Template, seen: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    manifest = template.manifest
    yield "template", f"{template.argument}: {manifest.title}"
    yield "question", manifest.question or "none is stated"
    about = manifest.description
    yield "about", about if manifest.question is None else about.partition(". ")[0].rstrip(".")
    yield "data", ", ".join(map(_data, manifest.data)) or "none is declared"
    knobs = "; ".join(_knob(name, one) for name, one in manifest.knobs.items())
    yield "knobs", knobs or "none: builtin/sweep cannot study it"
    yield from _each("metrics", _metrics(manifest) or ["none is declared"])
    scales = [_scale(name, one, seen.get(name)) for name, one in manifest.scales.items()]
    yield from _each("scales", scales)
    lock = f"; more by {manifest.lock}: aisci images build {template.argument}"
    yield "packages", (", ".join(manifest.packages) or "none") + (lock if manifest.lock else "")
    yield "GPU", manifest.gpu
    yield "next", f"aisci template check {template.argument} --run"


def _each(title: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    for i, text in enumerate(texts):
        yield ("" if i else title), text


def _data(one: DataSet) -> str:
    size = f" ({one.bytes / MIB:,.0f} MiB to download)" if one.source == "download" else ""
    return f"{one.name}{size}"


def _knob(name: str, one: Knob) -> str:
    values = ", ".join(f"[{value}]" if value == one.default else str(value) for value in one.values)
    return f"{name}: {values}"


def _metrics(manifest: Manifest) -> list[str]:
    """The headline ones, one a line, and the others by name."""
    lead = [name for name in manifest.headline if name in manifest.metrics]
    rows = [_metric(name, manifest.metrics[name]) for name in lead[:5]]
    others = [name for name in manifest.metrics if name not in lead[:5]]
    named = ", ".join(others[:_MOST]) + f" and {len(others) - _MOST} more" * (len(others) > _MOST)
    return rows + ([f"also {named}"] if rows else [named]) if others else rows


def _metric(name: str, one: Metric) -> str:
    better = "" if one.direction == "none" else f", {one.direction} is better"
    return f"{name}{f' ({one.unit})' if one.unit else ''}{better}"


def _scale(name: str, one: Scale, seconds: float | None) -> str:
    took = "time unknown" if one.minutes is None else f"about {span(round(60 * one.minutes))}"
    took = took if seconds is None else f"{span(round(seconds))} on this machine"
    seeds = one.seeds if isinstance(one.seeds, tuple) else ()
    many = f", {counted(len(seeds), 'seed')}" if seeds else ""
    needs = f", needs {', '.join(one.data)}" if one.data else ""
    return f"{name}: {took}{many}{needs}"
