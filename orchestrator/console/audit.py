"""``aisci audit``: whether a run's record holds, on the terminal, as JSON, and as a page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.api.audit_demands import Demanded, read_demands
from orchestrator.api.audits import audit as audited
from orchestrator.audit.audit import Audit, AuditVerdict
from orchestrator.audit.demand import Demand
from orchestrator.audit.finding import CHECKS, CheckResult, FindingGroup, group_findings
from orchestrator.audit.page import no_result_reason
from orchestrator.console import output as out

_EXITS = {AuditVerdict.BROKEN: 1, AuditVerdict.UNFINISHED: 4}
_LACKING = 5
_MOST = 20  # findings on a terminal; the page has the others


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWay:
    """A head, a public key and a certificate that were kept elsewhere, where the page goes, and the form of the answer."""

    head: str | None = None
    key: Path | None = None
    stamped_by: Path | None = None
    html: Path | None = None
    as_json: bool = False


def demanded(no_weaker_than: str | None, max_proof_age: float | None) -> Demanded:
    """What is asked besides; read before the record. Raises :class:`UserError`."""
    return read_demands(no_weaker_than, max_proof_age)


def audit(name: str, results: Path, way: AuditWay, asked: Demanded) -> int:
    """Audit a run and write the page; returns the exit code: 1 for a record that is broken, 4 for an
    unfinished one, 5 for one that holds and lacks what was asked.
    """
    outcome = audited(
        name,
        results,
        head=way.head,
        key=way.key,
        stamped_by=way.stamped_by,
        html=way.html,
        asked=asked,
    )
    done, page = outcome.audit, str(outcome.page)
    if outcome.page is None:
        page = f"not written ({outcome.why}); --html FILE writes it to another place"
    if way.as_json:
        demands = [{**asdict(one), "met": one.met} for one in outcome.demands]
        out.as_json({**_as_json(done, page), "demands": demands})
    else:
        _say(done, page)
        _say_demands(outcome.demands)
    lacking = any(one.required and not one.met for one in outcome.demands)
    return _EXITS.get(done.outcome, _LACKING if lacking else 0)


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
    stamp = f"\nstamp:      {done.stamp}" if done.stamp else ""
    out.say(f"head:       {done.head}\nsignature:  {done.signature}{stamp}\npage:       {page}")


def _say_demands(demands: tuple[Demand, ...]) -> None:
    for one in demands:
        out.say(f"asked:      {one.what}: {'yes' if one.met else 'no'}")
        for why in one.unmet[:_MOST]:
            out.say(f"            {why}")
        more = len(one.unmet) - _MOST
        if more > 0:
            out.say(f"            and {more} more; --json lists all")


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
        "stamp": done.stamp,
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
        "images": [
            {**asdict(one.image), "count": one.packages}
            for one in (done.pinned[-1].images if done.pinned else ())
        ],
        "heads": [
            {"journal": name, "head": head, "lines": lines} for name, head, lines in done.heads
        ],
        "page": page,
    }  # fmt: skip
