"""What the functions of ``orchestrator.api`` return."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.files import slug
from orchestrator.core.papers import Review
from orchestrator.core.research import Failure
from orchestrator.record.notes import Status
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import LeaveOut
from orchestrator.research.run_spec import PursuedIdea


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaOutcome:
    """How one idea ended; a stopped one ``after`` which stage. ``paper`` is its PDF, where one was compiled,
    ``review`` the one that counts, ``left_out`` what the run leaves out of a finished one.
    """

    name: str
    id: str
    status: Status
    failure: Failure | None
    folder: Path
    paper: Path | None
    after: str = ""
    review: Review | None = None
    left_out: LeaveOut = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended.

    ``head`` is the hash of its journal's last line, empty for a run that may continue. ``signer``
    is the fingerprint of the key that was given to sign with; the run is signed if it has a head.
    """

    folder: Path
    report: Path
    ideas: tuple[IdeaOutcome, ...]
    head: str = ""
    signer: str = ""

    @property
    def ok(self) -> bool:
        """Whether an idea finished, or none failed."""
        states = {idea.status for idea in self.ideas}
        return "finished" in states or "failed" not in states


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOutcome:
    """How many ideas were replayed, and which files came out the same byte for byte, or not."""

    ideas: int
    same: tuple[str, ...]
    different: tuple[str, ...]


def idea_outcome(paths: RunPaths, outcome: PursuedIdea) -> IdeaOutcome:
    """An idea's outcome with the places of its files."""
    folder = paths.idea(outcome.study.idea).folder
    pdf = folder / f"{slug(outcome.study.idea.name)}.pdf"
    return IdeaOutcome(
        name=outcome.study.idea.name,
        id=outcome.study.idea.id,
        status=outcome.status,
        failure=outcome.failure,
        folder=folder,
        paper=pdf if pdf.is_file() else None,
        after=outcome.after,
        review=outcome.study.review,
        left_out=outcome.left_out,
    )
