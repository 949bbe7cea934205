"""The ports that stages use: bound to a scope, recorded in the journal, within the budget.

A stage calls ``ports.within("run_1", "attempt_2")`` to set its scope, and then uses
``ports.model``, ``ports.editor``, ``ports.sandbox`` and ``ports.literature`` like the edges
themselves. A stage cannot tell whether an answer is new or recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, ModelRequest, Reply, Usage
from orchestrator.core.protocols import Blobs, Editor, LanguageModel, Literature, Sandbox
from orchestrator.core.research import Run
from orchestrator.record.budget import JournalBudget
from orchestrator.record.events import NESTED, Port
from orchestrator.record.journal import Journal
from orchestrator.record.notes import Note, RunFinished
from orchestrator.record.statement import container_statement

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Edges:
    """The four implementations that the ports call."""

    model: LanguageModel
    editor: Editor
    sandbox: Sandbox
    literature: Literature


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that a stage can use, at one scope of one journal. ``until`` is the deadline of
    the call that encloses these (an edit encloses model calls).
    """

    edges: Edges
    journal: Journal
    blobs: Blobs
    budget: JournalBudget
    scope: str
    until: Deadline = FOREVER

    def within(self, *names: str) -> Ports:
        """The ports at a scope below this one."""
        return replace(self, scope="/".join((self.scope, *names)))

    def deadline(self, gpus: int = 0) -> Deadline:
        """When a call that begins now must end."""
        return self.until.sooner(self.budget.deadline(self.journal, gpus))

    def note(self, note: Note, *, settled: bool = True) -> None:
        """Add a note to the journal at this scope; see :meth:`Journal.note`."""
        self.journal.note(self.scope, note, settled=settled)

    def finished_runs(self) -> tuple[Run, ...]:
        """Every run noted as finished below this scope, in order."""
        notes = self.journal.notes(RunFinished, below=self.scope, now=True)
        return tuple(note.run for note in notes)

    @property
    def model(self) -> RecordedModel:
        return RecordedModel(self)

    @property
    def editor(self) -> RecordedEditor:
        return RecordedEditor(self)

    @property
    def sandbox(self) -> RecordedSandbox:
        return RecordedSandbox(self)

    @property
    def literature(self) -> Literature:
        return RecordedLiterature(self)

    def text(self, sha256: str) -> str:
        """A blob as text; bytes that are not UTF-8 become the replacement character."""
        return self.blobs.get(sha256).decode("utf-8", errors="replace")

    def keep(self, text: str) -> str:
        return self.blobs.put(text.encode())

    def call(
        self,
        port: Port,
        request: object,
        answer: type[_T],
        make: Callable[[], _T],
        *,
        ceiling: Usage | None = None,
        gpus: int = 0,
    ) -> _T:
        """Answer from the record, or make the call within the budget and record it."""

        def admit(most: Usage) -> None:
            # A search costs nothing and ends quickly; without time left, the next call is refused.
            if port != "literature":
                self.budget.admit(self.journal, most, paid=port == "model", gpus=gpus)

        return self.journal.call(
            port,
            self.scope,
            request,
            answer,
            make,
            ceiling=ceiling,
            admit=admit,
            evidence=container_statement if port in {"editor", "sandbox"} else None,
        )


@dataclass(frozen=True, slots=True)
class RecordedModel:
    ports: Ports

    @property
    def name(self) -> str:
        return self.ports.edges.model.name

    def ceiling(self, ask: Ask) -> Usage:
        return self.ports.edges.model.ceiling(ask)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        ports = self.ports
        return ports.call(
            "model",
            ModelRequest(self.name, ask),
            Reply,
            lambda: ports.edges.model.complete(ask, within.sooner(ports.deadline())),
            ceiling=self.ceiling(ask),
        )


@dataclass(frozen=True, slots=True)
class RecordedEditor:
    """A recorded edit is answered without its model calls; these serve only an unfinished edit."""

    ports: Ports

    def edit(self, request: EditRequest) -> Edit:
        ports = self.ports

        def make() -> Edit:
            until = ports.deadline()
            inner = replace(ports.within(NESTED.strip("/")), until=until)
            return ports.edges.editor.edit(request, inner.model, until)

        return ports.call("editor", request, Edit, make)


@dataclass(frozen=True, slots=True)
class RecordedSandbox:
    ports: Ports

    def run(self, job: Job) -> JobResult:
        ports, gpus = self.ports, job.limits.gpus
        return ports.call(
            "sandbox",
            job,
            JobResult,
            lambda: ports.edges.sandbox.run(job, ports.deadline(gpus)),
            gpus=gpus,
        )


@dataclass(frozen=True, slots=True)
class RecordedLiterature:
    ports: Ports

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        edge = self.ports.edges.literature
        return self.ports.call(
            "literature", query, tuple[PaperRef, ...], lambda: edge.search(query)
        )
