"""What a finished run's paper is not, and why a stage failed, is told wherever a person looks first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.api.run_compare import ComparedIdea
from orchestrator.api.run_status import RunStatus, WayStatus
from orchestrator.console.log_lines import _noted, _unforeseen
from orchestrator.console.run_compare import _idea
from orchestrator.console.run_list import drawn_list
from orchestrator.console.run_status import drawn_status
from orchestrator.core.research import Failure
from orchestrator.record.notes import StageFailed

CAUSE = "a sentence of the paper has no result:\n" + " ".join(f"word{n}" for n in range(300))
IDEA = WayStatus(
    id="923ecbbbbd3a", name="sweep", folder="sweep_923ecb", status="finished", stage="verify",
    place="", marks=(("verify", "failed"),), why=f"verify: {CAUSE}", lacking=("not verified",),
    out=(), containers=(), tokens=1, usd=0.0, unpriced=0,
)  # fmt: skip
RUN = RunStatus(
    id="quick/20261128_000000", folder=Path("results/quick/20261128_000000"), state="finished",
    template="quick", shared=replace(IDEA, name="run", status="", why="", lacking=()), ideas=(IDEA,),
)  # fmt: skip
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_a_list_says_that_a_finished_paper_is_not_verified() -> None:
    lines = [line.plain for line in drawn_list([RUN], NOW, 80)]
    assert lines[-1] == "  sweep: not verified"


def test_what_was_left_out_on_purpose_is_not_missed() -> None:
    left = replace(IDEA, lacking=("review left out",))
    assert replace(RUN, ideas=(left,)).where == ""


def test_after_not_verified_the_next_command_checks_the_paper() -> None:
    assert RUN.next == "aisci check paper results/quick/20261128_000000/sweep_923ecb"


def test_a_status_shows_a_cause_whole_and_wrapped() -> None:
    lines = [line.plain for line in drawn_status(RUN, NOW.timestamp(), 80)]
    assert max(map(len, lines)) <= 80
    assert " ".join(CAUSE.split()) in " ".join(" ".join(lines).split())


def test_a_log_shows_a_cause_whole_and_no_class_of_ours() -> None:
    failure = Failure(stage="verify", error="StageLeft", what=CAUSE)
    assert _noted(StageFailed(failure=failure)) == f"failed in verify: {' '.join(CAUSE.split())}"
    assert [_unforeseen(kind) for kind in ("IdeaFailed", "KeyError")] == ["", "KeyError: "]


def test_a_comparison_says_what_a_paper_is_not() -> None:
    idea = ComparedIdea(
        name="a", status="finished", review=None, decision="", lacking=("not verified",)
    )
    assert _idea(idea).plain == "finished, not verified"
