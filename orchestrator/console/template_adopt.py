"""``aisci template adopt``: what a folder shows, what it lacks, and what to do next, on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from orchestrator.api.template_adopt import Adopted, adopt_template
from orchestrator.console import output as out
from orchestrator.console.output import counted
from orchestrator.core.sanitize import plain_line
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.draft import LOCK
from orchestrator.template.folder import MANIFEST

_MOST = 5  # of one kind on the screen


def adopt(folder: Path, into: Path | None, *, as_json: bool) -> None:
    """Write a draft, and print what it rests on."""
    adopted = adopt_template(folder, into)
    if as_json:
        out.as_json({"adopted": _facts(adopted)})
    else:
        out.say("\n".join(_lines(adopted)))


def _facts(adopted: Adopted) -> dict[str, object]:
    seen = adopted.seen
    return {
        "name": adopted.template.name,
        "manifest": str(adopted.folder / MANIFEST),
        "copied": adopted.copied,
        "metrics": list(seen.results.metrics if seen.results else ()),
        "why_no_metrics": adopted.why_no_metrics,
        "numbers": [asdict(one) for one in seen.numbers],
        "seen": [asdict(one) for one in seen.sighted],
        "image_lacks": [asdict(one) for one in seen.absent],
        "breaches": [asdict(one) for one in adopted.breaches],
        "notes": [asdict(one) for one in adopted.notes],
    }


def _lines(adopted: Adopted) -> Iterator[str]:
    template, place = adopted.template, adopted.template.argument
    files = counted(len(template.files) - 1, "file")
    copied = f"a copy of {files}, and" if adopted.copied else f"from {files},"
    yield f"{adopted.folder / MANIFEST}: a draft, {copied} nothing was run"
    for name, text in _seen(adopted):
        yield f"  {name:<9} {text}"
    yield from _listed("to add or correct before a run", adopted.breaches)
    yield from _listed("what a container may lack, by the text of the code", adopted.notes)
    yield f"next: read {MANIFEST} and correct it, then"
    yield f"  aisci template check {place}"
    if template.manifest.lock:
        yield f"  aisci images build {place}"
    yield f"  aisci template check {place} --run"


def _seen(adopted: Adopted) -> Iterator[tuple[str, str]]:
    seen, manifest = adopted.seen, adopted.template.manifest
    yield "editable", ", ".join(manifest.editable[:6]) + ", …" * (len(manifest.editable) > 6)
    named = len(manifest.metrics)
    yield (
        "metrics",
        f"{named}, each with `direction: none`: correct it" if named else adopted.why_no_metrics,
    )
    knobs = [one.name for one in seen.numbers if one.kind == "knob"]
    rest = len(seen.numbers) - len(knobs)
    yield (
        "knobs",
        (
            f"{_few(knobs) or 'none as the code stands'}; "
            f"{counted(rest, 'other number')} could become one (comments in the draft)"
        ),
    )
    yield (
        "seeds",
        _few([f"{one.text} ({one.where})" for one in seen.of_kind("seed")]) or "none seen",
    )
    absent = _few([one.module for one in seen.absent])
    lacks = f"; the image lacks {absent}: {LOCK} must list them" if absent else ", all in the image"
    yield "packages", f"{counted(len(manifest.packages), 'import')}{lacks}"
    if cuda := seen.of_kind("cuda"):
        yield "gpu", f"required: CUDA is wired in at {_few([one.where for one in cuda])}"
    if seen.opaque:
        yield "opaque", f"pickles and the like, for its own plot.py: {_few(list(seen.opaque))}"
    yield "scale", "full; its `minutes` are unknown"


def _few(names: list[str]) -> str:
    more = [f"and {len(names) - _MOST} more"] if len(names) > _MOST else []
    return plain_line(", ".join([*names[:_MOST], *more]), limit=300)


def _listed(head: str, found: tuple[RuleFinding, ...]) -> Iterator[str]:
    if found:
        yield f"{head}:"
    for one in found[:_MOST]:
        yield f"  {plain_line(f'{one.where}: {one.what}', limit=300)}"
        yield f"    do: {one.todo}"
    if len(found) > _MOST:
        yield f"  and {len(found) - _MOST} more, which `aisci template check` shows"
