"""What a model or an editor fails at is tried again by resume; what gives up can be asked for again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.core.errors import BadReply, KeyRefused, ModelBusy, ModelFailed, ModelRefused
from orchestrator.core.model import Ask
from orchestrator.record.journal import Mode
from orchestrator.record.notes import StagesAsked
from orchestrator.research.run_spec import PursuedIdea
from tests.research.test_changes import Author, Change, go, numbered, same_again

pytestmark = pytest.mark.program

PROSE = "I would rather talk about it."
PURPOSES = (
    "novelty.decide",
    "experiment.edit",
    "plots.edit",
    "notes.edit",
    "writeup.queries",
    "writeup.method",
    "writeup.conclusion",
    "review.form",
)


def failing(purpose: str, fail: Callable[[], ModelFailed]) -> Change:
    def change(ask: Ask, _number: int) -> str | None:
        if ask.purpose == purpose:
            raise fail()
        return None

    return change


def rambling(purpose: str) -> Change:
    return lambda ask, _: PROSE if ask.purpose == purpose else None


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """What an undisturbed run asks."""
    author = Author()
    go(tmp_path_factory.mktemp("whole") / "run", author)
    return author.asked


@pytest.mark.parametrize(
    ("purpose", "error"),
    [
        *((purpose, ModelBusy) for purpose in PURPOSES),
        ("experiment.edit", ModelRefused),
        ("review.form", BadReply),
    ],
)
def test_a_stage_at_which_the_model_failed_is_tried_again_by_resume(
    tmp_path: Path, asked: Counter[str], purpose: str, error: type[ModelFailed]
) -> None:
    folder, first, second = tmp_path / "run", Author(), Author()
    first.change = failing(purpose, lambda: error("not now"))
    (outcome,) = go(folder, first)
    assert outcome.failure is not None
    assert outcome.failure.transient
    assert outcome.status == ("finished" if purpose == "review.form" else "failed")
    (outcome,) = go(folder, second, Mode.RESUME)
    assert (outcome.status, outcome.failure) == ("finished", None)
    assert first.asked + second.asked == asked + Counter({purpose: first.asked[purpose]})
    same_again(folder, tmp_path / "again")


@pytest.mark.parametrize(
    ("purpose", "error"), [("experiment.edit", "StageLeft"), ("writeup.method", "WrongFormat")]
)
def test_a_stage_with_no_usable_reply_is_tried_again_by_resume(
    tmp_path: Path, asked: Counter[str], purpose: str, error: str
) -> None:
    folder, first, second = tmp_path / "run", Author(rambling(purpose)), Author()
    (outcome,) = go(folder, first)
    assert outcome.failure is not None
    assert (outcome.status, outcome.failure.error) == ("failed", error)
    same_again(folder, tmp_path / "left")
    (again,) = go(folder, Author(rambling(purpose)), Mode.RESUME)
    assert again.failure == outcome.failure
    same_again(folder, tmp_path / "left twice")
    (outcome,) = go(folder, second, Mode.RESUME)
    assert (outcome.status, outcome.failure) == ("finished", None)
    assert second.asked[purpose] == asked[purpose]
    same_again(folder, tmp_path / "again")


def test_a_fork_tries_again_what_was_left(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author(rambling("writeup.method")))
    (outcome,) = go(folder, Author(), Mode.FORK)
    assert (outcome.status, outcome.failure) == ("finished", None)
    same_again(folder, tmp_path / "again")


def test_a_refused_key_stops_the_run_at_once(tmp_path: Path) -> None:
    folder, first = tmp_path / "run", Author()
    refuse = failing("plots.edit", lambda: KeyRefused("no money left"))
    first.change = lambda ask, number: refuse(ask, number) or numbered(ask, number)
    with pytest.raises(KeyRefused):
        go(folder, first, ideas=2)
    assert first.asked["plots.edit"] == 1
    later = Author(lambda ask, number: numbered(ask, number + 2))
    outcomes = go(folder, later, Mode.RESUME, ideas=2)
    assert {outcome.status for outcome in outcomes} == {"finished"}
    same_again(folder, tmp_path / "again")


def test_ideas_that_the_model_did_not_propose_are_asked_for_by_resume(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "ideas.propose" and number == 2:
            raise ModelBusy("not now")
        return numbered(ask, number)

    names: Callable[[tuple[PursuedIdea, ...]], list[str]] = lambda outcomes: [  # noqa: E731 - a local short form
        outcome.study.idea.name for outcome in outcomes
    ]
    assert names(go(folder, Author(change), ideas=3)) == ["idea_1"]
    later = Author(lambda ask, number: numbered(ask, number + 1))
    assert names(go(folder, later, Mode.RESUME, ideas=3)) == ["idea_1", "idea_2", "idea_3"]
    same_again(folder, tmp_path / "again")


def test_an_idea_whose_novelty_could_not_be_judged_holds_up_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def change(ask: Ask, number: int) -> str | None:
        if ask.purpose == "novelty.decide" and number == 1:
            raise ModelBusy("not now")
        return numbered(ask, number)

    outcomes = go(folder, Author(change), ideas=2)
    assert [outcome.status for outcome in outcomes] == ["failed", "finished"]
    outcomes = go(folder, Author(), Mode.RESUME, ideas=2)
    assert [outcome.status for outcome in outcomes] == ["finished", "finished"]
    same_again(folder, tmp_path / "again")


def test_a_stage_asked_for_again_keeps_the_results_before_it(tmp_path: Path) -> None:
    folder, second = tmp_path / "run", Author()
    (first,) = go(folder, Author())
    (again,) = go(folder, second, Mode.RESUME, asked=StagesAsked(again="plots"))
    assert again.status == "finished"
    assert again.study.runs == first.study.runs
    assert second.asked["plots.edit"] == second.asked["review.form"] == 1
    assert second.asked["experiment.edit"] == second.asked["ideas.propose"] == 0
    same_again(folder, tmp_path / "again")
    (third,) = go(
        folder,
        Author(failing("notes.edit", lambda: ModelBusy("no"))),
        Mode.RESUME,
        asked=StagesAsked(again="writeup"),
    )
    assert third.status == "finished", "a stage before the one asked for is not repeated"
    same_again(folder, tmp_path / "again2")
