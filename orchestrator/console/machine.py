"""Commands about this machine: images, leftovers, and what the doctor finds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from orchestrator.console import out
from orchestrator.doctor import examine
from orchestrator.edges.engine import connect
from orchestrator.edges.hostlook import survey
from orchestrator.edges.images import USUAL, build_images, list_images
from orchestrator.edges.reap import reap

MIB = 2**20


def build(
    names: list[str], *, base: str | None, ca_bundle: Path | None, quiet: bool, as_json: bool
) -> None:
    """Build images, saying each line of it."""
    shown = quiet or as_json
    built = build_images(
        connect(),
        names or USUAL,
        base=base,
        ca_bundle=ca_bundle,
        say=(lambda _: None) if shown else out.say,
    )
    for one in built if as_json else ():
        out.as_json(asdict(one))


def images(*, as_json: bool) -> None:
    """Every image of ours and its state."""
    states = list_images(connect())
    if as_json:
        for state in states:
            out.as_json(asdict(state))
        return
    rows = [
        (
            one.name,
            one.state,
            f"{one.size / MIB:,.0f} MiB" if one.size else "",
            one.id[7:19],
            one.about,
        )
        for one in states
    ]
    out.table(("image", "state", "size", "id", "for"), rows)
    old = [one.name for one in states if one.state != "ready" and one.name in USUAL]
    if old:
        out.say(f"\nbuild what is not ready: aisci images build {' '.join(old)}")


def reap_all(*, dry_run: bool, as_json: bool) -> None:
    """Remove what dead runs left; say each thing."""
    found = reap(connect(), dry_run=dry_run)
    if as_json:
        for one in found:
            out.as_json({"removed": not dry_run, **asdict(one)})
        return
    out.table(("what", "name", "run", "job"), [(o.what, o.name, o.run, o.job) for o in found])
    verb = "would be removed" if dry_run else "removed"
    out.say(f"{len(found)} leftovers of dead runs {verb}")


def doctor(results: Path, *, as_json: bool) -> int:
    """What this machine can do; returns the exit code, 1 where a check failed."""
    checks = examine(survey(results, probe=True))
    for one in checks if as_json else ():
        out.as_json(asdict(one))
    if not as_json:
        out.table(
            ("check", "state", "found", "how"),
            [(c.name, c.state, c.found, c.basis) for c in checks],
        )
        for one in checks:
            out.say(f"\n{one.name}: {one.todo}") if one.todo else None
    return 1 if any(one.state == "fail" for one in checks) else 0
