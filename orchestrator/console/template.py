"""Commands about templates: which there are, a new one, and whether one keeps its contract."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from orchestrator.console import output as out
from orchestrator.console.live_line import NowRunning
from orchestrator.console.live_table import span
from orchestrator.console.view import View
from orchestrator.core.errors import DiskFull, UserError
from orchestrator.core.files import shipped_root, write
from orchestrator.machine import baseline_cache as baselines
from orchestrator.machine import datasets
from orchestrator.template.baseline import KeptBaseline
from orchestrator.template.contract import Finding, Judged, judged
from orchestrator.template.folder import MANIFEST, shipped
from orchestrator.template.manifest import Manifest
from orchestrator.template.template import Template, from_files
from orchestrator.template.template import load as load_template

WRONG, FAILED = 2, 1
MIB = 2**20


def list_templates(*, as_json: bool) -> None:
    """Print the shipped templates: what each studies, its data and packages, times seen here."""
    rows = [load_template(name, shipped_root()) for name in shipped(shipped_root())]
    seen = {row.name: baselines.kept_of(row.name) for row in rows}
    if as_json:
        for row in rows:
            manifest = row.manifest
            out.as_json(
                {
                    "name": row.name,
                    "title": manifest.title,
                    "scales": list(manifest.scales),
                    "data": [{"name": d.name, "source": d.source, "bytes": d.bytes} for d in manifest.data],
                    "packages": list(manifest.packages),
                    "gpu": manifest.gpu,
                    "seen": {scale: _seconds(seen[row.name], scale) for scale in manifest.scales},
                }
            )  # fmt: skip
        return
    out.table(
        ("template", "what it studies", "data", "packages", "smoke", "full"),
        [
            (
                row.name,
                row.manifest.title,
                _data(row.manifest),
                ", ".join(row.manifest.packages),
                *(_time(row.manifest, seen[row.name], scale) for scale in ("smoke", "full")),
            )
            for row in rows
        ],
    )
    out.say("\n~ is the manifest's estimate; aisci template baseline NAME measures it here")


def _data(manifest: Manifest) -> str:
    """``made by itself``, and what can be fetched."""
    fetched = [f"{d.name} {d.bytes / MIB:.0f} MiB" for d in manifest.data if d.source == "download"]
    return "; ".join(["its own", *fetched])


def _time(manifest: Manifest, seen: tuple[KeptBaseline, ...], scale: str) -> str:
    if scale not in manifest.scales:
        return ""
    known = _seconds(seen, scale)
    return (
        f"~{span(round(60 * manifest.scales[scale].minutes))}"
        if known is None
        else span(round(known))
    )


def _seconds(seen: tuple[KeptBaseline, ...], scale: str) -> float | None:
    """What the newest baseline of that scale took here."""
    return next((one.seconds for one in reversed(seen) if one.scale == scale), None)


def new_template(folder: Path, source: str) -> None:
    """Copy a template to ``folder`` under that folder's name.

    Raises :class:`UserError` where something is there already, or the name cannot be a template's.
    """
    name = folder.resolve().name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", name):
        raise UserError(
            f"{name!r} cannot be a template's name",
            where=str(folder),
            todo="use letters, digits, dots, dashes and underscores, the first a letter or digit",
        )
    if folder.exists():
        raise UserError(
            "something is there already; it is never written over",
            where=str(folder),
            todo="name a folder that does not exist yet",
        )
    template = load_template(source, shipped_root())
    files = dict(template.files)
    if MANIFEST in files:
        text = template.text(MANIFEST)
        files[MANIFEST] = re.sub(
            r"^name:.*$", f"name: {name}", text, count=1, flags=re.MULTILINE
        ).encode()
    from_files(files, name, str(folder))
    for path, data in files.items():
        write(folder / path, data)
    place = str(folder) if "/" in str(folder) else f"./{folder}"
    out.say(f"{place}: {len(files)} files, copied from {template.argument}")
    out.say(
        f"edit template.yaml and experiment.py, then:\n"
        f"  aisci template check {place} --run\n"
        f"  aisci run {place} --scale {next(iter(template.manifest.scales))}"
    )


def check_template(name: str, *, run: bool, policy: str, scale: str | None, view: View) -> int:
    """Print every rule and whether it holds; with ``run``, those that containers show too."""
    template = load_template(name, shipped_root())
    told = _Told(view)
    rules = (*judged(template), *_staged(template))
    if not view.as_json:
        out.say(f"{template.name} ({template.origin})")
    for rule in rules:
        told.rule(rule, {})
    if told.broken:
        return told.end(template, WRONG)
    if run:
        from orchestrator.api.signals import obeyed  # noqa: PLC0415 - these need an engine
        from orchestrator.api.template_check import try_out  # noqa: PLC0415

        size = scale or next(iter(template.manifest.scales))
        with obeyed(), NowRunning(view) as live:
            told.live = live
            for rule, used in try_out(template, policy, size, live):
                told.rule(rule, used)
        told.live = None
    return told.end(template, FAILED)


def _staged(template: Template) -> tuple[Judged, ...]:
    """What is here of the data that a template fetches; no rule of one that fetches none."""
    fetched = [data for data in template.manifest.data if data.source == "download"]
    if not fetched:
        return ()
    here = [data for data in fetched if datasets.is_staged(data)]
    away = [data for data in fetched if data not in here]
    prepare = f"aisci data prepare {template.argument}"
    found = [
        Finding(str(datasets.folder_of(data)), f"{data.name}: {why}", f"{prepare} fetches it again")
        for data in here
        if (why := datasets.why_unfit(data))
    ]
    try:
        datasets.check_room(away)
    except DiskFull as full:
        found.append(Finding(full.where, f"{full.what}: {full.why}", full.todo))
    names = ", ".join(f"{data.name} ({data.bytes / MIB:,.0f} MiB)" for data in away)
    return (
        Judged(
            "staged",
            "the fetched data that is here is what the manifest says",
            tuple(found),
            f"not here yet: {names}; {prepare}" if away else "",
        ),
    )


class _Told:
    """Says each rule as it is judged, and counts what is to be mended."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.broken = 0
        self.live: NowRunning | None = None

    def rule(self, one: Judged, used: dict[str, object]) -> None:
        self.broken += len(one.findings)
        if self._view.as_json:
            out.as_json({"rule": one.name, "held": one.held, "why_not": one.why_not, "used": used,
                         "findings": [asdict(finding) for finding in one.findings]})  # fmt: skip
            return
        if self._view.quiet and one.held:
            return
        mark = "✗" if one.findings else "–" if one.why_not else "✓"
        lines = [f"  {mark} {one.name:<10} {one.promise}{_used(used)}"]
        lines += [f"    {one.why_not}"] if one.why_not else []
        for finding in one.findings:
            lines += [f"    {finding.where}", f"      {finding.what}", f"      do: {finding.todo}"]
        (self.live.say if self.live else out.say)("\n".join(lines))

    def end(self, template: Template, code: int) -> int:
        if self._view.as_json:
            out.as_json({"template": template.name, "to_mend": self.broken})
        else:
            found = f"{self.broken} to mend" if self.broken else "keeps its contract"
            out.say(f"{template.name}: {found}")
        return code if self.broken else 0


def _used(used: dict[str, object]) -> str:
    """What a container used, behind the rule that it showed."""
    told = []
    if "seconds" in used:
        told.append(f"{used['seconds']:.1f} s")
    if used.get("memory_bytes"):
        told.append(f"{int(str(used['memory_bytes'])) / MIB:,.0f} MiB")
    files = used.get("files")
    if isinstance(files, list):
        told.append(", ".join(map(str, files)))
    return f"  ({', '.join(told)})" if told else ""
