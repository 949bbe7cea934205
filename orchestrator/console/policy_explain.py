"""``aisci policy explain``: each control with a policy's numbers and what this machine does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orchestrator.console import output as out
from orchestrator.console.output import counted
from orchestrator.core.errors import UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Host
from orchestrator.core.sanitize import plain_line
from orchestrator.machine.survey import survey_host
from orchestrator.policy.ceiling import above_ceilings, machine_ceilings
from orchestrator.policy.check import only_blocks
from orchestrator.policy.compare import flat_settings, shown_setting
from orchestrator.policy.controls import CIS, PSS, Control, How, departing, here, leaving
from orchestrator.policy.policy import Policy, load_blocks, load_policy

_LONGEST = 100  # characters of a line, however wide the terminal: text is read
_Found = tuple[tuple[Control, How], ...]
_COLOURS = {"given": "green", "missing": "red", "unknown": "yellow"}


def explain(name: str, *, as_json: bool) -> None:
    """Every control of the policy; what this machine cannot give is marked, and is no error."""
    policy = _whole(name)
    with out.trying("looking at this machine") as say:
        host = survey_host(Path(), probe=True, say=say)
    found = here(host, policy)
    if as_json:
        out.as_json({"policy": policy.name, "origin": policy.origin, "hash": policy.hash,
                     "machine": _machine(host), "exceeds": policy.settings.get("exceeds", {}),
                     "controls": [_as_json(*one, policy) for one in found],
                     "departures": [asdict(one) for one in departing(policy)],
                     "leaves": [asdict(one) for one in leaving(policy)]})  # fmt: skip
        return
    out.draw(_parts(policy, host, found), longest=_LONGEST)


def _whole(name: str) -> Policy:
    """A file of blocks alone says too little: its limits hold in the policies that take them."""
    shipped = shipped_root() / "policies"
    said = load_blocks(name, shipped)[1].settings
    if only_blocks(said):
        raise UserError(
            f"{name} holds a block that policies take, and is no policy by itself",
            where=", ".join(said),
            todo="explain a policy that takes it, such as default",
        )
    return load_policy(name, shipped)


def _parts(policy: Policy, host: Host, found: _Found) -> Iterator[RenderableType]:
    yield Text(f"{policy.name}: {plain_line(policy.whole.description, limit=400)}")
    yield Text(f"{policy.origin}, SHA-256 {policy.hash}", style="dim")
    yield Text(_machine(host), style="dim")
    for key, reason in policy.exceptions.items():
        yield Text(f"\n{key} exceeds its parent: {plain_line(str(reason), limit=600)}", "yellow")
    for ceiling in machine_ceilings(shipped_root() / "policies"):
        above = len(above_ceilings(policy.document, policy.settings, (ceiling,)))
        words = (
            f"above it in {counted(above, 'setting')}: it cannot run here" if above else "below it"
        )
        yield Text(
            f"\nThis machine has the ceiling {ceiling.origin}; this policy is {words}.", "yellow"
        )
    for control, how in found:
        head = Text(f"\n{control.title}", style="bold")
        yield head.append(f"  [{how.state}]", style=_COLOURS[how.state])
        yield Padding(_answers(control, how, policy), (0, 0, 0, 2))
    yield Text("\nWhat leaves this machine", style="bold")
    yield Padding(_ways_out(policy), (0, 0, 0, 2))
    yield Text(f"\n{_summary(found)}")


def _answers(control: Control, how: How, policy: Policy) -> Table:
    differs = departing(policy) if control.id == "runtime" else ()
    standards = (("CIS", control.cis), ("Pod Security", control.pss))  # one may have no counterpart
    like = "; ".join(f"{name} {', '.join(found)}" for name, found in standards if found)
    rows = (
        ("means", control.meaning(policy)),
        ("here", how.text),
        *(("differs", f"{d.control}: {d.instead}. What holds: {d.holds}") for d in differs),
        ("by", control.by),
        *([("like", like)] if like else []),
        ("not stopped", control.not_stopped),
    )
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, Text(plain_line(text, limit=2000)))
    return grid


def _ways_out(policy: Policy) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for number, one in enumerate(leaving(policy)):
        if number:
            grid.add_row()
        grid.add_row("what", Text(plain_line(one.what, limit=2000)))
        grid.add_row("to", Text(plain_line(one.to, limit=2000)))
        grid.add_row("when", Text(plain_line(one.when, limit=2000)))
    return grid


def _machine(host: Host) -> str:
    if host.engine is None:
        return f"no engine answers here: {plain_line(host.why, limit=400)}"
    engine = host.engine
    ran = ", ".join(one.name for one in host.runtimes if one.state == "tested")
    return (
        f"this machine: {engine.name} {engine.version}, kernel {engine.kernel}, cgroup {engine.cgroup}\n"
        f"tried just now: a hardened job ran as asked under {ran or 'no runtime'}"
    )


def _summary(found: _Found) -> str:
    def titles(state: str) -> str:
        return ", ".join(control.title for control, how in found if how.state == state)

    given = sum(how.state == "given" for _, how in found)
    lines = [f"{given} of {len(found)} controls are given here."]
    how = "`aisci run` refuses this policy here; `aisci doctor` says how to get them."
    lines += [f"Missing: {titles('missing')}. {how}"] if titles("missing") else []
    lines += [f"Not known: {titles('unknown')}."] if titles("unknown") else []
    return "\n".join([*lines, f"Compared with {CIS}, and Kubernetes {PSS}."])


def _as_json(control: Control, how: How, policy: Policy) -> dict[str, object]:
    flat = {".".join(path): value for path, value in flat_settings(policy.settings).items()}
    values = {key: flat[key] for key in control.settings}
    return {
        "id": control.id,
        "title": control.title,
        "settings": {key: shown_setting(value) for key, value in values.items()},
        "means": control.meaning(policy),
        "state": how.state,
        "here": how.text,
        "by": control.by,
        "cis": list(control.cis),
        "pod_security": list(control.pss),
        "not_stopped": control.not_stopped,
    }
