"""Port calls read from a journal: the request, the answer or the error, and the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from orchestrator.core.decode import decode
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.files import write
from orchestrator.core.job import Job, JobResult, Limits
from orchestrator.core.literature import CheckedReference, Found, Query, References
from orchestrator.core.model import ModelRequest, Reply, Usage
from orchestrator.core.tree import canonical
from orchestrator.record.events import (
    Answered,
    Asked,
    CallFailed,
    ErrorRecord,
    Event,
    Forked,
    IdeaForked,
    Port,
    Recalled,
)
from orchestrator.record.journal import Journal
from orchestrator.record.ledger import CallKey

_T = TypeVar("_T")

PortRequest = ModelRequest | EditRequest | Job | Query | References
PortAnswer = Reply | Edit | JobResult | Found | tuple[CheckedReference, ...]

REQUEST_TYPES: dict[Port, Any] = {
    "model": ModelRequest,
    "editor": EditRequest,
    "sandbox": Job,
    "literature": Query | References,
}
ANSWER_TYPES: dict[Port, Any] = {
    "model": Reply,
    "editor": Edit,
    "sandbox": JobResult,
    "literature": Found | tuple[CheckedReference, ...],
}


class _Typed(Generic[_T]):
    """A step's request or answer, asserted to be of the type that its port implies."""

    def __init__(self, field: str, kind: type[_T]) -> None:
        self.field, self.kind = field, kind

    def __get__(self, step: Step, owner: type[Step]) -> _T:
        value = getattr(step, self.field)
        assert isinstance(value, self.kind)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One port call. ``seconds`` is None for a call whose end was never recorded."""

    port: Port
    scope: str
    request: PortRequest
    answer: PortAnswer | None
    error: ErrorRecord | None
    seconds: float | None
    ceiling: Usage

    @property
    def place(self) -> str:
        """The scope without its first two parts, which name the idea."""
        return "/".join(self.scope.split("/")[2:]) or self.scope

    model_request = _Typed("request", ModelRequest)
    edit_request = _Typed("request", EditRequest)
    job = _Typed("request", Job)
    edit = _Typed("answer", Edit)
    result = _Typed("answer", JobResult)

    @property
    def limits(self) -> Limits:
        """The limits of the container of a job or an edit."""
        assert isinstance(self.request, Job | EditRequest)
        return self.request.limits

    @property
    def usage(self) -> Usage:
        """The cost of the call; without a recorded answer, the most that it can have cost."""
        if isinstance(self.answer, Reply):
            return self.answer.usage
        return Usage() if self.error else self.ceiling


@dataclass(slots=True)
class _Branches:
    """The calls of the present branch by their keys, and those that forks left, by their lines."""

    present: dict[CallKey, Asked] = field(default_factory=dict)
    left: dict[int, Asked] = field(default_factory=dict)
    ends: dict[int, Answered | CallFailed] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        if isinstance(event, Asked):
            self.present[event.key] = event
        elif isinstance(event, Answered | CallFailed):
            self.ends[self.present[event.key].n] = event
        elif isinstance(event, Recalled):
            *_, line = (one for one in self.left.values() if one.key == event.key)
            self.present[event.key] = self.left.pop(line.n)
        elif isinstance(event, Forked | IdeaForked):
            self.left |= {line.n: line for line in self.present.values()}
            self.present = {}


def steps(journal: Journal, *, left: bool = False) -> tuple[Step, ...]:
    """Every port call of the present branch in the order of requests; a repeated one once, with its
    last answer. With ``left``, the calls of the branches that forks left instead.
    """
    branches = _Branches()
    for event in journal.events:
        branches.take(event)
    lines = branches.left if left else branches.present
    return tuple(_step(journal, line, branches.ends.get(line.n)) for line in lines.values())


def _step(journal: Journal, asked: Asked, end: Answered | CallFailed | None) -> Step:
    port, answer = asked.port, None
    if isinstance(end, Answered):
        answer = decode(ANSWER_TYPES[port], journal.load(end.body))
    return Step(
        port=port,
        scope=asked.scope,
        request=decode(REQUEST_TYPES[port], journal.load(asked.body)),
        answer=answer,
        error=end.error if isinstance(end, CallFailed) else None,
        seconds=end.seconds if end else None,
        ceiling=asked.ceiling,
    )


def write_evidence(folder: Path, journal: Journal) -> None:
    """Write one JSON file per container whose end the journal records: its statement."""
    ends = [event for event in journal.events if isinstance(event, Answered) and event.evidence]
    for number, end in enumerate(ends, start=1):
        assert end.evidence is not None
        name = evidence_name(number, end.scope)
        write(folder / name, canonical(journal.load(end.evidence)) + b"\n")


def evidence_name(number: int, scope: str) -> str:
    """The file's name: the container's number in its journal, and its scope."""
    return f"{number:03d}_{scope.split('/', 2)[-1].replace('/', '_')}.json"
