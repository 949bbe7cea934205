"""Notes: facts that stages and users add to a journal, one frozen class per kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from orchestrator.core.papers import Claim, Improvement, Paper, Review
from orchestrator.core.research import Failure, Figure, Idea, Run, TrainingComparison
from orchestrator.core.tree import UNWRITTEN, Tree
from orchestrator.record.batch_notes import BatchSent
from orchestrator.record.end_notes import RunFailed
from orchestrator.record.import_notes import Imported
from orchestrator.record.literature_notes import LiteratureNote
from orchestrator.record.paper_notes import (
    ClaimsVerified,
    EditRefused,
    SectionAbsent,
    SentencesDoubted,
)
from orchestrator.record.pins import LeaveOut, ReviewPin, StrictRecord
from orchestrator.record.plan_notes import (
    Criticized,
    Instrumented,
    PlanMade,
    RunGivenUp,
    RunsCompleted,
)

Status = Literal["finished", "failed", "not novel", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeasEdited(StrictRecord):
    """A user changed ``ideas.json``; these ideas are pursued."""

    note: Literal["ideas_edited"] = "ideas_edited"
    ideas: tuple[Idea, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaDuplicated(StrictRecord):
    """A proposed idea, counted from 1, that repeats one of the archive, and in what."""

    note: Literal["duplicate"] = "duplicate"
    number: int
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTaken(StrictRecord):
    """What an open-ended run knew of its ideas, by id, when the next one was proposed: their scores."""

    note: Literal["archive"] = "archive"
    scores: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeasLeft(StrictRecord):
    """The model failed after it had proposed these ideas; resume asks for the others."""

    note: Literal["ideas_left"] = "ideas_left"
    ideas: tuple[Idea, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCompared(StrictRecord):
    """The baseline compared with the untrained model."""

    note: Literal["baseline_compared"] = "baseline_compared"
    comparisons: tuple[TrainingComparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaEnded(StrictRecord):
    """The outcome of an idea, in its run's journal."""

    note: Literal["outcome"] = "outcome"
    idea: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class StageBegan(StrictRecord):
    """A stage begins."""

    note: Literal["stage"] = "stage"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagesAsked(StrictRecord):
    """A user asked for the stage ``again``, and for those after it, to be made again; to end at ``until``,
    or to go on to the end; or for one of the last stages to be made once ``more``. The first one may say what
    the run does ``leave_out``.
    """

    note: Literal["asked"] = "asked"
    again: str = ""
    until: str = ""
    more: Literal["", "review", "improve"] = ""
    reviewing: ReviewPin | None = None
    leave_out: LeaveOut = field(default="", metadata=UNWRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReached(StrictRecord):
    """The study after a stage, so that the journal alone suffices to make the report.
    ``figures`` are names, ``captions`` what is said of them. ``meta_review`` summarizes several
    ``reviews``.
    """

    note: Literal["reached"] = "reached"
    stage: str
    tree: Tree
    figures: tuple[str, ...] = ()
    captions: tuple[Figure, ...] = ()
    paper: Paper | None = None
    claims: tuple[Claim, ...] = ()
    reviews: tuple[Review, ...] = ()
    meta_review: Review | None = None
    improvements: tuple[Improvement, ...] = ()

    @property
    def review(self) -> Review | None:
        """The review that counts."""
        return self.meta_review or next(reversed(self.reviews), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLost(StrictRecord):
    """A reviewer's reply that could not be used; the others count."""

    note: Literal["review_lost"] = "review_lost"
    reviewer: int
    step: Literal["form", "reflection", "meta-review", "answered"]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaFinished(StrictRecord):
    """A paper compiled: the number of runs and of claims, and whether it is verified and reviewed. Or the run
    has ``left_out`` the paper, or its review.
    """

    note: Literal["finished"] = "finished"
    runs: int
    claims: int
    verified: bool
    reviewed: bool
    left_out: LeaveOut = field(default="", metadata=UNWRITTEN)

    @property
    def lacking(self) -> tuple[str, ...]:
        """What the idea's paper is not, in words."""
        if self.left_out == "paper":
            return ("paper left out",)
        review = "review left out" if self.left_out else "not reviewed"
        states = ((self.verified, "not verified"), (self.reviewed, review))
        return tuple(what for done, what in states if not done)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFailed(StrictRecord):
    """A stage gave up. Without a paper, this ended the idea."""

    note: Literal["failed"] = "failed"
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(StrictRecord):
    """An experiment's run with readable results."""

    note: Literal["run_finished"] = "run_finished"
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class TriesEnded(StrictRecord):
    """The model or the editor gave a step nothing usable in this many tries; resume adds more."""

    note: Literal["tries_ended"] = "tries_ended"
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp(StrictRecord):
    """A step was given up after this many attempts; ``instead`` replaces it."""

    note: Literal["given_up"] = "given_up"
    attempts: int
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresInspected(StrictRecord):
    """The figures are drawn. ``problems`` are still wrong after the last attempt, in the words in which
    the model was told; ``left_out`` are (name, reason) of what was drawn and is not shown.
    """

    note: Literal["figures_inspected"] = "figures_inspected"
    problems: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesRestored(StrictRecord):
    """An edit changed files that it may not change; they were restored."""

    note: Literal["put_back"] = "put_back"
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionDropped(StrictRecord):
    """An edit of ``notes.txt`` that was not used."""

    note: Literal["description_dropped"] = "description_dropped"
    why: str


_RunNote = IdeasEdited | IdeaDuplicated | ArchiveTaken | IdeasLeft | BaselineCompared | IdeaEnded
_IdeaNote = StageBegan | StagesAsked | StageReached | IdeaFinished | StageFailed
_RunsNote = (
    PlanMade | Instrumented | Criticized | RunGivenUp | RunFinished | RunsCompleted | Imported
)
_StepNote = BatchSent | TriesEnded | GaveUp | FiguresInspected | FilesRestored | DescriptionDropped
_PaperNote = EditRefused | SectionAbsent | ClaimsVerified | SentencesDoubted | ReviewLost
Note = _RunNote | RunFailed | _IdeaNote | _RunsNote | _StepNote | _PaperNote | LiteratureNote
NOTE: TypeAdapter[Note] = TypeAdapter(Annotated[Note, Field(discriminator="note")])


def read_note(value: Any) -> Note:
    """The note whose JSON is ``value``. Raises ValueError for any other value."""
    return NOTE.validate_python(value)
