"""``aisci rm``, ``prune`` and ``du``: what runs take, and removing those that nobody wants any more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.api.disk_use import KINDS_OF_FILES, RunSize, sizes_of_caches, sizes_of_runs
from orchestrator.api.removing import (
    PrunePlan,
    plan_prune,
    prune_run,
    remove_remains,
    remove_run,
    runs_to_remove,
)
from orchestrator.console import output as out
from orchestrator.core.errors import EngineUnavailable, UserError
from orchestrator.core.problems import Invalid
from orchestrator.core.units import parse_time, rough_text
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.images.dangling import DanglingImage, dangling_images, remove_dangling
from orchestrator.sandbox.images.derived import list_derived
from orchestrator.sandbox.images.images import list_images


def remove_runs(names: list[str], results: Path, *, yes: bool, as_json: bool) -> int:
    """Remove runs, after a question; the exit code: 1 where the answer is no."""
    runs = runs_to_remove(names, results)
    if not yes and not _agreed(runs, "remove", asked_as_json=as_json):
        return 1
    for one in runs:
        remove_run(one.folder, results)
        out.as_json(_run_json(one) | {"removed": True}) if as_json else out.say(
            f"removed: {one.run} ({rough_text(one.total)})"
        )
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneWay:
    """How a prune goes: down to the record or the whole run, whether it does it, asks, and speaks JSON."""

    keep_record: bool
    dry_run: bool
    yes: bool
    as_json: bool


def prune(results: Path, older_than: str | None, way: PruneWay) -> int:
    """Remove old runs that have ended, or all but their records, and images of ours without a name."""
    seconds, plan = _seconds(older_than), PrunePlan(runs=(), stay=())
    if older_than is not None or way.keep_record:
        plan = plan_prune(results, seconds, datetime.now(UTC), keep_record=way.keep_record)
    engine = _engine()
    images = dangling_images(engine) if engine else ()
    verb = "reduce to their records" if way.keep_record else "remove"
    sure = way.dry_run or way.yes or not (plan.runs or images)
    if not sure and not _agreed(plan.runs, verb, images=len(images), asked_as_json=way.as_json):
        return 1
    if not way.dry_run:
        remove_remains(results)
        for one in plan.runs:
            prune_run(one.folder, results, keep_record=way.keep_record)
        images = remove_dangling(engine, images) if engine else ()
    _say_pruned(plan, images, way)
    if engine is None and not way.as_json:
        out.say("no Docker engine answers: its images were not looked at")
    return 0


def _say_pruned(plan: PrunePlan, images: Sequence[DanglingImage], way: PruneWay) -> None:
    """What was removed, or would be, and what stays."""
    done = not way.dry_run
    if way.as_json:
        for one in plan.runs:
            kept = {"removed": done, "record_kept": way.keep_record, "freed": _freed(one, way)}
            out.as_json(_run_json(one) | kept)
        for image in images:
            found = {"image": image.id, "name": image.name, "bytes": image.size}
            out.as_json(found | {"removed": done})
        return
    verb, rest = "freed" if done else "would free", ", its record stays" if way.keep_record else ""
    for one in plan.runs:
        out.say(f"{verb}: {rough_text(_freed(one, way))} of {one.run}{rest}")
    for image in images:
        out.say(f"{'removed' if done else 'would remove'}: image {image.name} {image.id[7:19]}")
    for run, why in plan.stay:
        out.say(f"stays: {run}: {why}")
    if not (plan.runs or images):
        out.say("nothing to remove")


def _freed(one: RunSize, way: PruneWay) -> int:
    return one.total - (one.kinds["record"] if way.keep_record else 0)


def show_use(results: Path, *, as_json: bool) -> None:
    """Print what runs, caches and images take."""
    runs, caches, images = sizes_of_runs(results), sizes_of_caches(), _images()
    if as_json:
        for one in runs:
            out.as_json(_run_json(one))
        for cache in caches:
            out.as_json({"cache": cache.what, **asdict(cache)})
        for name, size in images or ():
            out.as_json({"image": name, "bytes": size})
        return
    rows = [
        (one.run, rough_text(one.total), *(rough_text(one.kinds[kind]) for kind in KINDS_OF_FILES))
        for one in runs
    ]
    sums = [sum(one.kinds[kind] for one in runs) for kind in KINDS_OF_FILES]
    rows.append(("all runs", rough_text(sum(sums)), *map(rough_text, sums)))
    out.table(("run", "all", *KINDS_OF_FILES), rows, numbers=True)
    out.say()
    out.table(
        ("kept for you", "size", "where"),
        [
            (
                one.what + (", made again" if one.made_again else ""),
                rough_text(one.size),
                one.folder,
            )
            for one in caches
        ],
    )
    out.say()
    if images is None:
        out.say("no Docker engine answers: its images were not looked at")
    else:
        out.table(
            ("image", "size, shared layers included"), [(n, rough_text(s)) for n, s in images]
        )


def _images() -> list[tuple[str, int]] | None:
    """(name, bytes) of the images of ours that the engine has; None without an engine."""
    engine = _engine()
    if engine is None:
        return None
    with closing(engine):
        known = [one for one in (*list_images(engine), *list_derived(engine)) if one.id]
        loose = dangling_images(engine)
    named = [(one.name, one.size) for one in known]
    return [*named, *((f"{one.name} (built before, no name)", one.size) for one in loose)]


def _engine() -> Engine | None:
    try:
        return connect()
    except EngineUnavailable:
        return None


def _run_json(one: RunSize) -> dict[str, Any]:
    return {"run": one.run, "folder": str(one.folder), "bytes": one.total, "kinds": dict(one.kinds)}


def _seconds(older_than: str | None) -> float:
    try:
        return parse_time(older_than) if older_than is not None else 0.0
    except Invalid as error:
        raise UserError(
            "this is not a time",
            where=f"--older-than {older_than}",
            why=str(error),
            todo="such as 90d",
        ) from error


def _nobody_there() -> bool:
    return not (sys.stdin.isatty() and sys.stdout.isatty())


def _agreed(runs: Sequence[RunSize], verb: str, *, images: int = 0, asked_as_json: bool) -> bool:
    """Ask a person. Raises :class:`UserError` where nobody can answer."""
    if asked_as_json or _nobody_there():
        raise UserError(
            "this removes files, and nobody can be asked",
            where="no terminal",
            todo="add --yes; `aisci prune --dry-run` shows what it would remove",
        )
    for one in runs:
        out.say(f"{one.run}  {rough_text(one.total)}  {one.folder}")
    what = out.counted(len(runs), "run") + (f", {out.counted(images, 'image')}" if images else "")
    try:
        agreed = input(f"{verb} {what}? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        agreed = False
    if not agreed:
        out.say("nothing was removed")
    return agreed
