"""The audit: one check after the other over one reading of the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.audit import behaviour as conduct
from orchestrator.audit import bodies, chain, evidence, results, settings
from orchestrator.audit import pins as pinned
from orchestrator.audit.calls import Box, Calls, read_calls
from orchestrator.audit.finding import CHECKS, Checked, Finding, checked
from orchestrator.audit.record import Record, read_record
from orchestrator.audit.signature import Anchor, anchor
from orchestrator.audit.verdict import Audit
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.record.paths import RunPaths


def audit(paths: RunPaths, given: Anchor | None = None) -> Audit:
    """All that can be said of the run in a folder that holds a journal."""
    record = read_record(paths)
    calls = read_calls(record)
    pins = pinned.read_pins(record)
    held, signature = anchor(record, given or Anchor())
    policies = tuple(one.policy for one in pins if one.policy is not None)
    made = (
        chain.chain(record),
        chain.seal(record),
        bodies.blobs(record),
        calls.checked(),
        pinned.policy(pins),
        evidence.evidence(record, calls, policies),
        *_of_boxes(record, calls, pins),
        results.results(record, calls),
        held,
    )
    order = list(CHECKS)
    return Audit(
        folder=str(paths.folder),
        given=given or Anchor(),
        checks=tuple(sorted(made, key=lambda one: order.index(one.check))),
        boxes=tuple(calls.boxes),
        without_result=tuple(calls.without_result()),
        pins=pins[-1].pins if pins else None,
        heads=tuple((log.name, log.head, len(log.lines)) for log in record.logs),
        signature=signature.said,
    )


def _of_boxes(record: Record, calls: Calls, pins: tuple[pinned.Held, ...]) -> Iterator[Checked]:
    """The checks that look at one container after the other."""
    boxes = calls.boxes
    theirs = {box.where: pinned.held(box, pins, record) for box in boxes}
    ran = [box for box in boxes if box.attestation is not None]
    looks: tuple[tuple[str, Callable[[Box], Iterator[Finding]]], ...] = (
        ("kernel", conduct.kernel),
        ("use", conduct.use),
        ("verdict", conduct.verdicts),
    )
    limits = (one for box in boxes for one in pinned.limits(box, theirs[box.where]))
    images = (one for box in ran for one in pinned.image(box, theirs[box.where]))
    yield checked("limits", len(boxes), limits)
    yield checked("image", len(ran), images)
    filters = {where: one.profile if one else shipped_profile() for where, one in theirs.items()}
    folders = {where: one.folders if one else {} for where, one in theirs.items()}
    asked = (
        one for box in ran for one in settings.settings(box, filters[box.where], folders[box.where])
    )
    yield checked("settings", len(ran), asked)
    for name, look in looks:
        yield checked(name, len(ran), (one for box in ran for one in look(box)))
