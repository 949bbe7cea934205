"""``aisci audit``: whether a run's record holds, on the terminal, as JSON, and as a page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestrator.api.audits import audit as audited
from orchestrator.audit.audit import Audit, AuditVerdict
from orchestrator.audit.finding import CHECKS, FindingGroup, group_findings
from orchestrator.audit.page import no_result_reason
from orchestrator.console import output as out

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
    """Audit a run and write the page; returns the exit code: 1 for a record that is broken."""
    outcome = audited(name, results, head=head, key=key, html=html)
    done, page = outcome.audit, str(outcome.page)
    if outcome.page is None:
        page = f"not written ({outcome.why}); --html FILE writes it to another place"
    out.as_json(_as_json(done, page)) if as_json else _say(done, page)
    return 1 if done.outcome is AuditVerdict.BROKEN else 0


def _say(done: Audit, page: str) -> None:
    out.say(f"{done.folder}: {done.outcome}\n{done.text}\n")
    groups = group_findings(done.findings)
    if groups:
        out.table(("", "where", "what and why"), [_row(one) for one in groups[:_MOST]])
        more = len(groups) - _MOST
        out.say(f"and {more} more, on the page\n" if more > 0 else "")
    states = ("fail" if one.wrong else "ok" if one.count else "-" for one in done.checks)
    rows = [
        (c.check, CHECKS[c.check], c.count, s) for c, s in zip(done.checks, states, strict=True)
    ]
    out.table(("check", "what has to hold", "looked at", ""), rows)
    out.say()
    for call in done.without_result:
        out.say(f"without a result, nothing of it was used: {call.where}, {call.name}")
    out.say(f"head:       {done.head}\nsignature:  {done.signature}\npage:       {page}")


def _row(group: FindingGroup) -> tuple[str, str, str]:
    one = group.first
    check = "noted" if one.level == "noted" else one.check
    return check, group.where, ": ".join(filter(None, (one.what, one.why)))


def _as_json(done: Audit, page: str) -> dict[str, Any]:
    return {
        "outcome": done.outcome,
        "folder": done.folder,
        "head": done.head,
        "signature": done.signature,
        "checks": [
            {"check": one.check, "holds": not one.wrong, "looked_at": one.count,
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
