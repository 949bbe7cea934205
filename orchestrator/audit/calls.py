"""Calls: each question with its answer, and which container stood behind them.

A call that has no answer, or only an error, may have had a container; its end was never
recorded, and no line can use a result that is not there. Such calls are told, and are no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from orchestrator.audit.finding import Checked, Finding, checked
from orchestrator.audit.record import Line, Log, Record
from orchestrator.core.decode import decode
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.errors import BadJournal
from orchestrator.core.job import Attestation, Job, JobResult, Limits
from orchestrator.core.tree import digest
from orchestrator.record.events import Answered, Asked, Body, CallFailed

PORTS = frozenset({"sandbox", "editor"})
_UNREADABLE = (BadJournal, ValueError, KeyError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Call:
    """A question, and its answer where one was recorded."""

    log: Log
    asked: Line[Asked]
    answered: Line[Answered | CallFailed] | None = None

    @property
    def where(self) -> str:
        return (self.answered or self.asked).where

    @property
    def named(self) -> str:
        asked = self.asked.event
        return f"{asked.port} call {asked.ord + 1} in {asked.scope}"

    @property
    def answer(self) -> Line[Answered] | None:
        """The line with the answer, where there is one."""
        line = self.answered
        return cast("Line[Answered]", line) if line and isinstance(line.event, Answered) else None


@dataclass(frozen=True, slots=True)
class Box:
    """A call whose container's end is recorded, its values read and typed.

    ``request`` and ``answer`` are the bodies as they stand; ``job`` is None for an edit,
    ``attestation`` where no container did the work.
    """

    call: Call
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
    def place(self) -> str:
        """The scope without the idea's own part."""
        scope = self.call.asked.event.scope
        return "/".join(scope.split("/")[2:]) or scope


@dataclass(slots=True)
class Calls:
    """Every call of a run, its containers, and what is wrong with how they stand there."""

    every: list[Call] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def without_result(self) -> Iterator[Call]:
        """The calls to a sandbox or editor that came to no result."""
        for call in self.every:
            if call.asked.event.port in PORTS and call.answer is None:
                yield call

    def checked(self) -> Checked:
        return checked("calls", len(self.every), self.findings)


def read_calls(record: Record) -> Calls:
    """The calls of every journal, in the order of asking."""
    calls = Calls()
    for log in record.logs:
        for call in _paired(log, calls.findings):
            calls.every.append(call)
            _hash(call, calls.findings)
            if call.asked.event.port in PORTS and call.answer is not None:
                _typed(call, call.answer.event.body, calls)
    return calls


def _paired(log: Log, findings: list[Finding]) -> list[Call]:
    """Each question with the answer that follows it; one that was asked again stands twice."""
    calls: dict[int, Call] = {}
    unanswered: dict[tuple[str, str, int], Line[Asked]] = {}
    following: dict[tuple[str, str], int] = {}
    for line in log.lines:
        event = line.event
        if isinstance(event, Asked):
            stream, name = (event.port, event.scope), f"{event.port} call {event.ord + 1}"
            most = following.get(stream, 0)
            if not 0 <= event.ord <= most:
                what = f"calls are missing before this {name} in {event.scope}"
                findings.append(Finding(check="calls", where=line.where, what=what))
            following[stream] = max(most, event.ord + 1)
            unanswered[event.key] = asked = cast("Line[Asked]", line)
            calls[line.number] = Call(log, asked)
        elif isinstance(event, Answered | CallFailed):
            known = unanswered.pop(event.key, None)
            if known is None:
                what = f"an answer to a {event.port} call {event.ord + 1} in {event.scope} that was never asked"
                findings.append(Finding(check="calls", where=line.where, what=what))
            else:
                calls[known.number] = Call(log, known, cast("Line[Answered | CallFailed]", line))
    return list(calls.values())


def _hash(call: Call, findings: list[Finding]) -> None:
    """The question's hash, in both lines and in truth."""
    asked, answered = call.asked.event, call.answered
    if answered is not None and answered.event.request != asked.request:
        what = f"the answer to {call.named} is to another question"
        findings.append(Finding(check="calls", where=answered.where, what=what))
    try:
        have = digest(call.log.load(asked.body))
    except _UNREADABLE:
        have = "no hash: its body cannot be read"
    if have != asked.request:
        why = f"the line says {asked.request[:12]}…, its body has {have[:40]}"
        what = f"the question of {call.named} is not what its hash says"
        findings.append(Finding(check="calls", where=call.asked.where, what=what, why=why))


def _typed(call: Call, body: Body, calls: Calls) -> None:
    try:
        request, answer = call.log.load(call.asked.event.body), call.log.load(body)
        if call.asked.event.port == "sandbox":
            job = decode(Job, request)
            result = decode(JobResult, answer)
            attestation: Attestation | None = result.attestation
            box = Box(call, request, answer, job.limits, attestation, job, result)
        else:
            limits = decode(EditRequest, request).limits
            attestation = decode(Edit, answer).attestation
            box = Box(call, request, answer, limits, attestation)
    except _UNREADABLE as error:
        why = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)
        what = f"the bodies of {call.named} cannot be read"
        calls.findings.append(
            Finding(check="calls", where=call.where, what=what, why=why.split("\n")[0])
        )
        return
    calls.boxes.append(box)
