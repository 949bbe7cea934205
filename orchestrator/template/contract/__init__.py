"""The contract of a template: every rule, and the functions that check them.

These rules need only a template's files. ``measured.py`` has the rules for the results of its runs;
``api/template_run.py`` makes the runs.
"""

from __future__ import annotations

from orchestrator.core.errors import BadTemplate, listed
from orchestrator.template.contract import code, files, words
from orchestrator.template.contract.finding import ContractRule, RuleResult
from orchestrator.template.folder import MANIFEST, PAPER
from orchestrator.template.template import Template

_WORDS = ("prompt.json", "seed_ideas.json")
RULES = (
    ContractRule("files", "the required files exist, and those of the manifest", files.there),
    ContractRule("names", "no file has a name that an idea's records need", files.reserved),
    ContractRule("plain", "data is in human-readable kinds of file", files.readable_data),
    ContractRule(
        "task",
        "prompt.json and seed_ideas.json have the required form",
        files.json_files,
        _WORDS,
    ),
    ContractRule("code", "the code is Python", code.parses),
    ContractRule("packages", "its imports are declared, and in its image", code.packages),
    ContractRule("knobs", "one line sets each knob", code.knobs_on_one_line, (MANIFEST,)),
    ContractRule(
        "data",
        "some scale needs no download; each scale names its data",
        files.offline,
        (MANIFEST,),
    ),
    ContractRule("blank", "no line is left to fill in", words.blank, _WORDS, words=True),
    ContractRule("borrowed", "its words are its own", words.borrowed, _WORDS, words=True),
    ContractRule("paper", "each part of the paper has its placeholder", files.skeleton, (PAPER,)),
)


def rule_results(template: Template, *, own_image: bool = False) -> tuple[RuleResult, ...]:
    """Every rule with its findings, in the order of :data:`RULES`. With ``own_image`` the policy
    names an image that is not aisci's: what it has is unknown.
    """
    return tuple(_judged(rule, template, own_image=own_image) for rule in RULES)


def _judged(rule: ContractRule, template: Template, *, own_image: bool) -> RuleResult:
    if own_image and template.inferred and rule.judge is code.packages:
        return RuleResult(rule.name, rule.promise, why_not="the policy's image is not aisci's")
    found = tuple(rule.judge(template))
    why_not = "" if found else rule.unseen(template)
    return RuleResult(rule.name, rule.promise, found, why_not, words=rule.words)


def require_contract(
    template: Template, *, own_image: bool = False, only_programs: bool = False
) -> None:
    """Raise :class:`BadTemplate` with every violation, if there are any. With ``only_programs`` its
    words may be wrong: nobody reads them yet.
    """
    every = rule_results(template, own_image=own_image)
    rules = [rule for rule in every if not (only_programs and rule.words)]
    findings = [finding for rule in rules for finding in rule.findings]
    if findings:
        raise BadTemplate(
            f"the template {template.name} violates its contract",
            where=template.origin,
            why=listed([f"{f.where}: {f.what}{f.todo and f'; {f.todo}'}" for f in findings]),
            todo=f"correct these, then: aisci template check {template.argument}",
        )
