"""What a run is doing, from lines of its journals: repeated stages, calls that a killed process left, its end."""

from __future__ import annotations

from typing import Any

from orchestrator.api.run_state import RunState
from orchestrator.core.model import Usage
from orchestrator.core.research import Failure, TrainingComparison
from orchestrator.core.tree import Tree
from orchestrator.record.events import Asked, Body, Noted, Sealed, to_json
from orchestrator.record.notes import (
    BaselineCompared,
    IdeaFinished,
    Note,
    StageBegan,
    StageFailed,
    StageReached,
)
from tests.support.journal_rig import IDEA, idea_started

ROOT = f"idea/{IDEA.id}"


def load(body: Body) -> Any:
    return body.inline


def noted(scope: str, note: Note) -> Noted:
    return Noted(scope=scope, ord=0, name=note.note, body=Body(inline=to_json(note)))


def begun(*stages: str) -> RunState:
    """An idea that went through these stages."""
    state = RunState(load, lambda: 5.0)
    state.take(idea_started())
    for stage in stages:
        state.take(noted(f"{ROOT}/{stage}", StageBegan(name=stage)))
        state.take(noted(f"{ROOT}/{stage}", StageReached(stage=stage, tree=Tree())))
    return state


def asked(ordinal: int) -> Asked:
    return Asked(
        port="model", scope=f"{ROOT}/plots", ord=ordinal, request="", body=Body(inline={}),
        ceiling=Usage(),
    )  # fmt: skip


def test_a_stage_that_is_made_again_takes_back_those_after_it() -> None:
    state = begun("novelty", "experiments", "plots", "critique")
    state.take(noted(f"{ROOT}/plots#2", StageBegan(name="plots")))
    way = state.ways[IDEA.id]
    assert way.marks == {"novelty": "reached", "experiments": "reached", "plots": "begun"}


def test_a_review_that_is_made_once_more_takes_nothing_back() -> None:
    state = begun("review", "improve")
    state.take(noted(f"{ROOT}/review#more_1", StageBegan(name="review")))
    assert state.ways[IDEA.id].marks == {"review": "begun", "improve": "reached"}


def test_a_call_that_a_killed_process_left_is_out_once_when_it_is_asked_again() -> None:
    state = begun("plots")
    for ordinal in (0, 0, 1):
        state.take(asked(ordinal))
    assert len(state.ways[IDEA.id].doing) == 2


def test_a_failure_that_is_made_good_is_none_any_more() -> None:
    state = begun()
    failure = Failure(stage="plots", error="ModelBusy", what="busy\nfor long", transient=True)
    state.take(noted(f"{ROOT}/plots", StageFailed(failure=failure)))
    way = state.ways[IDEA.id]
    assert (way.status, way.why, way.marks) == (
        "failed",
        "plots: busy\nfor long",
        {"plots": "failed"},
    )
    state.take(noted(f"{ROOT}/plots", StageReached(stage="plots", tree=Tree())))
    assert (way.status, way.why, way.marks) == ("", "", {"plots": "reached"})


def test_an_idea_that_has_not_ended_when_the_record_does_was_left_out() -> None:
    state = begun("novelty")
    state.take(Sealed(count=1, head="", ideas={}))
    assert (state.sealed, state.ways[IDEA.id].status) == (True, "left out")
    ended = begun("improve")
    finished = IdeaFinished(runs=1, claims=1, verified=True, reviewed=False)
    ended.take(noted(f"{ROOT}/improve", finished))
    ended.take(Sealed(count=1, head="", ideas={}))
    assert ended.ways[IDEA.id].status == "finished"
    assert ended.ways[IDEA.id].lacking == ("not reviewed",)


def test_a_baseline_that_beats_no_untrained_model_fails_the_run() -> None:
    state = RunState(load, lambda: 0.0)
    one = TrainingComparison(
        dataset="d", metric="m", trained=1.0, untrained=1.0, gain=0.0, margin=0.5
    )
    state.take(noted("run/baseline", BaselineCompared(comparisons=(one,))))
    assert state.ways["run"].status == "failed"
    assert "untrained" in state.ways["run"].why
