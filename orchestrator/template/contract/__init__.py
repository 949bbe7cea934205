"""The contract of a template: every rule, and the check that one keeps them.

The rules here need a template's files alone. ``measured.py`` holds those that its runs show, and
``console/trial.py`` makes the runs.
"""

from __future__ import annotations

from orchestrator.core.errors import BadTemplate, listed
from orchestrator.template.contract import code, data, files, paper
from orchestrator.template.contract.code import knob_line
from orchestrator.template.contract.finding import ContractRule, RuleFinding, RuleResult
from orchestrator.template.contract.paper import AUTHOR, PLACEHOLDERS
from orchestrator.template.template import Template

__all__ = [
    "AUTHOR",
    "PLACEHOLDERS",
    "RULES",
    "ContractRule",
    "RuleFinding",
    "RuleResult",
    "contract_findings",
    "knob_line",
    "require_contract",
    "rule_results",
]

RULES = (
    ContractRule(
        "files", "the five files are there, and those that the manifest names", files.there
    ),
    ContractRule("names", "no file has a name that an idea's records need", files.reserved),
    ContractRule("plain", "data is in kinds of file that a person can read", files.readable_data),
    ContractRule("task", "prompt.json and seed_ideas.json have their form", files.json_files),
    ContractRule("code", "the code is Python", code.parses),
    ContractRule("packages", "what it imports is declared, and in its image", code.packages),
    ContractRule("knobs", "one line turns each knob", code.knobs_on_one_line),
    ContractRule("data", "each scale has data without which it can run, or names it", data.offline),
    ContractRule("paper", "each part of the paper has its place", paper.skeleton),
)


def rule_results(template: Template) -> tuple[RuleResult, ...]:
    """Every rule with what it found, in the order of :data:`RULES`."""
    return tuple(RuleResult(r.name, r.promise, tuple(r.judge(template))) for r in RULES)


def contract_findings(template: Template) -> tuple[RuleFinding, ...]:
    """Everything that is wrong with ``template``; empty if it keeps its contract."""
    return tuple(finding for rule in rule_results(template) for finding in rule.findings)


def require_contract(template: Template) -> None:
    """Raise :class:`BadTemplate` with all findings, if there are any."""
    findings = contract_findings(template)
    if findings:
        raise BadTemplate(
            f"the template {template.name} does not keep its contract",
            where=template.origin,
            why=listed([f"{f.where}: {f.what}; {f.todo}" for f in findings]),
            todo=f"correct these, then: aisci template check {template.origin}",
        )
