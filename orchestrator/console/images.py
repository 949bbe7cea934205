"""Commands about this machine: its images, and what dead runs left on it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.api.stopping import keep_leftovers
from orchestrator.console import output as out
from orchestrator.console.stopping import say_kept
from orchestrator.core.files import shipped_root
from orchestrator.core.units import MIB
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.engine.reaper import reap
from orchestrator.sandbox.images import derived
from orchestrator.sandbox.images.age import OLD_AFTER
from orchestrator.sandbox.images.images import (
    DEFAULT_IMAGES,
    Built,
    Flavour,
    build_images,
    list_images,
)
from orchestrator.template.contract import require_contract
from orchestrator.template.folder import shipped_templates
from orchestrator.template.template import load_template


def build_named(
    names: list[str],
    *,
    base: str | None,
    ca_bundle: Path | None,
    flavour: Flavour,
    fresh: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Build images of ours, and of templates that are named, saying each line of it."""
    engine = connect()
    say = (lambda _: None) if quiet or as_json else out.say
    templates = shipped_templates(shipped_root())
    ours = [name for name in names if "/" not in name and name not in templates]
    built: list[Built] = []
    if ours or not names:
        wanted = ours or DEFAULT_IMAGES
        built += build_images(engine, wanted, base=base, ca_bundle=ca_bundle, fresh=fresh, say=say)
    for name in names:
        if name in ours:
            continue
        template = load_template(name, shipped_root())
        require_contract(template, only_programs=True)
        one = derived.build_derived(engine, template, flavour, ca_bundle=ca_bundle, say=say)
        if one is None:
            say(f"{template.name} needs nothing beyond the base image")
        else:
            built.append(one)
    for one in built if as_json else ():
        out.as_json(asdict(one))


def images(*, as_json: bool) -> None:
    """Every image of ours and its state."""
    engine = connect()
    states = (*list_images(engine), *derived.list_derived(engine))
    if as_json:
        for state in states:
            out.as_json(asdict(state))
        return
    sizes = {one.name: f"{one.size / MIB:,.0f} MiB" if one.size else "" for one in states}
    now = datetime.now(UTC)
    ages = {one.name: f"{one.age(now)} d" if one.id else "" for one in states}
    rows = [
        (one.name, one.state, sizes[one.name], ages[one.name], one.id[7:19], one.about)
        for one in states
    ]
    out.table(("image", "state", "size", "age", "id", "for"), rows, whole=5)
    aged = [one.name for one in states if one.id and one.age(now) > OLD_AFTER]
    if aged:
        out.say(
            f"\nover {OLD_AFTER} days old, without Debian's updates since: "
            f"aisci images build --fresh {' '.join(aged)}"
        )
    old = [one.name for one in states if one.state != "ready" and one.name in DEFAULT_IMAGES]
    if old:
        out.say(f"\nbuild what is not ready: aisci images build {' '.join(old)}")


def reap_all(*, dry_run: bool, keep: bool, as_json: bool) -> None:
    """Remove what dead runs left; say each thing. With ``keep`` what their containers have is kept first."""
    engine = connect()
    for kept in keep_leftovers(engine) if keep and not dry_run else ():
        say_kept(kept, as_json=as_json)
    found = reap(engine, dry_run=dry_run)
    if as_json:
        for one in found:
            out.as_json({"removed": not dry_run, **asdict(one)})
        return
    out.table(("what", "name", "run", "job"), [(o.what, o.name, o.run, o.job) for o in found])
    verb = "would be removed" if dry_run else "removed"
    out.say(f"{len(found)} leftovers of dead runs {verb}")
