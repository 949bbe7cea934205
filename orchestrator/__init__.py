"""The map of aisci: the four ports that reach the world, and every error that can rise.

Research is a straight line of stages (``pipeline.py``). A stage is synchronous code that
knows only the ports below and the frozen values of ``records.py``; it holds no clock, no
random source and no state. Each port call is written to a journal (``journal.py``), so that
resume, replay, test fixture and audit log are one mechanism.

::

    cli → edges, pipeline → stages → harvest, evidence, policy, template → journal, records → here

The errors::

    AisciError
    ├── UserError               the request is wrong; nothing was started (exit code 2)
    │   ├── BadFile             a file that a person wrote: where, line, column, key
    │   │   ├── BadPolicy
    │   │   └── BadTemplate
    │   ├── UnknownName         no such template, policy, model, image; the nearest is named
    │   ├── MissingKey          a model whose key is not in the environment
    │   └── ResultsExist        a results folder that is already there
    ├── EngineUnavailable       no Docker engine answers
    ├── EngineFailed            the engine refused or broke off (transient)
    ├── DataFailed              a data set could not be fetched, or is not what was declared
    ├── ImageMissing            an image is not built
    ├── ImageStale              an image was built from another recipe
    ├── ImageBuildFailed
    ├── ControlUnavailable      the policy asks what this machine cannot give
    │   └── HostBusy            it could, but for what else runs here just now (transient)
    ├── SandboxFailed           a container did not do what its policy says
    ├── HarvestRefused          what a container left breaks the harvest rules as a whole
    ├── BadResults              a run's final_info.json is no result
    ├── ModelFailed             the model gave no usable answer
    │   ├── ModelBusy           429, 5xx, time-out after all retries (transient)
    │   ├── ModelRefused        400, 401, 403: asking again will not help
    │   └── BadReply            a reply that does not keep the asked format
    ├── EditorFailed            the editor's worker broke off
    ├── BudgetSpent             a call would pass the budget, or did (transient: raise it, resume)
    ├── DiskFull                the host has no room to write
    ├── BadJournal              a torn, changed or foreign journal
    ├── Diverged                a run that is played again asks something else than it did
    ├── Interrupted             a person or a signal stopped the run (transient)
    └── IdeaFailed              a stage gave up on one idea; the others go on
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orchestrator.core.deadline import Deadline
    from orchestrator.records import (
        Ask,
        Edit,
        EditRequest,
        Job,
        JobResult,
        PaperRef,
        Query,
        Reply,
        Usage,
    )

__version__ = "0.1.0"


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


class AisciError(Exception):
    """What went wrong, where, and what to do next."""

    exit_code = 1
    transient = False

    def __init__(self, what: str, *, where: str = "", why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.why, self.todo = what, where, why, todo

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  where: {self.where}"] if self.where else []
        lines += [f"  why:   {self.why}"] if self.why else []
        lines += [f"  do:    {self.todo}"] if self.todo else []
        return "\n".join(lines)


class UserError(AisciError):
    """The request is wrong; nothing was started."""

    exit_code = 2


class BadFile(UserError):
    """A file that a person wrote does not keep its rules."""


class BadPolicy(BadFile):
    """A policy that cannot be enforced as it stands."""


class BadTemplate(BadFile):
    """A template that breaks its contract."""


class UnknownName(UserError):
    """No template, policy, model or image of that name."""


class MissingKey(UserError):
    """The model's vendor wants a key that the environment does not hold."""


class ResultsExist(UserError):
    """A results folder that is already there is never written over."""


class EngineUnavailable(AisciError):
    """No Docker engine answers."""


class EngineFailed(AisciError):
    """The engine refused a request or broke off."""

    transient = True


class DataFailed(AisciError):
    """A data set could not be fetched, or is not what its manifest says."""


class ImageMissing(AisciError):
    """An image that a policy names is not built."""


class ImageStale(AisciError):
    """An image was built from another recipe than this program carries."""


class ImageBuildFailed(AisciError):
    """An image's recipe did not run to its end."""


class ControlUnavailable(AisciError):
    """The policy asks for a control that this machine cannot give."""


class HostBusy(ControlUnavailable):
    """This machine could give it, were it not for what else runs here just now."""

    transient = True


class SandboxFailed(AisciError):
    """A container did not do what its policy says; its result is not used."""


class HarvestRefused(AisciError):
    """What a container left breaks the harvest rules as a whole."""


class BadResults(AisciError):
    """A run ended well, and its ``final_info.json`` holds no result that can be used."""


class ModelFailed(AisciError):
    """The model gave no usable answer."""


class ModelBusy(ModelFailed):
    """Rate limit, server error or time-out, after all retries."""

    transient = True


class ModelRefused(ModelFailed):
    """The vendor refused the request; asking again will not help."""


class BadReply(ModelFailed):
    """The reply does not keep the format that was asked for."""


class EditorFailed(AisciError):
    """The editor's worker broke off."""


class BudgetSpent(AisciError):
    """The next call would pass the budget, or one was ended because its time was over."""

    transient = True


class DiskFull(AisciError):
    """The host has no room to write."""

    transient = True


class BadJournal(AisciError):
    """A journal, or a body that it names, is torn, changed or from another version."""


class Diverged(AisciError):
    """A run that is played again asks something else than it did."""


class Interrupted(AisciError):
    """A person or a signal stopped the run."""

    exit_code = 130
    transient = True


class IdeaFailed(AisciError):
    """A stage gave up on one idea; its finished runs are kept and the others go on."""
