"""An audit's verdict, in one of three words, and everything that it is based on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.audit.calls import AuditedCall, AuditedContainer
from orchestrator.audit.finding import AuditFinding, CheckResult
from orchestrator.audit.signature import Anchor
from orchestrator.record.pins import Pins


class AuditVerdict(StrEnum):
    """The verdict on a record."""

    INTACT = "intact"
    CONSISTENT = "consistent"
    BROKEN = "broken"


VERDICT_TEXTS = {
    AuditVerdict.INTACT: "Every check holds, and the head or signature that was stored elsewhere "
    "matches: nothing was changed, added or removed since then.",
    AuditVerdict.CONSISTENT: "Every check holds within the record. Whoever can write to its folder "
    "could have rewritten all of it consistently: only a head or a signature stored elsewhere "
    "rules that out.",
    AuditVerdict.BROKEN: "At least one check does not hold. Do not rely on anything derived from "
    "this record.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The result of auditing a run's folder. ``heads`` are (journal, head, number of lines)."""

    folder: str
    given: Anchor
    checks: tuple[CheckResult, ...]
    containers: tuple[AuditedContainer, ...]
    without_result: tuple[AuditedCall, ...]
    pins: Pins | None
    heads: tuple[tuple[str, str, int], ...]
    signature: str

    @property
    def findings(self) -> tuple[AuditFinding, ...]:
        """The violations, then the notes."""
        every = [finding for check in self.checks for finding in check.findings]
        return tuple(sorted(every, key=lambda finding: finding.level == "noted"))

    @property
    def wrong(self) -> int:
        return sum(check.wrong for check in self.checks)

    @property
    def outcome(self) -> AuditVerdict:
        if self.wrong:
            return AuditVerdict.BROKEN
        return AuditVerdict.INTACT if self.given else AuditVerdict.CONSISTENT

    @property
    def head(self) -> str:
        return self.heads[0][1]
