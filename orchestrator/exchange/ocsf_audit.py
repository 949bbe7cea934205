"""An audit's checks as OCSF compliance findings: one a check, with its id as the rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from orchestrator.core.sanitize import plain_line
from orchestrator.exchange import ocsf_rules as rules
from orchestrator.exchange.ocsf import COMPLIANCE, OcsfEvent, OcsfJson, OcsfMoment, OcsfSource

_MOST = 20  # findings of a check that are named
_PASS, _WARNING, _FAIL = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedCheck:
    """A check by its id and meaning, how many things it looked at, and what it found wrong or unfinished."""

    check: str
    meaning: str
    count: int
    wrong: Sequence[str]
    unfinished: Sequence[str]


def audit_events(
    checks: Sequence[AuditedCheck], verdict: str, at: str, source: OcsfSource
) -> Iterator[OcsfJson]:
    """The findings of an audit that ended at ``at`` with ``verdict``."""
    for number, one in enumerate(checks):
        failed = bool(one.wrong)
        status = _FAIL if failed else _WARNING if one.unfinished else _PASS
        severity = rules.CRITICAL if failed else rules.INFORMATIONAL
        title = f"audit: {one.meaning}"
        rule = replace(
            rules.AUDIT_CHECK, id=f"aisci.audit.{one.check}", title=title, severity=severity
        )
        found = [plain_line(text) for text in (*one.wrong, *one.unfinished)]
        compliance: OcsfJson = {
            "control": rule.id,
            "standards": ["aisci audit"],
            "status_id": status,
            "status_details": found[:_MOST] or ["it holds"],
        }
        event = OcsfEvent(
            kind=COMPLIANCE,
            activity=1,
            rule=rule,
            message=f"{title}: {len(found)} of {one.count} to look at",
            fields={"compliance": compliance},
            own={"verdict": verdict, "findings": len(found), "looked_at": one.count},
        )
        yield event.as_json(source, OcsfMoment(at=at, number=number))
