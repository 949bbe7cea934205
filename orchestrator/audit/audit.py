"""The audit: every check over one reading of the folder, and the verdict, in one of three words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.audit import behaviour, pins, settings
from orchestrator.audit.bodies import check_blobs
from orchestrator.audit.calls import AuditedCall, AuditedCalls, AuditedContainer, read_calls
from orchestrator.audit.chain import Anchor, check_anchor, check_chain, check_seals
from orchestrator.audit.evidence import check_evidence, check_results
from orchestrator.audit.finding import CHECKS, AuditFinding, CheckResult, check_result
from orchestrator.audit.record import RunRecord, read_record
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.record.paths import RunPaths
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


def audit_run(paths: RunPaths, given: Anchor | None = None) -> Audit:
    """Audit the run in ``paths.folder``, which contains a journal."""
    record = read_record(paths)
    calls = read_calls(record)
    pinned = pins.read_held_pins(record)
    anchor, signature = check_anchor(record, given or Anchor())
    checks = (
        check_chain(record),
        check_seals(record),
        check_blobs(record),
        check_result("calls", len(calls.every), calls.findings),
        check_result("policy", len(pinned), (found for line in pinned for found in line.findings)),
        check_evidence(record, calls, tuple(line.policy for line in pinned if line.policy)),
        *_container_checks(record, calls, pinned),
        check_results(record, calls),
        anchor,
    )
    order = list(CHECKS)
    return Audit(
        folder=str(paths.folder),
        given=given or Anchor(),
        checks=tuple(sorted(checks, key=lambda result: order.index(result.check))),
        containers=tuple(calls.containers),
        without_result=tuple(calls.without_result()),
        pins=pinned[-1].pins if pinned else None,
        heads=tuple((log.name, log.head, len(log.lines)) for log in record.logs),
        signature=signature,
    )


def _container_checks(
    record: RunRecord, calls: AuditedCalls, pinned: tuple[pins.HeldPins, ...]
) -> Iterator[CheckResult]:
    """The checks that examine one container after the other."""
    every = [(item, pins.pins_of_container(item, pinned, record)) for item in calls.containers]
    # Only a call whose work a container did has an image, settings and measurements to check.
    ran = [(item, held) for item, held in every if item.attestation is not None]
    wrong = (found for pair in every for found in pins.limit_findings(*pair))
    yield check_result("limits", len(every), wrong)
    yield check_result("image", len(ran), (f for pair in ran for f in pins.image_findings(*pair)))
    asked = (
        (item, held.profile, held.folders) if held else (item, shipped_profile(), {})
        for item, held in ran
    )
    wrong = (found for one in asked for found in settings.setting_findings(*one))
    yield check_result("settings", len(ran), wrong)
    for name, findings in (
        ("kernel", behaviour.kernel_findings),
        ("use", behaviour.usage_findings),
        ("verdict", behaviour.verdict_findings),
    ):
        yield check_result(name, len(ran), (f for item, _ in ran for f in findings(item)))
