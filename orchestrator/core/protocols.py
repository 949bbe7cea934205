"""The four ports that stages know, and the store of bytes behind their values."""

from __future__ import annotations

from typing import Protocol

from orchestrator.core.deadline import Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, Reply, Usage


class LanguageModel(Protocol):
    """Text in, text out. Raises :class:`ModelFailed` and its children."""

    @property
    def name(self) -> str:
        """The name that the paper, the journal and the price list know it by."""

    def ceiling(self, ask: Ask) -> Usage:
        """The most that this call can cost; charged when an answer was never recorded."""

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        """Answer once, retries included. Raises :class:`BudgetSpent` once ``within`` is over."""


class Editor(Protocol):
    """Changes files as told, and only the files that it may.

    Raises :class:`EditorFailed`, and :class:`BudgetSpent` once ``within`` is over.
    """

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline) -> Edit:
        """Return the whole tree after the edit; model calls travel through ``model``."""


class Sandbox(Protocol):
    """Runs one job in a fresh container under its limits.

    A program that fails, is killed or hits a limit is a :class:`JobResult` with a verdict;
    only a sandbox that does not hold raises (:class:`EngineFailed`, :class:`SandboxFailed`,
    :class:`ControlUnavailable`, :class:`HarvestRefused`), or a budget whose time is over while
    the job waits or runs (:class:`BudgetSpent`; its container is gone by then).
    """

    def run(self, job: Job, within: Deadline) -> JobResult:
        """Run ``job`` to its end and bring home what its harvest rules allow."""


class Literature(Protocol):
    """Finds papers. Raises :class:`AisciError` where its source cannot be read."""

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        """At most ``query.limit`` papers, best first."""


class Blobs(Protocol):
    """Content-addressed bytes: what a tree's hashes stand for."""

    def put(self, data: bytes) -> str:
        """Keep ``data``; return its SHA-256 in hex."""

    def get(self, sha256: str) -> bytes:
        """The bytes of that hash. Raises :class:`BadJournal` if missing or changed."""
