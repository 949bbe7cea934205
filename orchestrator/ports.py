"""The ports as stages hold them: bound to a scope, journalled, and within the budget.

A stage calls ``ports.within("run_1", "attempt_2")`` to name where it is, and then uses
``ports.model``, ``ports.editor``, ``ports.sandbox``, ``ports.literature`` as if they were
the real thing. Whether an answer comes from the world or from the record is not its concern.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from pydantic import TypeAdapter

from orchestrator import Blobs, BudgetSpent, Editor, LanguageModel, Literature, Sandbox
from orchestrator.journal import NESTED, Journal
from orchestrator.records import (
    Ask,
    Edit,
    EditRequest,
    Job,
    JobResult,
    PaperRef,
    Query,
    Reply,
    Run,
    Usage,
)

_REPLY = TypeAdapter(Reply)
_EDIT = TypeAdapter(Edit)
_RESULT = TypeAdapter(JobResult)
_RUN = TypeAdapter(Run)
_PAPERS = TypeAdapter(tuple[PaperRef, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one journal's calls may cost. None: no limit. ``wall`` and ``gpu_time`` in seconds."""

    usd: float | None = None
    tokens: float | None = None
    requests: float | None = None
    wall: float | None = None
    gpu_time: float | None = None

    def less(self, journal: Journal) -> Budget:
        """What is left of this budget after all that ``journal`` records."""
        total = journal.total()
        tokens = total.prompt_tokens + total.completion_tokens
        return Budget(
            usd=None if self.usd is None else self.usd - (total.usd or 0.0),
            tokens=None if self.tokens is None else self.tokens - tokens,
            requests=None if self.requests is None else self.requests - len(journal.spent),
            wall=None if self.wall is None else self.wall - journal.seconds,
            gpu_time=None if self.gpu_time is None else self.gpu_time - journal.gpu_seconds,
        )

    def within(self, other: Budget) -> Budget:
        """The tighter of two budgets, limit by limit."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Budget(**dict(zip(_LIMITS, (_tighter(*pair) for pair in pairs), strict=True)))

    def admit(self, journal: Journal, ceiling: Usage, *, paid: bool) -> None:
        """Raise :class:`BudgetSpent` if the next call could pass a limit."""
        total = journal.total()
        tokens = total.prompt_tokens + total.completion_tokens
        more = ceiling.prompt_tokens + ceiling.completion_tokens
        rows = [
            ("wall", self.wall, journal.seconds, " s"),
            ("gpu_time", self.gpu_time, journal.gpu_seconds, " s on GPUs"),
        ]
        if paid:
            rows += [
                ("usd", self.usd, (total.usd or 0.0) + (ceiling.usd or 0.0), " US dollars"),
                ("tokens", self.tokens, tokens + more, " tokens"),
                ("requests", self.requests, len(journal.spent) + 1, " requests"),
            ]
        for name, limit, would, unit in rows:
            if limit is not None and would > limit:
                raise BudgetSpent(
                    f"the next call could pass the budget: {would:g} of {limit:g}{unit}",
                    where=f"the policy's budgets, {name}",
                    todo="go on with more room: `aisci resume RUN --fork --policy ./wider.yaml`; "
                    "nothing recorded is paid again",
                )


_LIMITS = tuple(field.name for field in fields(Budget))


def _tighter(left: float | None, right: float | None) -> float | None:
    return right if left is None else left if right is None else min(left, right)


@dataclass(frozen=True, slots=True)
class Edges:
    """The four real (or scripted) edges that recorded ports call."""

    model: LanguageModel
    editor: Editor
    sandbox: Sandbox
    literature: Literature


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a stage can reach, at one scope of one journal."""

    edges: Edges
    journal: Journal
    blobs: Blobs
    budget: Budget
    scope: str

    def within(self, *names: str) -> Ports:
        return replace(self, scope="/".join((self.scope, *names)))

    def note(self, name: str, value: Any, *, settled: bool = True) -> None:
        """Add a fact to the journal under this scope; see :meth:`Journal.note`."""
        self.journal.note(self.scope, name, value, settled=settled)

    def finished_runs(self) -> tuple[Run, ...]:
        """Every run that was noted as finished below this scope, in order."""
        found = self.journal.notes("run_finished", below=self.scope, now=True)
        return tuple(_RUN.validate_python(value) for value in found)

    @property
    def model(self) -> LanguageModel:
        return RecordedModel(self)

    @property
    def editor(self) -> RecordedEditor:
        return RecordedEditor(self)

    @property
    def sandbox(self) -> Sandbox:
        return RecordedSandbox(self)

    @property
    def literature(self) -> Literature:
        return RecordedLiterature(self)

    def text(self, sha256: str) -> str:
        """A blob as text; what is not UTF-8 is shown as the replacement character."""
        return self.blobs.get(sha256).decode("utf-8", errors="replace")

    def keep(self, text: str) -> str:
        return self.blobs.put(text.encode())


@dataclass(frozen=True, slots=True)
class RecordedModel:
    ports: Ports

    @property
    def name(self) -> str:
        return self.ports.edges.model.name

    def ceiling(self, ask: Ask) -> Usage:
        return self.ports.edges.model.ceiling(ask)

    def complete(self, ask: Ask) -> Reply:
        ports = self.ports
        return ports.journal.call(
            "model",
            ports.scope,
            {"model": self.name, "ask": ask},
            _REPLY,
            lambda: ports.edges.model.complete(ask),
            ceiling=self.ceiling(ask),
            admit=lambda ceiling: ports.budget.admit(ports.journal, ceiling, paid=True),
        )


@dataclass(frozen=True, slots=True)
class RecordedEditor:
    """A finished edit answers alone; its model calls serve only an unfinished one."""

    ports: Ports

    def edit(self, request: EditRequest) -> Edit:
        ports = self.ports
        inner = ports.within(NESTED.strip("/"))
        return ports.journal.call(
            "editor",
            ports.scope,
            request,
            _EDIT,
            lambda: ports.edges.editor.edit(request, inner.model),
            admit=lambda ceiling: ports.budget.admit(ports.journal, ceiling, paid=False),
        )


@dataclass(frozen=True, slots=True)
class RecordedSandbox:
    ports: Ports

    def run(self, job: Job) -> JobResult:
        """The record knows a job by its limits; which policy gave them stands in the pins.

        So a fork under a larger budget finds every finished job again.
        """
        ports = self.ports
        return ports.journal.call(
            "sandbox",
            ports.scope,
            replace(job, policy=""),
            _RESULT,
            lambda: ports.edges.sandbox.run(job),
            admit=lambda ceiling: ports.budget.admit(ports.journal, ceiling, paid=False),
        )


@dataclass(frozen=True, slots=True)
class RecordedLiterature:
    ports: Ports

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        ports = self.ports
        return ports.journal.call(
            "literature",
            ports.scope,
            query,
            _PAPERS,
            lambda: ports.edges.literature.search(query),
        )
