"""``aisci du``: what runs, other records, caches and images take on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from orchestrator.api.disk_use import (
    KINDS_OF_FILES,
    RunSize,
    sizes_of_caches,
    sizes_of_records,
    sizes_of_runs,
)
from orchestrator.api.month_use import month_uses
from orchestrator.console import output as out
from orchestrator.console.live import ROOM
from orchestrator.console.removing import engine_if_any, size_json
from orchestrator.core.units import rough_text
from orchestrator.sandbox.images.dangling import dangling_images
from orchestrator.sandbox.images.derived import list_derived
from orchestrator.sandbox.images.images import list_images


def show_use(results: Path, *, as_json: bool) -> None:
    """Print what runs, other records, caches and images take, and all of it together."""
    runs, others = sizes_of_runs(results), sizes_of_records(results)
    caches, images, uses = sizes_of_caches(), _images(), month_uses()
    if as_json:
        for one in runs:
            out.as_json(size_json(one))
        for one in others:
            out.as_json({"record" if key == "run" else key: v for key, v in size_json(one).items()})
        for cache in caches:
            out.as_json({"cache": cache.what, **asdict(cache)})
        for name, size in images or ():
            out.as_json({"image": name, "bytes": size})
        for use in uses:
            out.as_json({"budget": use.whose, **asdict(use)})
        return
    _draw_runs("run", runs)
    if others:
        _draw_runs("other record", others)
    heads = ("kept for you", "size", "where")
    again = {True: ", made again", False: ""}
    kept = [(one.what + again[one.made_again], rough_text(one.size), one.folder) for one in caches]
    out.table(heads, kept, whole=2)
    out.say()
    if images is None:
        out.say("no Docker engine answers: its images were not looked at")
    else:
        sizes = [(name, rough_text(size)) for name, size in images]
        out.table(("image", "size, shared layers included"), sizes, whole=2)
    if uses:
        out.say()
        rows = [(use.whose, use.text, use.file) for use in uses]
        out.table(("budget of this month", "used", "set by"), rows, whole=2)
    total = sum(one.total for one in (*runs, *others)) + sum(one.size for one in caches)
    total += sum(size for _, size in images or ())
    note = ", layers that images share counted for each" if images else ""
    out.say(f"\nin all: {rough_text(total)}{note}")


def _draw_runs(name: str, runs: Sequence[RunSize]) -> None:
    """A row each, and their sums; where there is no room for every kind, what an audit needs and the rest."""
    longest = max((len(one.run) for one in runs), default=0)
    roomy = out.width() >= ROOM + max(0, longest - ROOM // 4)
    kinds = [(kind,) for kind in KINDS_OF_FILES] if roomy else [("record",), KINDS_OF_FILES[1:]]
    heads = KINDS_OF_FILES if roomy else ("record", "all other files")
    rows = [(one.run, [sum(one.kinds[key] for key in kind) for kind in kinds]) for one in runs]
    sums = [sum(sizes[place] for _, sizes in rows) for place in range(len(kinds))]
    rows.append((f"all {name}s", sums))
    cells = [(name, rough_text(sum(sizes)), *map(rough_text, sizes)) for name, sizes in rows]
    out.table((name, "all", *heads), cells, numbers=True, whole=2)
    out.say()


def _images() -> list[tuple[str, int]] | None:
    """(name, bytes) of the images of ours that the engine has; None without an engine."""
    engine = engine_if_any()
    if engine is None:
        return None
    with closing(engine):
        known = [one for one in (*list_images(engine), *list_derived(engine)) if one.id]
        loose = dangling_images(engine)
    named = [(one.name, one.size) for one in known]
    return [*named, *((f"{one.name} (built before, no name)", one.size) for one in loose)]
