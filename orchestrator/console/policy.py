"""The commands ``aisci policy list``, ``show``, ``schema`` and ``diff``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from orchestrator.api.policies import SHIPPED, this_machine
from orchestrator.console import output as out
from orchestrator.console.columns import Column, cell, fixed_columns
from orchestrator.console.output import counted
from orchestrator.core.errors import UserError
from orchestrator.core.host import Machine
from orchestrator.core.strict_yaml import dump
from orchestrator.policy.ceiling import above_ceilings, machine_ceilings
from orchestrator.policy.check import check_machine, comparable, only_blocks
from orchestrator.policy.compare import Strength, compare, shown_setting
from orchestrator.policy.document import json_schema
from orchestrator.policy.policy import Policy, load_blocks, load_policy, policy_text

ROOMY = 120  # characters; on a narrower terminal descriptions stand below


def list_policies(*, as_json: bool) -> None:
    """The shipped policies, one line each, with the limits of their experiments."""
    machine, ceilings = this_machine(), machine_ceilings(SHIPPED)
    rows = [_row(path.stem, machine, ceilings) for path in sorted(SHIPPED.glob("*.yaml"))]
    if as_json:
        for row in rows:
            out.as_json(row)
        return
    heads = ["name", "fits here", "runtime", "cpus", "memory", "disk", "gpus", "wall", "network"]
    if out.width() >= ROOMY:
        heads = ["name", "extends", *heads[1:], "description"]
        out.table(heads, [[row[head] for head in heads] for row in rows])
        return
    heads.remove("runtime")  # a description says where it is another one
    columns = [Column(head=head) for head in heads]
    for row in rows:
        row["fits here"] = row["fits here"].replace("a block for others", "a block")
    cells = [
        [cell(row[head], out.STATES.get(str(row[head]), "")) for head in heads] for row in rows
    ]
    lines = fixed_columns(columns, cells, out.width())
    below = [Text(f"{row['name']}: {row['description']}") for row in rows]
    out.draw([*lines, Text(), *below], soft_wrap=False)


def _row(name: str, machine: Machine, ceilings: tuple[Policy, ...]) -> dict[str, Any]:
    document, effective = load_blocks(name, SHIPPED)
    kind = "experiment" if "experiment" in effective.settings else next(iter(effective.settings))
    block = effective.settings[kind]
    gpus, network = block["gpus"], block["network"]
    fits = "a block for others"
    if not only_blocks(effective.settings):
        policy = load_policy(name, SHIPPED)
        above = above_ceilings(document, policy.settings, ceilings)
        fits = "no" if above or check_machine(policy, machine) else "yes"
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
