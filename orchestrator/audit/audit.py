"""The audit: every check over one reading of the folder, and the verdict, in one of four words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from orchestrator.audit import behaviour, pins, settings
from orchestrator.audit.bodies import check_blobs
from orchestrator.audit.budgets import check_budgets
from orchestrator.audit.calls import AuditedCall, AuditedCalls, AuditedContainer, read_calls
from orchestrator.audit.chain import Anchor, check_anchor, check_chain, check_seals
from orchestrator.audit.ending import RunEnd, run_end
from orchestrator.audit.evidence import check_evidence, check_results
from orchestrator.audit.files import check_files, unread_findings
from orchestrator.audit.finding import CHECKS, LET_READ, AuditFinding, CheckResult, check_result
from orchestrator.audit.record import RunRecord, read_record
from orchestrator.core.errors import AisciError
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Pins

_T = TypeVar("_T")

UNFORESEEN = (
    AisciError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError,
    RecursionError, AssertionError,
)  # fmt: skip
"""What values in a hostile record can raise where no check foresaw them."""


class AuditVerdict(StrEnum):
    """The verdict on a record."""

    INTACT = "intact"
    CONSISTENT = "consistent"
    UNFINISHED = "unfinished"
    BROKEN = "broken"


VERDICT_TEXTS = {
    AuditVerdict.INTACT: "Every check holds, and the head or signature that was stored elsewhere "
    "matches: in the whole folder nothing was changed, added or removed since then.",
    AuditVerdict.CONSISTENT: "Every check holds within the record. Whoever can write to its folder "
    "could have rewritten all of it consistently: only a head or a signature stored elsewhere "
    "rules that out.",
    AuditVerdict.UNFINISHED: "Every check holds as far as the record goes; its end is missing. A record that was cut "
    "off looks the same: if you know that the run had ended, do not rely on this one.",
    AuditVerdict.BROKEN: "At least one check does not hold. Do not rely on anything derived from "
    "this record.",
}

NOT_COMPARED = (
    "Every check holds, and the head or signature that was stored elsewhere matches the journals. "
    "The files beside them were not compared: they may be anything."
)

NOT_READ = (
    "This account may not read all of the folder, so the audit is not complete: what it could not "
    "read counts as broken. The record may be whole: let this account read it, and audit it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The result of auditing a run's folder. ``heads`` are (journal, head, number of lines)."""

    folder: str
    given: Anchor
    checks: tuple[CheckResult, ...]
    containers: tuple[AuditedContainer, ...]
    without_result: tuple[AuditedCall, ...]
    pinned: tuple[pins.HeldPins, ...]
    heads: tuple[tuple[str, str, int], ...]
    signature: str
    stamp: str
    compared: bool
    end: RunEnd = field(default_factory=RunEnd)

    @property
    def findings(self) -> tuple[AuditFinding, ...]:
        """What was not read, then the violations, then the notes."""
        every = [finding for check in self.checks for finding in check.findings]
        order = ("wrong", "unfinished", "noted")
        return tuple(sorted(every, key=lambda one: (order.index(one.level), one.todo != LET_READ)))

    @property
    def pins(self) -> Pins | None:
        """The pins in force at the end."""
        return self.pinned[-1].pins if self.pinned else None

    @property
    def wrong(self) -> int:
        return sum(check.wrong for check in self.checks)

    @property
    def outcome(self) -> AuditVerdict:
        if self.wrong:
            return AuditVerdict.BROKEN
        if any(check.unfinished for check in self.checks):
            return AuditVerdict.UNFINISHED
        whole = bool(self.given) and self.compared
        return AuditVerdict.INTACT if whole else AuditVerdict.CONSISTENT

    @property
    def text(self) -> str:
        """The verdict in words."""
        if self.outcome is AuditVerdict.CONSISTENT and self.given:
            return NOT_COMPARED
        if any(one.todo == LET_READ for one in self.findings):
            return NOT_READ
        return VERDICT_TEXTS[self.outcome]

    @property
    def ending(self) -> str:
        """How the run ended, where it did not end well; of a broken record nothing is repeated."""
        return "" if self.outcome is AuditVerdict.BROKEN else self.end.text

    @property
    def head(self) -> str:
        return self.heads[0][1]


def audit_run(
    paths: RunPaths,
    given: Anchor | None = None,
    made: Mapping[str, str] | None = None,
    why_not: str = "nothing was played again",
    *,
    working: bool = False,
) -> Audit:
    """Audit the run in ``paths.folder``, which contains a journal.

    ``made`` is the SHA-256 of each file that the record makes, by its path; None where it could
    not be played again, which ``why_not`` explains. ``working``: a process is at work on the run.
    """
    record, given = read_record(paths, working=working), Anchor() if given is None else given
    if not record.ended:  # files are written when a study ends: until then they may be of before
        made, why_not = None, "the run is not finished"
    broken: list[CheckResult] = []
    calls = _carried("calls", AuditedCalls(), lambda: read_calls(record), broken)
    none: tuple[pins.HeldPins, ...] = ()
    pinned = _carried("policy", none, lambda: pins.read_held_pins(record), broken)
    nothing = (check_result("anchor", 0, ()), "cannot be read", "")
    anchor, signature, stamp = _carried(
        "anchor", nothing, lambda: check_anchor(record, given), broken
    )
    policies = tuple(line.policy for line in pinned if line.policy)
    checks = [
        check_result("calls", len(calls.every), calls.findings),
        check_result("policy", len(pinned), (found for line in pinned for found in line.findings)),
        anchor,
    ]
    for name, check in (
        ("chain", lambda: [check_chain(record)]),
        ("seal", lambda: [check_seals(record)]),
        ("blobs", lambda: [check_blobs(record)]),
        ("evidence", lambda: [check_evidence(record, calls, policies)]),
        ("budget", lambda: [check_budgets(record, calls, policies)]),
        ("settings", lambda: list(_container_checks(record, calls, pinned))),
        ("results", lambda: [check_results(record, calls)]),
    ):
        checks += _carried(name, [], check, broken)
    checks += broken
    # Of a broken record nothing can be played, and nothing beside it counts.
    why = "" if any(one.wrong for one in checks) else why_not
    files = _file_checks(record, made, why, anchored=bool(given))
    checks += files
    order = list(CHECKS)
    return Audit(
        folder=str(paths.folder),
        given=given,
        checks=tuple(sorted(checks, key=lambda result: order.index(result.check))),
        containers=tuple(calls.containers),
        without_result=tuple(calls.without_result()),
        pinned=pinned,
        heads=tuple((log.name, log.head, len(log.lines)) for log in record.logs),
        signature=signature,
        stamp=stamp,
        compared=made is not None and any(one.count for one in files),
        end=_carried("seal", RunEnd(), lambda: run_end(record), []),
    )


def _file_checks(
    record: RunRecord, made: Mapping[str, str] | None, why_not: str, *, anchored: bool
) -> list[CheckResult]:
    unread = tuple(unread_findings(record.paths.folder))
    if unread:
        return [check_result("files", 0, unread)]
    none: list[CheckResult] = []
    wrong: list[CheckResult] = []
    done = _carried(
        "files", none, lambda: [check_files(record, made, why_not, anchored=anchored)], wrong
    )
    return [*done, *wrong]


def _carried(name: str, otherwise: _T, check: Callable[[], _T], broken: list[CheckResult]) -> _T:
    """What ``check`` returns. Values that no check foresaw are a fault of the record, and no end of
    the audit: then ``otherwise``, with a finding in ``broken``.
    """
    try:
        return check()
    except UNFORESEEN as error:
        what = "this check cannot be carried out: the record is not of the form that aisci writes"
        why = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
        if isinstance(error, OSError):
            what, why = (
                "this check cannot be carried out: a file cannot be read",
                f"{error.strerror}",
            )
        broken.append(check_result(name, 0, [AuditFinding(name, "the record", what, why)]))
        return otherwise


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
