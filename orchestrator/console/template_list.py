"""``aisci template list``: the shipped templates, or those of a folder. It imports nothing that runs one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

from orchestrator.console import output as out
from orchestrator.console.output import span
from orchestrator.core.errors import BadTemplate, UnknownName, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.units import MIB
from orchestrator.machine import baseline_cache as baselines
from orchestrator.template.folder import MANIFEST, shipped_templates
from orchestrator.template.manifest import Manifest
from orchestrator.template.template import load_template

_SIGNS = (MANIFEST, "experiment.py")
_GPU = {"none": "no", "optional": "optional", "required": "yes"}


def list_templates(folder: Path | None = None, *, as_json: bool) -> None:
    """Print the shipped templates, or those in a folder: what each studies, its data and packages,
    times seen here.
    """
    rows, about = [], []
    for argument in _arguments(folder):
        try:
            template = load_template(argument, shipped_root())
        except BadTemplate as error:
            if folder is None:
                raise
            about.append(f"{argument}: cannot be read: {error.what} ({error.where})")
            if as_json:
                out.as_json({"argument": argument, "error": error.what, "where": error.where})
            continue
        name, manifest = template.name, template.manifest
        seen: dict[str, float] = {one.scale: one.seconds for one in baselines.baselines_of(name)}
        if as_json:
            data = [{"name": d.name, "source": d.source, "bytes": d.bytes} for d in manifest.data]
            packages, took = list(manifest.packages), {s: seen.get(s) for s in manifest.scales}
            place = {} if folder is None else {"argument": argument}
            out.as_json({"name": name, **place, "title": manifest.title, "scales": list(manifest.scales),
                         "data": data, "packages": packages, "gpu": manifest.gpu, "seen": took})  # fmt: skip
        fetched = [data for data in manifest.data if data.source == "download"]
        needs = ["its own", *(f"{data.name} {data.bytes / MIB:.0f} MiB" for data in fetched)]
        shown = name if folder is None else argument
        rows.append((shown, _GPU[manifest.gpu], _times(manifest, seen)))
        packed = f"; packages {', '.join(manifest.packages)}" if manifest.packages else ""
        about.append(f"{shown}: {manifest.title}; data {', '.join(needs)}{packed}")
    if not as_json:
        _print(rows, about)


def _arguments(folder: Path | None) -> tuple[str, ...]:
    """The shipped names, or the folders in ``folder`` that hold a template, and itself if it does."""
    if folder is None:
        return shipped_templates(shipped_root())
    if not folder.is_dir():
        raise UnknownName("no such folder", where=str(folder), todo="name a folder of templates")
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[:1] != ".")
    found = [path for path in (folder, *inside) if any((path / f).is_file() for f in _SIGNS)]
    if not found:
        raise UserError(
            "no template is in this folder",
            where=str(folder),
            why=f"neither it nor a folder in it has {' or '.join(_SIGNS)}",
            todo="aisci template new FOLDER --script FILE   begins one from a script",
        )
    return tuple(str(path) if "/" in str(path) else f"./{path}" for path in found)


def _print(rows: list[tuple[str, str, str]], about: list[str]) -> None:
    if rows:
        out.table(("template", "GPU", "time of one experiment, by scale"), rows, whole=2)
    lines = [fill(one, out.width(), subsequent_indent="  ") for one in about]
    out.say("\n" + "\n".join(lines))
    out.say(
        "\n~ is the manifest's estimate; aisci template baseline NAME measures it here.\n"
        "A run makes several experiments: aisci run NAME --estimate\n"
        "One template on a screen: aisci template show NAME"
    )


def _times(manifest: Manifest, seen: Mapping[str, float]) -> str:
    """Each scale with its time, the shortest first as the manifest has them."""
    return ", ".join(f"{scale} {_time(manifest, seen, scale) or '?'}" for scale in manifest.scales)


def _time(manifest: Manifest, seen: Mapping[str, float], scale: str) -> str:
    if scale in seen:
        return span(round(seen[scale]))
    minutes = manifest.scales[scale].minutes
    return "" if minutes is None else f"~{span(round(60 * minutes))}"
