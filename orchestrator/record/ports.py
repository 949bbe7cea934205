"""The ports that stages use: bound to a scope, recorded in the journal, within the budget.

A stage calls ``ports.within("run_1", "attempt_2")`` to set its scope, and then ``ports.complete``
(a model), ``ports.edit``, ``ports.run`` (a job) and ``ports.search`` (the literature). It cannot
tell whether an answer is new or recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import TypeVar

from orchestrator.core.asking import ATTEMPTS
from orchestrator.core.deadline import FOREVER, MORE_ROOM, Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.effort import effort_for
from orchestrator.core.errors import BudgetSpent, ModelFailed
from orchestrator.core.files import plain_lines
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import CheckedReference, Found, Query, References
from orchestrator.core.model import Ask, ModelRequest, Reply, Usage, role_of
from orchestrator.core.outlook import Outlook
from orchestrator.core.protocols import (
    BatchModel,
    Blobs,
    Editor,
    LanguageModel,
    Literature,
    Sandbox,
)
from orchestrator.core.reasoning import without_reasoning
from orchestrator.record.budget import JournalBudget
from orchestrator.record.events import NESTED, Port
from orchestrator.record.journal import Journal
from orchestrator.record.notes import Note
from orchestrator.record.several import BatchCall
from orchestrator.record.spending import Booked, SpendingBudget

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Edges:
    """The implementations that the ports call."""

    model: LanguageModel
    editor: Editor
    sandbox: Sandbox
    literature: Literature
    roles: Mapping[str, LanguageModel] = field(default_factory=dict)
    """Models of single roles; all other requests go to ``model``."""
    month: SpendingBudget | None = None
    """The budgets over all runs: the user's own, and the administrator's."""
    outlook: Outlook = field(default_factory=Outlook)
    """Receives what stages expect; unrecorded."""
    efforts: Mapping[str, str] = field(default_factory=dict)
    """How much models are to think, by role; see :func:`orchestrator.core.effort.effort_for`."""

    def model_for(self, purpose: str) -> LanguageModel:
        """The model that answers requests of this purpose."""
        return self.roles.get(role_of(purpose), self.model)


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
    most: int = ATTEMPTS
    """Requests for one reply that can be used, inside an edit."""
    stop: Event | None = None
    """Set when the run is to stop; what is out then ends."""

    def within(self, *names: str) -> Ports:
        """The ports at a scope below this one."""
        return replace(self, scope="/".join((self.scope, *names)))

    def deadline(self, gpus: int = 0) -> Deadline:
        """When a call that begins now must end."""
        ends = self.until.sooner(self.budget.deadline(self.journal, gpus))
        return ends.sooner(replace(FOREVER, stop=self.stop)) if self.stop else ends

    def note(self, note: Note, *, settled: bool = True) -> None:
        """Add a note to the journal at this scope; see :meth:`Journal.note`."""
        self.journal.note(self.scope, note, settled=settled)

    def expect(self, runs: int, seconds: float) -> None:
        """Tell how many runs the idea has left, each of about so many seconds: for the order of waiting jobs
        alone. It is not recorded.
        """
        self.edges.outlook.expect(self.scope, runs, seconds)

    def text(self, sha256: str) -> str:
        """A blob as text in plain lines; bytes that are not UTF-8 become the replacement character."""
        return plain_lines(self.blobs.get(sha256).decode("utf-8", errors="replace"))

    def keep(self, text: str) -> str:
        return self.blobs.put(text.encode())

    @property
    def asked(self) -> int:
        """How many requests this scope has made of the model."""
        return self.journal.asked("model", self.scope)

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.edges.model.name

    def ceiling(self, ask: Ask) -> Usage:
        return self.edges.model_for(ask.purpose).ceiling(self._to_think(ask))

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        """The reply of any model, without its reasoning; the record keeps the whole text."""
        model, ask = self.edges.model_for(ask.purpose), self._to_think(ask)
        ceiling, left = self.ceiling(ask), self.budget.requests_left(self.journal)
        most = replace(ceiling, requests=int(min(ceiling.requests, left)))
        booked: list[Booked] = []

        def book(most: Usage) -> None:
            booked.extend([self.edges.month.book(most)] if self.edges.month else [])

        def make() -> Reply:
            allowed = min([left, *(booking.requests for booking in booked)])
            until = replace(within.sooner(self.deadline()), requests=allowed)
            try:
                reply = model.complete(ask, until)
            except ModelFailed as failed:
                self._settle(booked, Usage(requests=failed.asked))
                raise
            self._settle(booked, reply.usage)
            return reply

        request = ModelRequest(model.name, ask)
        reply = self._call("model", request, Reply, make, ceiling=most, book=book)
        return replace(reply, text=without_reasoning(reply.text))

    def complete_all(self, asks: Sequence[tuple[str, Ask]]) -> tuple[Reply, ...]:
        """The replies to requests of one purpose, each at the scope of its name below this one (empty: at this
        one). They go out as one batch where the model takes batches, else one after another.
        """
        placed = [(self.within(name) if name else self, self._to_think(ask)) for name, ask in asks]
        model = self.edges.model_for(placed[0][1].purpose)
        if not isinstance(model, BatchModel):
            return tuple(at.complete(ask) for at, ask in placed)
        booked: list[Booked] = []

        def admit(most: Usage) -> None:
            if most.requests > self.budget.requests_left(self.journal):
                raise BudgetSpent(
                    f"a batch of {most.requests} requests could pass the budget",
                    where="the policy's budget.requests",
                    todo=MORE_ROOM,
                )
            self.budget.admit(self.journal, most, paid=True)
            booked.extend([self.edges.month.book(most)] if self.edges.month else [])

        batch = BatchCall(
            journal=self.journal,
            model=model,
            scope=self.scope,
            within=self.deadline(),
            admit=admit,
            settle=partial(self._settle, booked),
            turn=self.budget.turn,
        )
        replies = batch.replies([(at.scope, ask) for at, ask in placed])
        return tuple(replace(one, text=without_reasoning(one.text)) for one in replies)

    def _to_think(self, ask: Ask) -> Ask:
        """The request with the level of effort that the run has for its purpose."""
        return replace(ask, effort=effort_for(ask.purpose, self.edges.efforts))

    @staticmethod
    def _settle(booked: list[Booked], usage: Usage) -> None:
        for booking in booked:
            booking.settle(usage)

    def edit(self, request: EditRequest) -> Edit:
        """A recorded edit is answered without its model calls, which serve an unfinished one."""

        def make() -> Edit:
            until = self.deadline()
            again = self.journal.failed_edits[self.scope]
            nested = self.within(NESTED.strip("/"))
            inner = replace(nested, until=until, most=ATTEMPTS * (1 + again))
            return self.edges.editor.edit(request, inner, until)

        return self._call("editor", request, Edit, make)

    def run(self, job: Job) -> JobResult:
        gpus = job.limits.gpus
        return self._call(
            "sandbox",
            job,
            JobResult,
            lambda: self.edges.sandbox.run(job, self.deadline(gpus)),
            gpus=gpus,
        )

    def search(self, query: Query) -> Found:
        """A search that ends soon, whatever the services do."""
        return self._call(
            "literature",
            query,
            Found,
            lambda: self.edges.literature.search(query, self.deadline()),
        )

    def check(self, references: References) -> tuple[CheckedReference, ...]:
        return self._call(
            "literature",
            references,
            tuple[CheckedReference, ...],
            lambda: self.edges.literature.check(references, self.deadline()),
        )

    def _call(
        self,
        port: Port,
        request: object,
        answer: type[_T],
        make: Callable[[], _T],
        *,
        ceiling: Usage | None = None,
        gpus: int = 0,
        book: Callable[[Usage], None] = lambda _: None,
    ) -> _T:
        """Answer from the record, or make the call within the budget and record it."""

        def admit(most: Usage) -> None:
            # A search costs nothing and ends quickly; without time left, the next call is refused.
            if port != "literature":
                self.budget.admit(self.journal, most, paid=port == "model", gpus=gpus)
            book(most)

        return self.journal.call(
            port, self.scope, request, answer, make, ceiling=ceiling, admit=admit, turn=self.budget.turn,
        )  # fmt: skip
