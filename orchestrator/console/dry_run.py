"""``aisci run --dry-run``: what would run, where, under which policy, for how much, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from textwrap import indent

from orchestrator.api.dry_runs import DryRun, preview_run
from orchestrator.api.notify import require_target
from orchestrator.api.prepare import RunRequest
from orchestrator.console import output as out
from orchestrator.console.estimate import draw_estimate
from orchestrator.core.sanitize import plain_line
from orchestrator.core.units import number_text


def show_dry_run(request: RunRequest, *, as_json: bool, notify: str = "") -> int:
    """Show the run that ``request`` would start; exit code 1 where something is missing. ``notify`` is who would
    be told of its end.
    """
    if notify:
        require_target(notify)
    with out.trying(f"looking at a run of {request.template} …"):
        found = preview_run(request)
    if as_json:
        out.as_json({"dry_run": asdict(found)})
    else:
        _draw(found)
    return 1 if found.lacks else 0


def _draw(found: DryRun) -> None:
    out.table(("a run would have", ""), list(_rows(found)))
    out.say()
    draw_estimate(found.estimate)
    out.say()
    for lack in found.lacks:
        shown = [f"missing: {lack.what}", *filter(None, (lack.where, lack.why)), f"do: {lack.todo}"]
        out.say(indent("\n".join(shown), "  ").removeprefix("  "))
    if found.lacks:
        out.say(f"\n{out.counted(len(found.lacks), 'thing')} missing; nothing was started")
    else:
        out.say("nothing is missing; nothing was started")


def _rows(found: DryRun) -> Iterator[tuple[str, str]]:
    named = ", ".join(map(plain_line, found.ideas))
    yield "template", f"{found.template} at scale {found.scale}"
    yield "ideas", f"{found.count} of a list: {named}" if named else f"{found.count}, proposed"
    yield "in flight", str(found.parallel)
    yield "stages", ", ".join(found.stages)
    if found.left_out:
        yield "left out", ", ".join(found.left_out)
    for role, name, server in found.models:
        yield f"model{f' ({role})' if role else ''}", f"{name}{f' at {server}' if server else ''}"
    if found.effort:
        yield "effort", "; ".join(found.effort)
    why = f"; {found.why_policy}" if found.why_policy else ""
    yield "policy", f"{found.policy} {found.policy_hash[:12]}, {found.policy_origin}{why}"
    yield (
        "at most",
        f"US$ {number_text(found.usd)}, {out.counted(found.containers, 'container')} at once",
    )
    yield "network", "as the policy lists it" if found.network else "none in containers"
    yield "data", ", ".join(found.data) or "none to stage"
    yield (
        "images",
        ", ".join(f"{name} {sha.removeprefix('sha256:')[:12]}" for name, sha in found.images)
        or "none found",
    )
    yield "baseline", found.baseline
    yield "record", f"{found.folder}/DATE_TIME"
