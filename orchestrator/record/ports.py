"""The ports as stages hold them: bound to a scope, journalled, and within the budget.

A stage calls ``ports.within("run_1", "attempt_2")`` to name where it is, and then uses
``ports.model``, ``ports.editor``, ``ports.sandbox``, ``ports.literature`` as if they were
the real thing. Whether an answer comes from the world or from the record is not its concern.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, ModelRequest, Reply, Usage
from orchestrator.core.protocols import Blobs, Editor, LanguageModel, Literature, Sandbox
from orchestrator.core.research import Run
from orchestrator.record import statement
from orchestrator.record.budget import JournalBudget
from orchestrator.record.events import NESTED
from orchestrator.record.journal import Journal
from orchestrator.record.notes import Note, RunFinished


@dataclass(frozen=True, slots=True)
class Edges:
    """The four real (or scripted) edges that recorded ports call."""

    model: LanguageModel
    editor: Editor
    sandbox: Sandbox
    literature: Literature


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a stage can reach, at one scope of one journal.

    ``until`` is when the call that this one is a part of must end (an edit's model calls).
    """

    edges: Edges
    journal: Journal
    blobs: Blobs
    budget: JournalBudget
    scope: str
    until: Deadline = FOREVER

    def within(self, *names: str) -> Ports:
        return replace(self, scope="/".join((self.scope, *names)))

    def deadline(self, gpus: int = 0) -> Deadline:
        """When a call that begins now must end."""
        return self.until.sooner(self.budget.deadline(self.journal, gpus))

    def note(self, note: Note, *, settled: bool = True) -> None:
        """Add a fact to the journal under this scope; see :meth:`Journal.note`."""
        self.journal.note(self.scope, note, settled=settled)

    def finished_runs(self) -> tuple[Run, ...]:
        """Every run that was noted as finished below this scope, in order."""
        found = self.journal.notes(RunFinished, below=self.scope, now=True)
        return tuple(note.run for note in found)

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

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        ports = self.ports
        return ports.journal.call(
            "model",
            ports.scope,
            ModelRequest(self.name, ask),
            Reply,
            lambda: ports.edges.model.complete(ask, within.sooner(ports.deadline())),
            ceiling=self.ceiling(ask),
            admit=lambda ceiling: ports.budget.admit(ports.journal, ceiling, paid=True),
        )


@dataclass(frozen=True, slots=True)
class RecordedEditor:
    """A finished edit answers alone; its model calls serve only an unfinished one."""

    ports: Ports

    def edit(self, request: EditRequest) -> Edit:
        ports = self.ports

        def make() -> Edit:
            until = ports.deadline()
            inner = replace(ports.within(NESTED.strip("/")), until=until)
            return ports.edges.editor.edit(request, inner.model, until)

        return ports.journal.call(
            "editor",
            ports.scope,
            request,
            Edit,
            make,
            admit=lambda ceiling: ports.budget.admit(ports.journal, ceiling, paid=False),
            evidence=statement.container_statement,
        )


@dataclass(frozen=True, slots=True)
class RecordedSandbox:
    ports: Ports

    def run(self, job: Job) -> JobResult:
        ports, gpus = self.ports, job.limits.gpus
        return ports.journal.call(
            "sandbox",
            ports.scope,
            job,
            JobResult,
            lambda: ports.edges.sandbox.run(job, ports.deadline(gpus)),
            admit=lambda ceiling: ports.budget.admit(ports.journal, ceiling, paid=False, gpus=gpus),
            evidence=statement.container_statement,
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
            tuple[PaperRef, ...],
            lambda: ports.edges.literature.search(query),
        )
