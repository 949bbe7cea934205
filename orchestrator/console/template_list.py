"""``aisci template list``: the shipped templates. It imports nothing that runs one."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

from orchestrator.console import output as out
from orchestrator.console.output import span
from orchestrator.core.files import shipped_root
from orchestrator.core.units import MIB
from orchestrator.machine import baseline_cache as baselines
from orchestrator.template.folder import shipped_templates
from orchestrator.template.manifest import Manifest
from orchestrator.template.template import load_template

_GPU = {"none": "no", "optional": "optional", "required": "yes"}


def list_templates(*, as_json: bool) -> None:
    """Print the shipped templates: what each studies, its data and packages, times seen here."""
    rows, about = [], []
    for name in shipped_templates(shipped_root()):
        manifest = load_template(name, shipped_root()).manifest
        seen: dict[str, float] = {one.scale: one.seconds for one in baselines.baselines_of(name)}
        if as_json:
            data = [{"name": d.name, "source": d.source, "bytes": d.bytes} for d in manifest.data]
            packages, took = list(manifest.packages), {s: seen.get(s) for s in manifest.scales}
            out.as_json({"name": name, "title": manifest.title, "scales": list(manifest.scales),
                         "data": data, "packages": packages, "gpu": manifest.gpu, "seen": took})  # fmt: skip
        fetched = [data for data in manifest.data if data.source == "download"]
        needs = ["its own", *(f"{data.name} {data.bytes / MIB:.0f} MiB" for data in fetched)]
        rows.append((name, _GPU[manifest.gpu], _times(manifest, seen)))
        packed = f"; packages {', '.join(manifest.packages)}" if manifest.packages else ""
        about.append(f"{name}: {manifest.title}; data {', '.join(needs)}{packed}")
    if not as_json:
        out.table(("template", "GPU", "time of one experiment, by scale"), rows, whole=2)
        lines = [fill(one, out.width(), subsequent_indent="  ") for one in about]
        out.say("\n" + "\n".join(lines))
        out.say(
            "\n~ is the manifest's estimate; aisci template baseline NAME measures it here.\n"
            "A run makes several experiments: aisci run NAME --estimate"
        )


def _times(manifest: Manifest, seen: Mapping[str, float]) -> str:
    """Each scale with its time, the shortest first as the manifest has them."""
    return ", ".join(f"{scale} {_time(manifest, seen, scale) or '?'}" for scale in manifest.scales)


def _time(manifest: Manifest, seen: Mapping[str, float], scale: str) -> str:
    if scale in seen:
        return span(round(seen[scale]))
    minutes = manifest.scales[scale].minutes
    return "" if minutes is None else f"~{span(round(60 * minutes))}"
