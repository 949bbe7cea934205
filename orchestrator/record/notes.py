"""Notes: facts that stages and users add to a journal, one frozen class per kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from orchestrator.core.research import Claim, Failure, Idea, Paper, Review, Run, TrainingComparison
from orchestrator.core.tree import Tree

Status = Literal["finished", "failed", "not novel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeasEdited(_Note):
    """A user changed ``ideas.json``; these ideas are pursued."""

    note: Literal["ideas_edited"] = "ideas_edited"
    ideas: tuple[Idea, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaDuplicated(_Note):
    """A proposed idea, counted from 1, that the archive already contains."""

    note: Literal["duplicate"] = "duplicate"
    number: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCompared(_Note):
    """The baseline compared with the untrained model."""

    note: Literal["baseline_compared"] = "baseline_compared"
    comparisons: tuple[TrainingComparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaEnded(_Note):
    """The outcome of an idea, in its run's journal."""

    note: Literal["outcome"] = "outcome"
    idea: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaSkipped(_Note):
    """An idea that is not novel and was not pursued."""

    note: Literal["skipped"] = "skipped"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageBegan(_Note):
    """A stage begins."""

    note: Literal["stage"] = "stage"
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReached(_Note):
    """The study after a stage, so that the journal alone suffices to make the report.
    ``meta_review`` summarizes several ``reviews``.
    """

    note: Literal["reached"] = "reached"
    stage: str
    tree: Tree
    figures: tuple[str, ...] = ()
    paper: Paper | None = None
    claims: tuple[Claim, ...] = ()
    reviews: tuple[Review, ...] = ()
    meta_review: Review | None = None

    @property
    def review(self) -> Review | None:
        """The review that counts."""
        return self.meta_review or next(reversed(self.reviews), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaFinished(_Note):
    """Every stage is done: the number of runs and of verified claims."""

    note: Literal["finished"] = "finished"
    runs: int
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFailed(_Note):
    """A stage ended its idea."""

    note: Literal["failed"] = "failed"
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Note):
    """An experiment's run with readable results."""

    note: Literal["run_finished"] = "run_finished"
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsCompleted(_Note):
    """The model requested no run after this many."""

    note: Literal["completed"] = "completed"
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp(_Note):
    """A step was given up after this many attempts; ``instead`` replaces it."""

    note: Literal["given_up"] = "given_up"
    attempts: int
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesRestored(_Note):
    """An edit changed files that it may not change; they were restored."""

    note: Literal["put_back"] = "put_back"
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionDropped(_Note):
    """An edit of ``notes.txt`` that was not used."""

    note: Literal["description_dropped"] = "description_dropped"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRefused(_Note):
    """An edit of the paper that was not used."""

    note: Literal["edit_refused"] = "edit_refused"
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionAbsent(_Note):
    """The template's paper lacks this section."""

    note: Literal["section_absent"] = "section_absent"
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citable(_Note):
    """The BibTeX keys that the paper may cite."""

    note: Literal["citable"] = "citable"
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsVerified(_Note):
    """The number of verified numbers in the paper."""

    note: Literal["verified"] = "verified"
    claims: int


Note = (
    IdeasEdited
    | IdeaDuplicated
    | BaselineCompared
    | IdeaEnded
    | IdeaSkipped
    | StageBegan
    | StageReached
    | IdeaFinished
    | StageFailed
    | RunFinished
    | RunsCompleted
    | GaveUp
    | FilesRestored
    | DescriptionDropped
    | EditRefused
    | SectionAbsent
    | Citable
    | ClaimsVerified
)
NOTE: TypeAdapter[Note] = TypeAdapter(Annotated[Note, Field(discriminator="note")])


def read_note(value: Any) -> Note:
    """The note whose JSON is ``value``. Raises ValueError for any other value."""
    return NOTE.validate_python(value)
