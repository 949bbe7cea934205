"""The four ports that stages know, and the store of bytes behind their values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from orchestrator.core.deadline import Deadline
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.errors import ModelFailed
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import CheckedReference, Found, Query, References
from orchestrator.core.model import Ask, Reply, Usage


class LanguageModel(Protocol):
    """Text in, text out. Raises :class:`ModelFailed` and its children."""

    @property
    def name(self) -> str:
        """Its name in papers, journals and price lists."""

    def ceiling(self, ask: Ask) -> Usage:
        """The most that this call can cost; charged if its answer was never recorded."""

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        """Answer once, retries included. Raises :class:`BudgetSpent` when ``within`` passes."""


@runtime_checkable
class BatchModel(LanguageModel, Protocol):
    """A model that also takes several requests at once, answers them later, and charges less for that."""

    def batch_ceiling(self, ask: Ask) -> Usage:
        """The most that this request can cost in a batch."""

    def send(self, asks: Sequence[Ask], within: Deadline) -> str:
        """Hand over the requests; the vendor's id of them, to be recorded before anything is waited for."""

    def collect(
        self, batch: str, asks: Sequence[Ask], within: Deadline
    ) -> tuple[Reply | ModelFailed, ...]:
        """Wait for the replies to all of ``asks``, in their order. A request that failed is its error; what is
        raised concerns the waiting alone, and the batch can be collected later.
        """


class Editor(Protocol):
    """Changes files as an instruction says, and only those that it may change.

    Raises :class:`EditorFailed`, and :class:`BudgetSpent` when ``within`` passes.
    """

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline) -> Edit:
        """The whole tree after the edit; model calls go through ``model``."""


class Sandbox(Protocol):
    """Runs one job in a fresh container under its limits.

    A program that fails, is killed or hits a limit is a :class:`JobResult` with a verdict.

    Raises:
        EngineFailed, SandboxFailed, ControlUnavailable, HarvestRefused: the sandbox could not
            enforce its policy.
        BudgetSpent: ``within`` passed while the job waited or ran; its container is removed.
    """

    def run(self, job: Job, within: Deadline) -> JobResult:
        """Run ``job`` to its end and harvest what its rules allow."""


class Literature(Protocol):
    """Finds papers and checks references. A service that fails is left out, and the answer says so.

    Raises :class:`AisciError` where a file of this machine cannot be read.
    """

    def search(self, query: Query, within: Deadline) -> Found:
        """At most ``query.limit`` papers, best first, and what each source did."""

    def check(self, references: References, within: Deadline) -> tuple[CheckedReference, ...]:
        """What the registries say of each reference, in order."""


class Blobs(Protocol):
    """Content-addressed bytes: those that a tree's hashes name."""

    def put(self, data: bytes) -> str:
        """Keep ``data``; return its SHA-256 in hex."""

    def size(self, sha256: str) -> int:
        """How many bytes. Raises :class:`BadJournal` if they are missing."""

    def copy(self, sha256: str, target: Path) -> None:
        """Write the bytes of that hash to a file. Raises as :meth:`get`."""

    def get(self, sha256: str, most: int | None = None) -> bytes:
        """The bytes of that hash. Raises :class:`BadJournal` if missing, changed or over ``most``."""
