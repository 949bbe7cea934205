"""``aisci doctor``: look, try, judge, and draw the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.api.month_use import budget_checks
from orchestrator.api.readiness import readiness
from orchestrator.api.verdict import MachineVerdict, machine_verdict
from orchestrator.console import output as out
from orchestrator.core.sanitize import plain_line
from orchestrator.machine.doctor import Check, CheckState, examine
from orchestrator.machine.survey import survey_host

_WIDE = 120  # characters: no wider, and so wide where no terminal says
_COLOURS: dict[CheckState, str] = {
    "ok": "green",
    "note": "dim",
    "warn": "yellow",
    "fail": "red",
    "refused": "yellow",
}


def doctor(results: Path, *, verbose: bool, as_json: bool) -> int:
    """What this machine can give; returns the exit code, 1 where a check failed."""
    with out.trying("looking …", "trying {} …") as say:
        host = survey_host(results, probe=True, say=say)
        say("the shipped policies")
        checks = examine(host) + budget_checks() + readiness(host, results)
    if as_json:
        for one in checks:
            out.as_json(asdict(one))
    else:
        _draw(checks, verbose=verbose)
    return 1 if any(one.state == "fail" for one in checks) else 0


def _draw(checks: Sequence[Check], *, verbose: bool) -> None:
    parts: list[RenderableType] = []
    widest = max(len(one.name) for one in checks)
    for group in dict.fromkeys(one.group for one in checks):
        drawn = Table(box=None, show_header=False, padding=(0, 1, 0, 0), expand=True)
        drawn.add_column(width=8)
        drawn.add_column(width=min(widest, 26), overflow="fold")
        drawn.add_column(overflow="fold", ratio=1)
        drawn.add_column(width=8, style="dim")
        for one in checks:
            if one.group == group:
                state = Text(f" {one.state}", style=_COLOURS[one.state])
                drawn.add_row(state, _one_line(one.name), _words(one, verbose=verbose), one.basis)
        parts += [Text(group, style="bold"), drawn]
    states = Counter(one.state for one in checks)
    counts = ", ".join(f"{states[state]} {state}" for state in _COLOURS if states[state])
    basis = "tested: tried just now; reported: by the engine; read: from files"
    verdict = Text("\n".join(verdict_lines(machine_verdict(checks))), style="bold")
    out.draw([*parts, Text(f"{counts}. {basis}"), verdict], longest=_WIDE)


def verdict_lines(verdict: MachineVerdict) -> list[str]:
    """What `aisci run` would take here, what larger policies lack, and the next step."""
    lines = [f"verdict: runs here take the policy {verdict.policy}"]
    if not verdict.policy:
        lines = ["verdict: no shipped policy can run here yet"]
    lines += [f"         larger: {name}: {_one_line(what)}" for name, what in verdict.missing]
    return [*lines, f"next:    {_one_line(verdict.next)}"]


def _words(one: Check, *, verbose: bool) -> Text:
    """What was found, and below it what to do."""
    text = Text(_one_line(one.found))
    for line in one.details if verbose else ():
        text.append(f"\n· {_one_line(line)}", style="dim")
    for line in one.todo.splitlines():
        sign = "  " if line[0].isspace() else "→ "  # what is set in goes on from the line above
        text.append(f"\n{sign}{_one_line(line.strip())}", style="cyan")
    return text


def _one_line(text: str) -> str:
    """Quoted words may be an engine's or an image's own."""
    return plain_line(text, limit=600)
