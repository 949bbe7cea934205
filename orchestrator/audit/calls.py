"""Calls: each question with its answer, and which container stood behind them.

A call that has no answer, or only an error, may have had a container; its end was never
recorded, and no line can use a result that is not there. Such calls are told, and are no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from orchestrator.audit.finding import Checked, Finding, checked
from orchestrator.audit.record import Line, Log, Record
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.errors import BadJournal
from orchestrator.core.job import Attestation, Job, JobResult, Limits
from orchestrator.core.tree import digest

PORTS = frozenset({"sandbox", "editor"})
_JOB, _RESULT = TypeAdapter(Job), TypeAdapter(JobResult)
_REQUEST, _EDIT = TypeAdapter(EditRequest), TypeAdapter(Edit)
_UNREADABLE = (BadJournal, ValueError, KeyError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Call:
    """A question, and its answer where one was recorded."""

    log: Log
    asked: Line
    answered: Line | None = None

    @property
    def where(self) -> str:
        return (self.answered or self.asked).where

    @property
    def named(self) -> str:
        return f"{self.asked.port} call {self.asked.ord + 1} in {self.asked.scope}"


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
        scope = self.call.asked.scope
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
            if call.asked.port in PORTS and (call.answered is None or call.answered.body is None):
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
            if call.asked.port in PORTS and call.answered is not None and call.answered.body:
                _typed(call, call.answered.body, calls)
    return calls


def _paired(log: Log, findings: list[Finding]) -> list[Call]:
    """Each question with the answer that follows it; one that was asked again stands twice."""
    calls: dict[int, Call] = {}
    open_: dict[tuple[str, str, int], Line] = {}
    following: dict[tuple[str, str], int] = {}
    for line in log.of("asked", "answered"):
        key, name = (line.port, line.scope, line.ord), f"{line.port} call {line.ord + 1}"
        if line.kind == "asked":
            most = following.get(key[:2], 0)
            if not 0 <= line.ord <= most:
                what = f"calls are missing before this {name} in {line.scope}"
                findings.append(Finding(check="calls", where=line.where, what=what))
            following[key[:2]] = max(most, line.ord + 1)
            open_[key] = line
            calls[line.number] = Call(log, line)
        elif (asked := open_.pop(key, None)) is None:
            what = f"an answer to a {name} in {line.scope} that was not asked"
            findings.append(Finding(check="calls", where=line.where, what=what))
        else:
            calls[asked.number] = Call(log, asked, line)
    return list(calls.values())


def _hash(call: Call, findings: list[Finding]) -> None:
    """The question's hash, in both lines and in truth."""
    asked, answered = call.asked, call.answered
    if answered is not None and answered.request != asked.request:
        what = f"the answer to {call.named} is to another question"
        findings.append(Finding(check="calls", where=answered.where, what=what))
    try:
        have = digest(call.log.load(asked.body or {}))
    except _UNREADABLE:
        have = "no hash: its body cannot be read"
    if have != asked.request:
        why = f"the line says {asked.request[:12]}…, its body has {have[:40]}"
        what = f"the question of {call.named} is not what its hash says"
        findings.append(Finding(check="calls", where=asked.where, what=what, why=why))


def _typed(call: Call, body: dict[str, Any], calls: Calls) -> None:
    try:
        request, answer = call.log.load(call.asked.body or {}), call.log.load(body)
        if call.asked.port == "sandbox":
            job = _JOB.validate_python(request, strict=False)
            result = _RESULT.validate_python(answer, strict=False)
            attestation: Attestation | None = result.attestation
            box = Box(call, request, answer, job.limits, attestation, job, result)
        else:
            limits = _REQUEST.validate_python(request, strict=False).limits
            attestation = _EDIT.validate_python(answer, strict=False).attestation
            box = Box(call, request, answer, limits, attestation)
    except _UNREADABLE as error:
        why = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)
        what = f"the bodies of {call.named} cannot be read"
        calls.findings.append(
            Finding(check="calls", where=call.where, what=what, why=why.split("\n")[0])
        )
        return
    calls.boxes.append(box)
