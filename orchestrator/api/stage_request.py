"""A stage of one idea by itself: ``aisci experiment``, ``plot``, ``writeup``, ``review`` and ``improve``.

Each becomes a resume of the idea's run that is asked for these stages alone, so that the same record, budget
and policy hold for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from orchestrator.api.export import open_journal
from orchestrator.api.find_run import find_idea
from orchestrator.api.prepare import RESULTS
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.core.errors import UserError
from orchestrator.core.untrusted import require_plain
from orchestrator.record.asked_stages import recorded_stages
from orchestrator.record.events import IdeaStarted
from orchestrator.record.journal import Journal
from orchestrator.record.notes import IdeaFinished, StageReached, StagesAsked
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.pins import ReviewPin
from orchestrator.record.signing import Signer
from orchestrator.research.pins import read_pins

StageCommand = Literal["experiment", "plot", "writeup", "review", "improve"]
_SPANS = {
    "experiment": ("experiments", "experiments"),
    "plot": ("plots", "plots"),
    "writeup": ("notes", "verify"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRequest:
    """A stage of the idea in a folder, RUN/IDEA. What is None stays as the run has it; ``improve`` is the number
    of passes.
    """

    stage: StageCommand
    idea: str
    reviews: int | None = None
    reflections: int | None = None
    examples: bool | None = None
    accept_from: float | None = None
    improve: int = 1
    max_usd: float | None = None
    sign: Signer | None = None
    results: Path = RESULTS

    def rules(self, known: ReviewPin) -> ReviewPin:
        """The rules ``known``, with what this request changes in them."""
        names = ("reviews", "reflections", "examples", "accept_from")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        passes = self.improve if self.stage == "improve" else known.improve
        return replace(known, **given, improve=passes)


def stages_again(name: str) -> StagesAsked | None:
    """The request to make a stage and those after it again; None without a name."""
    return StagesAsked(again=name) if name else None


def resume_of(request: StageRequest) -> ResumeRequest:
    """The resume that makes these stages. Raises :class:`UnknownName` where there is no such idea, and
    :class:`UserError` where it has no paper to review.
    """
    run, idea = find_idea(request.idea, request.results)
    require_plain(run.folder)
    journal = open_journal(idea)
    started = journal.events[0]
    assert isinstance(started, IdeaStarted)
    again, until = _SPANS.get(request.stage, ("", ""))
    asked = StagesAsked(again=again, until=until)
    if request.stage in ("review", "improve"):
        rules = request.rules(read_pins(run).reviewing)
        asked = _judging(request, journal, started.id, idea, rules)
    return ResumeRequest(
        run=str(run.folder),
        results=request.results,
        asked=asked,
        idea=started.id,
        max_usd=request.max_usd,
        sign=request.sign,
    )


def _judging(
    request: StageRequest, journal: Journal, idea: str, paths: IdeaPaths, rules: ReviewPin
) -> StagesAsked:
    """A review or an improvement: of the paper as it stands if the way to it is done, else by going there."""
    known = recorded_stages(journal, idea)
    scopes = [f"idea/{idea}/{scope}" for scope in known.scopes()]
    reached = [note for scope in scopes for note in journal.notes(StageReached, below=scope)]
    if not reached or reached[-1].paper is None:
        raise UserError(
            "this idea has no paper yet",
            where=str(paths.folder),
            todo=f"`aisci writeup {paths.folder}` writes it; `aisci resume` takes the run to its end",
        )
    ends = [f"idea/{idea}/{scope}" for scope in known.ends()]
    done = any(journal.notes(IdeaFinished, below=scope) for scope in ends)
    if request.stage == "improve" and done and reached[-1].review is None:
        raise UserError(
            "nobody reviewed this paper yet",
            where=str(paths.folder),
            todo=f"`aisci review {paths.folder}` first",
        )
    if done:
        more: Literal["review", "improve"] = "review" if request.stage == "review" else "improve"
        return StagesAsked(more=more, reviewing=rules)
    return StagesAsked(until=request.stage, reviewing=rules)
