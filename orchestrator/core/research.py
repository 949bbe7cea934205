"""The values of research: idea, novelty, plan, run, figure, failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.core.literature import EngineAnswer, PaperRef
from orchestrator.core.tree import UNWRITTEN, Tree, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A proposed study. Scores are the proposer's own, 1–10, or None where it gave none. ``novel`` is what a
    person decided in ``ideas.json``, None where nobody did. ``runs`` is how many runs beside the baseline the
    proposer expects, None where it said nothing: of many ideas the longest begin first; the plan decides.
    """

    name: str
    title: str
    experiment: str
    interestingness: int | None = None
    feasibility: int | None = None
    novelty: int | None = None
    novel: bool | None = None
    runs: int | None = field(default=None, metadata=UNWRITTEN)

    @property
    def id(self) -> str:
        """Of what is to be done: other scores, or another number of runs, make no other idea."""
        return digest([self.name, self.title, self.experiment])[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """A search: its words, how many papers it found and how many of them were new, and who answered."""

    query: str
    found: int
    new: int
    engines: tuple[EngineAnswer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """Whether an idea is published already. ``papers`` are those that were found, ``closest`` is the key of
    the one that comes nearest to the idea.
    """

    decision: Literal["novel", "not novel", "undecided"]
    reason: str
    papers: tuple[PaperRef, ...] = ()
    closest: str = ""
    searches: tuple[Searched, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A paper that may be cited, and why: ``section`` is where it was asked for, empty for the whole."""

    paper: PaperRef
    why: str
    query: str = ""
    section: str = ""


Direction = Literal["higher", "lower", "none"]
BASELINE = "baseline"
"""The name of run 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMetric:
    """A metric that a study adds to those of its template."""

    name: str
    unit: str
    direction: Direction
    description: str
    headline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """A run before it is made: its name, the run whose code it starts from, what it tests, what is
    expected, and which result would refute that.
    """

    name: str
    base: str
    tests: str
    expects: str
    refuted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The runs that are to be made, in order; the metrics to add; the metrics that decide."""

    runs: tuple[PlannedRun, ...]
    metrics: tuple[DeclaredMetric, ...] = ()
    decides: tuple[str, ...] = ()


Finding = Literal["as expected", "in part", "refuted", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutcome:
    """What the author of the plan says of a finished run, beside what it had expected."""

    number: int
    planned: PlannedRun
    finding: Finding
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished run: its code, the files it left below ``run_i/``, its attempts. ``name`` is for
    tables and prose, ``base`` the number of the run whose code it started from. ``memory`` is the
    peak in bytes, ``seconds`` wall time, ``output`` the end of what the program printed.
    """

    number: int
    code: Tree
    files: Tree
    description: str
    attempts: int
    seconds: float
    name: str
    base: int = 0
    memory: int = 0
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the paper: its PNG file, its author's caption, and what the container saw in it."""

    name: str
    caption: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingComparison:
    """A metric of a trained model against the same model untrained, in the metric's unit.

    ``gain`` is how much better it is, whichever direction is better; ``margin`` is what is asked.
    """

    dataset: str
    metric: str
    trained: float
    untrained: float
    gain: float
    margin: float

    @property
    def held(self) -> bool:
        return self.gain >= self.margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Where and why an idea ended early."""

    stage: str
    error: str
    what: str
    where: str = ""
    todo: str = ""
    transient: bool = False
