"""``aisci rm`` and ``prune``: removing runs that nobody wants any more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.api.disk_use import RunSize
from orchestrator.api.removing import (
    PrunePlan,
    plan_prune,
    prune_run,
    remove_remains,
    remove_run,
    runs_to_remove,
)
from orchestrator.console import output as out
from orchestrator.console.spans import seconds_of
from orchestrator.core.errors import EngineUnavailable, UserError
from orchestrator.core.units import rough_text
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.images.dangling import DanglingImage, dangling_images, remove_dangling


def remove_runs(names: list[str], results: Path, *, yes: bool, as_json: bool) -> int:
    """Remove runs, after a question; the exit code: 1 where the answer is no."""
    runs = runs_to_remove(names, results)
    if not yes and not _agreed(runs, "remove", asked_as_json=as_json):
        return 1
    for one in runs:
        remove_run(one.folder, results)
        out.as_json(size_json(one) | {"removed": True}) if as_json else out.say(
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
    seconds, plan = (seconds_of("--older-than", older_than) or 0.0), PrunePlan(runs=(), stay=())
    if older_than is not None or way.keep_record:
        plan = plan_prune(results, seconds, datetime.now(UTC), keep_record=way.keep_record)
    engine = engine_if_any()
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
            out.as_json(size_json(one) | kept)
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


def engine_if_any() -> Engine | None:
    """The engine; None where none answers."""
    try:
        return connect()
    except EngineUnavailable:
        return None


def size_json(one: RunSize) -> dict[str, Any]:
    """A run's size as JSON."""
    return {"run": one.run, "folder": str(one.folder), "bytes": one.total, "kinds": dict(one.kinds)}


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
