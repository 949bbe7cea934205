"""``aisci audit``: whether a run's record holds, on the terminal, as JSON, and as a page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestrator.api.audits import audit as audited
from orchestrator.audit.audit import Audit, AuditVerdict
from orchestrator.audit.finding import CHECKS, CheckResult, FindingGroup, group_findings
from orchestrator.audit.page import no_result_reason
from orchestrator.console import output as out

_EXITS = {AuditVerdict.BROKEN: 1, AuditVerdict.UNFINISHED: 4}
_MOST = 20  # findings on a terminal; the page has the others


def audit(
    name: str,
    results: Path,
    *,
    head: str | None,
    key: Path | None,
    html: Path | None,
    as_json: bool,
) -> int:
    """Audit a run and write the page; returns the exit code: 1 for a record that is broken, 4 for an
    unfinished one.
    """
    outcome = audited(name, results, head=head, key=key, html=html)
    done, page = outcome.audit, str(outcome.page)
    if outcome.page is None:
        page = f"not written ({outcome.why}); --html FILE writes it to another place"
    out.as_json(_as_json(done, page)) if as_json else _say(done, page)
    return _EXITS.get(done.outcome, 0)


def _say(done: Audit, page: str) -> None:
    out.say("\n".join((f"{done.folder}: {done.outcome}", done.text, *filter(None, [done.ending]))))
    out.say()
    groups = group_findings(done.findings)
    if groups:
        out.table(("", "where", "what and why"), [_row(one) for one in groups[:_MOST]])
        more = len(groups) - _MOST
        out.say(f"and {more} more, on the page\n" if more > 0 else "")
    states = map(_state, done.checks)
    rows = [
        (c.check, CHECKS[c.check], c.count, s) for c, s in zip(done.checks, states, strict=True)
    ]
    out.table(("check", "what has to hold", "looked at", ""), rows)
    out.say()
    for call in done.without_result:
        out.say(f"without a result, nothing of it was used: {call.where}, {call.name}")
    out.say(f"head:       {done.head}\nsignature:  {done.signature}\npage:       {page}")


def _state(check: CheckResult) -> str:
    if check.wrong or check.unfinished:
        return "fail" if check.wrong else "open"
    return "ok" if check.count else "-"


def _row(group: FindingGroup) -> tuple[str, str, str]:
    one = group.first
    check = one.check if one.level == "wrong" else one.level
    return check, group.where, ": ".join(filter(None, (one.what, one.why)))


def _as_json(done: Audit, page: str) -> dict[str, Any]:
    return {
        "outcome": done.outcome,
        "ended": done.end.state,
        "why": done.end.why,
        "folder": done.folder,
        "head": done.head,
        "signature": done.signature,
        "checks": [
            {"check": one.check, "holds": not (one.wrong or one.unfinished), "looked_at": one.count,
             "what": CHECKS[one.check]}
            for one in done.checks
        ],
        "findings": [asdict(one) for one in done.findings],
        "containers": [
            {"where": box.where, "scope": box.call.asked.event.scope, "kind": box.kind,
             "evidence": asdict(box.attestation) if box.attestation else None}
            for box in done.containers
        ],
        "without_result": [
            {"where": call.where, "call": call.name, "why": no_result_reason(call)}
            for call in done.without_result
        ],
        "heads": [
            {"journal": name, "head": head, "lines": lines} for name, head, lines in done.heads
        ],
        "page": page,
    }  # fmt: skip
