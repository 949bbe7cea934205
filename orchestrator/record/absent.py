"""The edges of a replay: it answers from its record alone, so nothing stands behind the ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from orchestrator.core.deadline import Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.errors import Diverged
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import CheckedReference, Found, Query, References
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.record.ports import Edges


class AbsentEdge:
    """Implements all four protocols of :class:`Edges`: a replay answers from its record alone, so
    every call raises :class:`Diverged`. Only the model's name is known.
    """

    def __init__(self, model: str) -> None:
        self.name = model

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002 - the port's signature
        return Usage()

    def complete(self, ask: Ask, within: Deadline) -> Reply:  # noqa: ARG002 - the port's signature
        _refuse(f"model for {ask.purpose}")

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline) -> Edit:  # noqa: ARG002 - the port's signature
        _refuse(f"editor for {request.purpose}")

    def run(self, job: Job, within: Deadline) -> JobResult:  # noqa: ARG002 - the port's signature
        _refuse(f"sandbox for {job.scope}")

    def search(self, query: Query, within: Deadline) -> Found:  # noqa: ARG002 - the port's signature
        _refuse(f"answer to the search {query.text!r}")

    def check(
        self,
        references: References,
        within: Deadline,  # noqa: ARG002 - the port's signature
    ) -> tuple[CheckedReference, ...]:
        _refuse(f"check of {len(references.references)} references")


def absent(model: str, roles: Mapping[str, str] | None = None) -> Edges:
    """The edges of a replay. ``model`` is the recorded model's name, which requests contain; ``roles`` are
    the names of the models of single roles.
    """
    edge = AbsentEdge(model)
    named = {role: AbsentEdge(name) for role, name in (roles or {}).items()}
    return Edges(edge, edge, edge, edge, named)


def _refuse(what: str) -> NoReturn:
    raise Diverged(
        f"a replay has no {what}",
        where="the run's journal",
        why="a replay answers from its record alone",
        todo="`aisci resume` finishes an unfinished run; then it can be replayed",
    )
