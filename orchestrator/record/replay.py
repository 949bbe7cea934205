"""The edges of a replay: none. A replay answers from its record, and asks nothing of the world."""

from __future__ import annotations

from typing import NoReturn

from orchestrator.core.deadline import Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.errors import Diverged
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.record.ports import Edges


def _refuse(what: str) -> NoReturn:
    raise Diverged(f"a replay has no {what}", why="it answers from its record alone")


class AbsentModel:
    """Implements :class:`orchestrator.core.protocols.LanguageModel` by name alone."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002 - the port's signature; nothing is asked
        return Usage()

    def complete(self, ask: Ask, within: Deadline) -> Reply:  # noqa: ARG002 - the port's signature
        _refuse(f"model for {ask.purpose}")


class AbsentEditor:
    """Implements :class:`orchestrator.core.protocols.Editor`; never asked."""

    def edit(
        self,
        request: EditRequest,
        model: LanguageModel,  # noqa: ARG002 - the port's signature
        within: Deadline,  # noqa: ARG002 - the port's signature
    ) -> Edit:
        _refuse(f"editor for {request.purpose}")


class AbsentSandbox:
    """Implements :class:`orchestrator.core.protocols.Sandbox`; never asked."""

    def run(self, job: Job, within: Deadline) -> JobResult:  # noqa: ARG002 - the port's signature
        _refuse(f"sandbox for {job.scope}")


class AbsentLiterature:
    """Implements :class:`orchestrator.core.protocols.Literature`; never asked."""

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        _refuse(f"library for {query.text!r}")


def absent(model: str) -> Edges:
    """Edges that only know the model's name."""
    return Edges(AbsentModel(model), AbsentEditor(), AbsentSandbox(), AbsentLiterature())
