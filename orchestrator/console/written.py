"""Commands about templates."""

from __future__ import annotations

from dataclasses import asdict

from orchestrator.console import out
from orchestrator.contract import check
from orchestrator.paths import shipped_root
from orchestrator.template import load as load_template
from orchestrator.template import shipped

WRONG = 2


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
