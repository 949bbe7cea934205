"""Commands about what people write: policies and templates."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from orchestrator import BadPolicy
from orchestrator.console import out
from orchestrator.contract import check
from orchestrator.edges.machine import measure
from orchestrator.paths import shipped_root
from orchestrator.policy import load, load_blocks, show
from orchestrator.policy_check import Finding, check_file, check_machine
from orchestrator.template import load as load_template
from orchestrator.template import shipped

WRONG = 2


def show_policy(name: str, *, effective: bool) -> None:
    """Print a policy as written, or after inheritance with every key."""
    out.say(show(load(name, shipped_root() / "policies"), effective=effective).rstrip("\n"))


def check_policies(names: list[str], *, as_json: bool) -> int:
    """Print every finding of every file; returns the exit code."""
    wrong = 0
    for name in names:
        findings = _findings(name)
        wrong += any(finding.level == "error" for finding in findings)
        if as_json:
            out.as_json({"policy": name, "findings": [asdict(one) for one in findings]})
            continue
        out.say(f"{name}: " + (f"{len(findings)} to look at" if findings else "ok"))
        for finding in findings:
            out.say(f"  {finding}".replace("\n", "\n  "))
    return WRONG if wrong else 0


def _findings(name: str) -> tuple[Finding, ...]:
    """What is wrong with one policy, here too; a file that does not load is one finding."""
    folder = shipped_root() / "policies"
    try:
        found = check_file(name, folder)
        if "run" in load_blocks(name, folder)[1].settings:  # a whole policy, not blocks for others
            found += check_machine(load(name, folder), measure(Path()))
    except BadPolicy as error:
        what = "; ".join(filter(None, (error.what, error.why)))
        return (Finding("error", error.where, what, error.todo),)
    return found


def list_templates(*, as_json: bool) -> None:
    """Print the shipped templates with what each studies."""
    rows = [load_template(name, shipped_root()) for name in shipped(shipped_root())]
    if as_json:
        for row in rows:
            scales = list(row.manifest.scales)
            out.as_json({"name": row.name, "title": row.manifest.title, "scales": scales})
        return
    out.table(
        ("template", "scales", "what it studies"),
        [(row.name, ", ".join(row.manifest.scales), row.manifest.title) for row in rows],
    )


def check_template(name: str, *, run: bool, policy: str, as_json: bool) -> int:
    """Print every finding; with ``run``, then try it in real containers."""
    template = load_template(name, shipped_root())
    findings = check(template)
    if as_json:
        out.as_json({"template": template.name, "findings": [asdict(one) for one in findings]})
    else:
        found = f"{len(findings)} to mend" if findings else "keeps its contract"
        out.say(f"{template.name} ({template.origin}): {found}")
        for one in findings:
            out.say(f"  {one.where}\n    {one.what}\n    do: {one.todo}")
    if findings:
        return WRONG
    if run:
        from orchestrator.console.trial import try_out  # noqa: PLC0415 - it needs an engine

        return try_out(template, policy, as_json=as_json)
    return 0
