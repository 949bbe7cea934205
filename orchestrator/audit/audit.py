"""The audit: every check, over one reading of the folder."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit import behaviour, pins, settings
from orchestrator.audit.bodies import check_blobs
from orchestrator.audit.calls import AuditedCalls, read_calls
from orchestrator.audit.chain import check_chain, check_seals
from orchestrator.audit.evidence import check_evidence
from orchestrator.audit.finding import CHECKS, CheckResult, check_result
from orchestrator.audit.record import RunRecord, read_record
from orchestrator.audit.results import check_results
from orchestrator.audit.signature import Anchor, check_anchor
from orchestrator.audit.verdict import Audit
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.record.paths import RunPaths


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
    yield check_result(
        "limits", len(every), (f for pair in every for f in pins.limit_findings(*pair))
    )
    yield check_result("image", len(ran), (f for pair in ran for f in pins.image_findings(*pair)))
    wrong = (
        found
        for item, held in ran
        for found in settings.setting_findings(
            item, held.profile if held else shipped_profile(), held.folders if held else {}
        )
    )
    yield check_result("settings", len(ran), wrong)
    for name, findings in (
        ("kernel", behaviour.kernel_findings),
        ("use", behaviour.usage_findings),
        ("verdict", behaviour.verdict_findings),
    ):
        yield check_result(name, len(ran), (f for item, _ in ran for f in findings(item)))
