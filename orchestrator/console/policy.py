"""The commands ``aisci policy list``, ``show``, ``check``, ``schema`` and ``diff``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.text import Text

from orchestrator.api.policies import SHIPPED, this_machine
from orchestrator.console import output as out
from orchestrator.console.columns import Column, cell, fixed_columns
from orchestrator.console.output import counted
from orchestrator.core.errors import BadPolicy, UserError
from orchestrator.core.host import Machine
from orchestrator.core.sanitize import plain
from orchestrator.core.strict_yaml import dump
from orchestrator.policy.check import (
    Level,
    PolicyFinding,
    ceiling_of,
    check_file,
    check_machine,
    check_no_weaker,
    comparable,
    of_error,
    only_blocks,
)
from orchestrator.policy.compare import Strength, compare, shown_setting
from orchestrator.policy.document import json_schema
from orchestrator.policy.policy import Policy, load_blocks, load_policy, policy_text

WRONG = 2
ROOMY = 120  # characters; on a narrower terminal descriptions stand below


def list_policies(*, as_json: bool) -> None:
    """The shipped policies, one line each, with the limits of their experiments."""
    machine = this_machine()
    rows = [_row(path.stem, machine) for path in sorted(SHIPPED.glob("*.yaml"))]
    if as_json:
        for row in rows:
            out.as_json(row)
        return
    heads = ["name", "fits here", "runtime", "cpus", "memory", "disk", "gpus", "wall", "network"]
    if out.width() >= ROOMY:
        heads = ["name", "extends", *heads[1:], "description"]
        out.table(heads, [[row[head] for head in heads] for row in rows])
        return
    columns = [Column(head=head) for head in heads]
    for row in rows:
        row["fits here"] = row["fits here"].replace("a block for others", "a block")
    cells = [
        [cell(row[head], out.STATES.get(str(row[head]), "")) for head in heads] for row in rows
    ]
    lines = fixed_columns(columns, cells, out.width())
    below = [Text(f"{row['name']}: {row['description']}") for row in rows]
    out.draw([*lines, Text(), *below], soft_wrap=False)


def _row(name: str, machine: Machine) -> dict[str, Any]:
    document, effective = load_blocks(name, SHIPPED)
    kind = "experiment" if "experiment" in effective.settings else next(iter(effective.settings))
    block = effective.settings[kind]
    gpus, network = block["gpus"], block["network"]
    fits = "a block for others"
    if not only_blocks(effective.settings):
        fits = "no" if check_machine(load_policy(name, SHIPPED), machine) else "yes"
    return {
        "name": name,
        "fits here": fits,
        "description": document.data["description"],
        "extends": document.data.get("extends", ""),
        "block": kind,
        "runtime": block["runtime"],
        "cpus": block["resources"]["cpus"],
        "memory": block["resources"]["memory"],
        "disk": block["storage"]["workspace"],
        "gpus": f"{gpus['count']} × {gpus['memory']}" if gpus["count"] else "none",
        "wall": block["time"]["wall"],
        "network": network if network == "none" else counted(len(network["allow"]), "host"),
    }


def show_policy(name: str, *, effective: bool, as_json: bool) -> None:
    """Print a policy as written, or after inheritance with every key."""
    document, inherited = load_blocks(name, SHIPPED)
    if as_json:
        out.as_json(inherited.settings if effective else document.data)
    elif not effective:
        out.say(document.text.rstrip("\n"))
    elif only_blocks(inherited.settings):
        out.say(dump(inherited.settings).rstrip("\n"))
    else:
        out.say(policy_text(load_policy(name, SHIPPED), effective=True).rstrip("\n"))


def print_schema() -> None:
    """The JSON Schema of a policy file."""
    out.say(json.dumps(json_schema(), indent=2, ensure_ascii=True))


def check_policies(
    names: list[str], no_weaker_than: str | None, *, exceptions: bool, here: bool, as_json: bool
) -> int:
    """Print every finding of every file; returns the exit code.

    ``here``: a limit above this machine is an error; otherwise it is a note.
    """
    if not exceptions and no_weaker_than is None:
        raise UserError(
            "--no-exceptions has no effect without a policy to compare with",
            where="--no-exceptions",
            todo="add --no-weaker-than base",
        )
    ceiling = None if no_weaker_than is None else ceiling_of(no_weaker_than, SHIPPED)
    wrong = False
    for name in (f"./{one}" if _a_file(one) else one for one in names):
        compared, findings = _findings(name, ceiling, exceptions=exceptions, here=here)
        failed = any(finding.level == "error" for finding in findings)
        wrong = wrong or failed
        if as_json:
            answer = {"policy": name, "ok": not failed, "findings": list(map(_as_json, findings))}
            if ceiling is not None:
                answer |= {"no_weaker_than": ceiling.name, "compared": compared}
            out.as_json(answer)
            continue
        out.say(f"{name}: " + _summary(findings, compared, ceiling))
        for finding in findings:  # each below its file, with the level in its colour
            text = Text(plain(f"  {finding}".replace("\n", "\n  ")))
            text.stylize(out.STATES[finding.level], 2, 2 + len(finding.level))
            out.draw([text], soft_wrap=True)
    return WRONG if wrong else 0


def _a_file(name: str) -> bool:
    """Whether a bare name is a file's here: `check` takes files, as other programs that check files."""
    return "/" not in name and name.endswith((".yaml", ".yml"))


def _as_json(finding: PolicyFinding) -> dict[str, object]:
    """A finding with its place as one text, and in its parts."""
    made = asdict(finding)
    place: dict[str, object] = made.pop("place")
    return {**place, **made, "where": finding.where}


def _summary(findings: tuple[PolicyFinding, ...], compared: int, ceiling: Policy | None) -> str:
    errors = sum(finding.level == "error" for finding in findings)
    if errors:
        return counted(errors, "error")
    if ceiling is None:
        return "ok"
    exceeds = sum(finding.level == "exceeds" for finding in findings)
    held = f"{compared} settings, none allows more than in {ceiling.name!r}"
    return f"ok; {held}" + (f" but for {exceeds} with a reason" if exceeds else "")


def _findings(
    name: str, ceiling: Policy | None, *, exceptions: bool, here: bool
) -> tuple[int, tuple[PolicyFinding, ...]]:
    """How many settings were compared, and the findings; a file that does not load has errors only."""
    try:
        found = check_file(name, SHIPPED)
        compared = 0
        if ceiling is not None:
            compared, more = check_no_weaker(name, ceiling, SHIPPED, exceptions=exceptions)
            found += more
        if not only_blocks(load_blocks(name, SHIPPED)[1].settings):
            level: Level = "error" if here else "note"
            found += check_machine(load_policy(name, SHIPPED), this_machine(), level)
    except BadPolicy as error:
        return 0, of_error(error)
    return compared, found


def diff(first: str, second: str, *, as_json: bool) -> None:
    """Compare ``second`` with ``first``, setting by setting; a difference is not an error."""
    before, after = comparable(first, SHIPPED), comparable(second, SHIPPED)
    common = [block for block in after if block in before]
    if not common:
        raise UserError(
            f"{first!r} and {second!r} have no block in common",
            where=f"blocks: {', '.join(before)} in {first}; {', '.join(after)} in {second}",
            todo="compare two policies that have a block of the same name",
        )
    found = compare(before, after)
    counts = Counter(one.verdict for one in found)
    if as_json:
        differences = [
            {"key": one.key, "before": one.before, "after": one.after, "verdict": one.verdict}
            for one in found
        ]
        totals = {verdict: counts[verdict] for verdict in ("stronger", "weaker", "different")}
        out.as_json({"from": first, "to": second, "differences": differences, **totals})
        return
    rows = [one for block in common for one in found if one.path[0] == block]
    if rows:
        out.table(
            ("", first, second, f"{second} is"),
            [
                (".".join(o.path[1:]), shown_setting(o.before), shown_setting(o.after), o.verdict)
                for o in rows
            ],
            groups=[one.path[0] for one in rows],
        )
        out.say()
    out.say(_in_words(first, second, counts))


def _in_words(first: str, second: str, counts: Mapping[Strength, int]) -> str:
    if not any(counts.values()):
        return f"{second} and {first} allow the same, in every setting"
    other: tuple[Strength, ...] = ("stronger", "different")
    others = ", ".join(f"{counts[one]} {one}" for one in other if counts[one])
    if not counts["weaker"]:
        return f"{second} allows nothing that {first} does not: {others}"
    many = counted(counts["weaker"], "setting")
    return f"{second} allows more than {first} in {many}" + (f"; {others}" if others else "")
