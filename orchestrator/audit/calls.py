"""Calls: each request with its answer, and the container that produced it.

A call without an answer, or with only an error, may have had a container whose end was never
recorded. No line can use its result, so such calls are listed and are not a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from orchestrator.audit.finding import NOT_HELD, AuditFinding
from orchestrator.audit.record import UNREADABLE_BODY, JournalLine, JournalLog, RunRecord
from orchestrator.core.decode import decode
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Attestation, Job, JobResult, Limits
from orchestrator.core.tree import digest
from orchestrator.record.events import Answered, Asked, Body, CallFailed

_PORTS = frozenset({"sandbox", "editor"})
_UNREADABLE = (*UNREADABLE_BODY, TypeError)


@dataclass(frozen=True, slots=True)
class AuditedCall:
    """A request, and its answer if one was recorded."""

    log: JournalLog
    asked: JournalLine[Asked]
    answered: JournalLine[Answered | CallFailed] | None = None

    @property
    def where(self) -> str:
        return (self.answered or self.asked).where

    @property
    def name(self) -> str:
        """Port, number and scope, for a person."""
        asked = self.asked.event
        return f"{asked.port} call {asked.ord + 1} in {asked.scope}"

    @property
    def answer(self) -> JournalLine[Answered] | None:
        done = self.answered is not None and isinstance(self.answered.event, Answered)
        return cast("JournalLine[Answered]", self.answered) if done else None


@dataclass(frozen=True, slots=True)
class AuditedContainer:
    """A call whose container's end is recorded, with its decoded values.

    ``request`` and ``answer`` are the recorded JSON; ``job`` and ``result`` are None for an edit,
    ``attestation`` where no container did the work.
    """

    call: AuditedCall
    request: Any
    answer: Any
    limits: Limits
    attestation: Attestation | None
    job: Job | None = None
    result: JobResult | None = None

    @property
    def where(self) -> str:
        return self.call.where

    @property
    def kind(self) -> str:
        return self.job.kind if self.job else "editor"

    @property
    def evidence(self) -> Attestation:
        """The attestation, of a call whose work a container did."""
        assert self.attestation is not None
        return self.attestation

    @property
    def place(self) -> str:
        """The scope without its first two parts, which name the idea."""
        scope = self.call.asked.event.scope
        return "/".join(scope.split("/")[2:]) or scope

    def finding(self, check: str, what: str, why: str = "") -> AuditFinding:
        """A finding about the container itself."""
        return AuditFinding(check, self.where, what, why, NOT_HELD)


@dataclass(slots=True)
class AuditedCalls:
    """Every call of a run, its containers, and the faults of their lines."""

    every: list[AuditedCall] = field(default_factory=list)
    containers: list[AuditedContainer] = field(default_factory=list)
    findings: list[AuditFinding] = field(default_factory=list)

    def without_result(self) -> Iterator[AuditedCall]:
        """The calls to a sandbox or editor that produced no result."""
        for call in self.every:
            if call.asked.event.port in _PORTS and call.answer is None:
                yield call


def read_calls(record: RunRecord) -> AuditedCalls:
    """The calls of every journal, in the order of their requests."""
    calls = AuditedCalls()
    for log in record.logs:
        for call in _paired(log, calls.findings):
            calls.every.append(call)
            _hash(call, calls.findings)
            if call.asked.event.port in _PORTS and call.answer is not None:
                _decode(call, call.answer.event.body, calls)
    return calls


def _paired(log: JournalLog, findings: list[AuditFinding]) -> list[AuditedCall]:
    """Each request with the answer that follows it; a repeated request is a call of its own."""
    calls: dict[int, AuditedCall] = {}
    unanswered: dict[tuple[str, str, int], JournalLine[Asked]] = {}
    following: dict[tuple[str, str], int] = {}
    for line in log.lines:
        event = line.event
        if isinstance(event, Asked):
            stream, name = (event.port, event.scope), f"{event.port} call {event.ord + 1}"
            # A resumed run asks again, so an ordinal may repeat; a higher one means a removed line.
            expected = following.get(stream, 0)
            if not 0 <= event.ord <= expected:
                what = f"calls are missing before this {name} in {event.scope}"
                findings.append(AuditFinding("calls", line.where, what))
            following[stream] = max(expected, event.ord + 1)
            unanswered[event.key] = asked = cast("JournalLine[Asked]", line)
            calls[line.number] = AuditedCall(log, asked)
        elif isinstance(event, Answered | CallFailed):
            known = unanswered.pop(event.key, None)
            if known is None:
                name = f"{event.port} call {event.ord + 1} in {event.scope}"
                what = f"an answer to a {name} that was never requested"
                findings.append(AuditFinding("calls", line.where, what))
            else:
                answer = cast("JournalLine[Answered | CallFailed]", line)
                calls[known.number] = AuditedCall(log, known, answer)
    return list(calls.values())


def _hash(call: AuditedCall, findings: list[AuditFinding]) -> None:
    """The hash of the request: in both lines, and computed from its body."""
    asked, answered = call.asked.event, call.answered
    if answered is not None and answered.event.request != asked.request:
        what = f"the answer to {call.name} is to another request"
        findings.append(AuditFinding("calls", answered.where, what))
    try:
        actual = digest(call.log.load(asked.body))
    except _UNREADABLE:
        actual = "no hash: its body cannot be read"
    if actual != asked.request:
        why = f"the line states {asked.request[:12]}…, its body has {actual[:40]}"
        what = f"the request of {call.name} does not match its hash"
        findings.append(AuditFinding("calls", call.asked.where, what, why))


def _decode(call: AuditedCall, body: Body, calls: AuditedCalls) -> None:
    try:
        request, answer = call.log.load(call.asked.event.body), call.log.load(body)
        if call.asked.event.port == "sandbox":
            job, result = decode(Job, request), decode(JobResult, answer)
            told = job.limits, result.attestation, job, result
            container = AuditedContainer(call, request, answer, *told)
        else:
            limits = decode(EditRequest, request).limits
            attestation = decode(Edit, answer).attestation
            container = AuditedContainer(call, request, answer, limits, attestation)
    except _UNREADABLE as error:
        why = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)
        what = f"the bodies of {call.name} cannot be read"
        calls.findings.append(AuditFinding("calls", call.where, what, why.split("\n")[0]))
        return
    calls.containers.append(container)
