"""Commands about this machine: its images, and what dead runs left on it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from orchestrator.console import out
from orchestrator.edges.engine import connect
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
