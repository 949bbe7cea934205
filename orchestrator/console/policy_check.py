"""``aisci policy check``: every finding of every file, for a person or for a program."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from rich.text import Text

from orchestrator.api.policy_check import CheckedPolicy, PolicyCheckRequest, checked_policies
from orchestrator.console import output as out
from orchestrator.console.output import counted
from orchestrator.console.policy_reports import annotation, sarif
from orchestrator.core.errors import UserError
from orchestrator.core.sanitize import plain
from orchestrator.policy.check import PolicyFinding

WRONG = 2


FindingsForm = Literal["text", "json", "sarif", "github"]


def check_named(
    names: tuple[str, ...],
    form: FindingsForm,
    *,
    no_weaker_than: str | None,
    exceptions: bool,
    here: bool,
    expires_within: float | None,
) -> int:
    """Check the policies of these names as a command line asks for it; the exit code."""
    request = PolicyCheckRequest(
        names=names,
        no_weaker_than=no_weaker_than,
        exceptions=exceptions,
        here=here,
        expires_within=expires_within,
    )
    return check_policies(request, form)


def check_policies(request: PolicyCheckRequest, form: FindingsForm = "text") -> int:
    """Print every finding of every file; returns the exit code."""
    checked = checked_policies(request)
    findings = [finding for one in checked for finding in one.findings]
    if form == "sarif":
        out.verbatim(f"{sarif(findings)}\n")
    elif form == "github":
        for finding in findings:
            out.say(annotation(finding))
    else:
        for one in checked:
            out.as_json(_as_json(one)) if form == "json" else _say(one)
    return 0 if all(one.ok for one in checked) else WRONG


def _say(checked: CheckedPolicy) -> None:
    out.say(f"{checked.name}: " + _summary(checked))
    for finding in checked.findings:  # each below its file, with the level in its colour
        text = Text(plain(f"  {finding}".replace("\n", "\n  ")))
        text.stylize(out.STATES[finding.level], 2, 2 + len(finding.level))
        out.draw([text], soft_wrap=True)


def form_of(*, as_json: bool, as_sarif: bool, as_github: bool) -> FindingsForm:
    """The form that the options ask for. Raises :class:`UserError` for two of them."""
    forms: dict[FindingsForm, bool] = {"json": as_json, "sarif": as_sarif, "github": as_github}
    asked = [form for form, wanted in forms.items() if wanted]
    if len(asked) > 1:
        given = " ".join(f"--{one}" for one in asked)
        raise UserError("findings have one form", where=given, todo="give one of these options")
    return asked[0] if asked else "text"


def _summary(checked: CheckedPolicy) -> str:
    if not checked.ok:
        return counted(checked.count("error"), "error")
    if not checked.ceiling:
        return "ok"
    held = f"{checked.compared} settings, none allows more than in {checked.ceiling!r}"
    exceeds = checked.count("exceeds")
    return f"ok; {held}" + (f" but for {exceeds} with a reason" if exceeds else "")


def _as_json(checked: CheckedPolicy) -> dict[str, object]:
    findings = list(map(_finding_as_json, checked.findings))
    answer = {"policy": checked.name, "ok": checked.ok, "findings": findings}
    if checked.ceiling:
        answer |= {"no_weaker_than": checked.ceiling, "compared": checked.compared}
    return answer


def _finding_as_json(finding: PolicyFinding) -> dict[str, object]:
    """A finding with its place as one text, and in its parts."""
    made = asdict(finding)
    place: dict[str, object] = made.pop("place")
    return {**place, **made, "where": finding.where}
