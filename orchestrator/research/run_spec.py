"""The inputs of a run (specification, location, dependencies), and the state of one idea."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.core.model import DEFAULT_ROLE, FALLBACK, ROLES, Message
from orchestrator.core.papers import Claim, Improvement, Paper, Review
from orchestrator.core.research import (
    Citation,
    Failure,
    Figure,
    Idea,
    Novelty,
    Plan,
    PlanOutcome,
    Run,
)
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Listener, Mode
from orchestrator.record.notes import StagesAsked, Status
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.pins import (
    BaselinePin,
    CeilingPin,
    DataPin,
    EnginePin,
    ImageContents,
    ImportPin,
    LeaveOut,
    ModelPin,
    Origin,
    ProofPin,
    ReviewPin,
    SignaturePin,
)
from orchestrator.record.plan_notes import RunGivenUp
from orchestrator.record.ports import Edges
from orchestrator.research.importing.values import ImportedContent
from orchestrator.template.manifest import Metric
from orchestrator.template.results import Results
from orchestrator.template.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The state of one idea between stages; each stage returns a new one. ``tree`` is the working
    folder: code, notes, figures, ``latex/`` and every ``run_i/``. ``plan`` has the runs that are
    still to be made. ``results`` are run numbers (0 is the baseline) and the contents of their
    ``final_info.json``. ``skeleton`` is the paper's source with placeholders, ``sections`` are the texts
    in their place, ``said`` is the conversation in which they were written. ``author`` is the model's name as the paper prints it; ``sees`` are the
    roles whose model is shown pictures; ``judged``: its novelty is judged; ``leave_out`` as in :class:`RunSpec`. ``imported`` is what a results folder
    says, ``typed``: the paper's author could not print numbers by reference.
    """

    idea: Idea
    template: Template
    policy: Policy
    scale: str
    author: str
    sees: frozenset[str] = frozenset()
    novelty: Novelty
    judged: bool = True
    leave_out: LeaveOut = ""
    citations: tuple[Citation, ...] = ()
    tree: Tree
    runs: tuple[Run, ...]
    results: tuple[tuple[int, Results], ...]
    plan: Plan = field(default_factory=lambda: Plan(runs=()))
    outcomes: tuple[PlanOutcome, ...] = ()
    given_up: tuple[RunGivenUp, ...] = ()
    questions: tuple[str, ...] = ()
    more_seeds: int = 0
    data: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Figure, ...] = ()
    skeleton: str = ""
    sections: tuple[tuple[str, str], ...] = ()
    said: tuple[Message, ...] = ()
    paper: Paper | None = None
    claims: tuple[Claim, ...] = ()
    unresolved: tuple[str, ...] = ()
    reviewing: ReviewPin = field(default_factory=ReviewPin)
    reviews: tuple[Review, ...] = ()
    meta_review: Review | None = None
    improvements: tuple[Improvement, ...] = ()
    imported: ImportedContent | None = None
    typed: bool = False

    @property
    def review(self) -> Review | None:
        """The review that counts."""
        return self.meta_review or next(reversed(self.reviews), None)

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the paper's figures."""
        return tuple(one.name for one in self.pictures)

    @property
    def tails(self) -> bool:
        """Whether a model is told the end of a failed attempt's output: never of confidential data."""
        return self.policy.tells_tails and not self.template.manifest.confidential

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of the template, and those that the plan adds, by name."""
        added = {
            one.name: Metric(
                direction=one.direction,
                unit=one.unit,
                description=one.description,
                headline=one.headline,
            )
            for one in self.plan.metrics
        }
        return {**added, **self.template.manifest.metrics}

    @property
    def headline(self) -> tuple[str, ...]:
        """The metrics that tables show: those that decide, then the plan's and the template's."""
        added = (one.name for one in self.plan.metrics if one.headline)
        return tuple(dict.fromkeys((*self.plan.decides, *added, *self.template.manifest.headline)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PursuedIdea:
    """The outcome of an idea, its last study, and how often a stage of it was asked for again. A
    finished idea has a failure if its paper is not verified or not reviewed. ``after`` is the stage that a
    stopped one was to end with, ``left_out`` what of a finished one its run leaves out.
    """

    status: Status
    study: Study
    failure: Failure | None = None
    retried: int = 0
    after: str = ""
    left_out: LeaveOut = ""

    @property
    def settled(self) -> bool:
        """Whether resume would not change it."""
        return self.status != "stopped" and not (self.failure and self.failure.transient)


class Exporter(Protocol):
    """Writes the files that are made from a finished journal."""

    def idea(self, output: IdeaPaths, journal: Journal, outcome: PursuedIdea) -> None:
        """Write one idea's evidence, history, review and report."""

    def run(self, location: Any, journal: Journal, outcomes: tuple[PursuedIdea, ...]) -> None:
        """Write the run's own report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """The specification of a run. ``images`` maps image names to resolved ids. ``proof`` is the
    latest proof of its policy, ``baseline`` a cached one that the run starts from. ``sees``: the
    model is shown pictures; ``server`` is where it is asked, if that is the user's own. ``engines`` are asked for papers, besides the lists on this machine; ``roles``
    are the models of single roles. ``given`` are ideas that are not proposed; without ``novelty``, none is
    judged for it; ``open_ended``: each is pursued before the next one is proposed. ``imported`` is a results folder
    whose idea, runs and paper are taken in place of being made. Papers, or their review, that a run does
    ``leave_out`` are made if they are asked for later. ``ceilings`` of the machine hold the policy. ``effort``: how
    much models are to think, as (role, level). ``signatures`` were demanded by the machine.
    """

    template: Template
    policy: Policy
    model: str
    author: str
    scale: str
    ideas: int
    images: tuple[tuple[str, str], ...]
    prices: tuple[tuple[str, float], ...] = ()
    sees: bool = False
    server: str = ""
    data: tuple[DataPin, ...] = ()
    proof: ProofPin | None = None
    baseline: BaselinePin | None = None
    engines: tuple[EnginePin, ...] = ()
    roles: tuple[ModelPin, ...] = ()
    reviewing: ReviewPin = field(default_factory=ReviewPin)
    given: tuple[Idea, ...] = ()
    novelty: bool = True
    open_ended: bool = False
    imported: ImportPin | None = None
    leave_out: LeaveOut = ""
    ceilings: tuple[CeilingPin, ...] = ()
    effort: tuple[tuple[str, str], ...] = ()
    signatures: tuple[SignaturePin, ...] = ()

    @property
    def seeing(self) -> frozenset[str]:
        """The roles whose model is shown pictures."""
        own = {pin.role: pin.sees for pin in self.roles}
        if not own.get(FALLBACK, True):  # any request may come to it
            return frozenset()
        return frozenset(role for role in (DEFAULT_ROLE, *ROLES) if own.get(role, self.sees))

    @property
    def authors(self) -> dict[str, str]:
        """The names of the models of single roles, as requests contain them."""
        return {pin.role: pin.author for pin in self.roles}

    @property
    def mounts(self) -> tuple[tuple[str, str], ...]:
        """(name, hash) of each data set, for jobs."""
        return tuple((data.name, data.hash) for data in self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLocation:
    """The folder of a run's record, and of its files (another one in a replay). ``asked`` are the stages that
    a resume was asked for, of ``idea`` alone (its id) or of all ideas. ``parallel`` ideas are in flight, on
    those of the machine's ``gpus``. ``by`` is who does it, and with which program;
    ``contents`` are the packages of its images.
    """

    record: RunPaths
    output: RunPaths
    mode: Mode
    asked: StagesAsked | None = None
    idea: str = ""
    parallel: int = 1
    gpus: str = "all"
    by: Origin | None = None
    contents: tuple[ImageContents, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDeps:
    """The dependencies of a run: its edges, for a blob store, and the exporter of files."""

    edges: Callable[[BlobStore], Edges]
    exporter: Exporter
    listener: Listener
