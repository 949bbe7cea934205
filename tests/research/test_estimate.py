"""What an idea will take: how near the estimate comes to recorded studies, and what it follows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.estimate import own_uses
from orchestrator.api.prepare import RunRequest
from orchestrator.core.model import ROLES
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ReviewPin
from orchestrator.research.estimate.expected import Expected, Wanted, expected
from orchestrator.research.estimate.idea_use import IdeaUse, shipped_uses
from orchestrator.research.estimate.measuring import ideas_taken
from tests.support import estimate_bench as bench
from tests.support import played

IDEAS = shipped_uses().ideas
NEAR = ("grokking", "nanoGPT_lite", "operand_order")


def prompt(idea: Expected | IdeaUse) -> float:
    return sum(one.prompt for one in idea.steps)


@pytest.mark.parametrize("name", NEAR)
def test_a_study_that_is_left_out_is_estimated_within_thirty_per_cent(name: str) -> None:
    ratios = bench.left_out(name, IDEAS)
    assert {key: ratios[key] for key in bench.COMPARED if abs(ratios[key] - 1) > 0.3} == {}


def test_a_study_with_few_runs_is_estimated_too_high_until_their_number_is_known() -> None:
    """Seir took five runs, where the other three took seven and more."""
    assert bench.left_out("seir", IDEAS)["prompt"] > 1.3
    told = bench.left_out("seir", IDEAS, IDEAS["seir"].runs)
    assert {key: told[key] for key in bench.COMPARED if abs(told[key] - 1) > 0.3} == {}


def wanted(name: str = "grokking") -> Wanted:
    return bench.wanted(IDEAS[name])


def test_more_runs_larger_results_and_more_code_take_more_tokens() -> None:
    base = expected(wanted(), IDEAS.values(), 7)
    assert prompt(expected(wanted(), IDEAS.values(), 10)) > prompt(base)
    larger = expected(replace(wanted(), values=24), IDEAS.values(), 7)
    assert prompt(larger) > 1.1 * prompt(base)
    longer = expected(replace(wanted(), code=4 * wanted().code), IDEAS.values(), 7)
    coded = {(one.stage, one.purpose): one.prompt for one in longer.steps}
    before = {(one.stage, one.purpose): one.prompt for one in base.steps}
    assert coded["experiments", "plan.make"] > 1.5 * before["experiments", "plan.make"]
    assert coded["review", "review.form"] == before["review", "review.form"]


def test_a_run_that_has_no_time_for_the_usual_number_of_runs_is_estimated_with_fewer() -> None:
    assert expected(replace(wanted(), most_runs=2), IDEAS.values()).runs == 2


def test_a_model_that_sees_nothing_is_not_asked_to_look_and_pays_for_no_picture() -> None:
    blind = expected(replace(wanted(), seeing=frozenset()), IDEAS.values(), 7)
    seeing = expected(replace(wanted(), seeing=frozenset(ROLES)), IDEAS.values(), 7)
    assert "plots.look" not in {one.purpose for one in blind.steps}
    assert "plots.look" in {one.purpose for one in seeing.steps}
    assert prompt(blind) < 0.97 * prompt(seeing)


def test_engines_add_searches() -> None:
    """Each kind by the studies of that kind."""

    def searches(engines: bool) -> dict[str, float]:  # noqa: FBT001 - the option itself
        steps = expected(replace(wanted(), engines=engines), IDEAS.values(), 7).steps
        return {one.purpose: one.requests for one in steps}

    offline, online = searches(engines=False), searches(engines=True)
    assert offline["cite.draft"] == pytest.approx(1, abs=0.1)
    assert online["cite.draft"] == pytest.approx(7, abs=0.1)
    assert online["novelty.decide"] > 2 * offline["novelty.decide"]


def test_an_idea_of_the_same_template_and_model_counts_more_than_all_that_ship() -> None:
    own = replace(IDEAS["seir"], template="grokking", scale="smoke", model="m", runs=3)
    found = expected(replace(wanted(), model="m"), [*IDEAS.values(), own])
    assert found.runs == 3


def test_what_no_answer_was_counted_of_is_not_taken_for_an_empty_answer() -> None:
    """Nobody answered nanoGPT_lite's refinements: its study is older than they are."""
    refined = next(one for one in IDEAS["nanoGPT_lite"].steps if one.purpose == "writeup.refine")
    assert (refined.answered, refined.answer) == (0, 0)
    of = {one.purpose: one for one in expected(wanted(), IDEAS.values(), 7).steps}
    assert of["writeup.refine"].answer / of["writeup.refine"].requests > 500


def _jobs(use: IdeaUse) -> list[tuple[str, float]]:
    """Without ``verify``: it compiles again only where a sentence was refused, and whether one
    is can hang on the last digit that this machine's processor gives.
    """
    return [(one.stage, one.runs) for one in use.jobs if one.stage != "verify"]


@pytest.mark.program
def test_the_figures_that_ship_are_those_of_the_present_program(tmp_path: Path) -> None:
    """Renewed by ``python -m tests.support.estimate_bench``. The run is then one of the user's own."""
    kept = played.load("seir")
    model = bench.CountedPlay(kept["replies"])
    model.name = "openai/played"
    outcome, folder = played.carry_out(kept, model, tmp_path / "seir")
    assert outcome.status == "finished"
    (use,) = ideas_taken(RunPaths(folder))
    shipped = IDEAS["seir"]
    assert prompt(use) == pytest.approx(prompt(shipped), rel=0.1)
    assert (use.runs, use.values, use.code) == (shipped.runs, shipped.values, shipped.code)
    assert _jobs(use) == _jobs(shipped)
    torn = tmp_path / "seir" / "torn"
    torn.mkdir()
    (torn / "journal.jsonl").write_text("{}")
    assert own_uses(RunRequest(template="seir", results=tmp_path)) == ((use,), 1)


def test_more_reviewers_and_reflections_are_asked_for_in_the_estimate() -> None:
    one = {step.purpose: step for step in expected(wanted(), IDEAS.values(), 7).steps}
    rules = ReviewPin(reviews=5, reflections=3)
    five = {
        step.purpose: step
        for step in expected(replace(wanted(), reviewing=rules), IDEAS.values(), 7).steps
    }
    assert (one["review.form"].requests, five["review.form"].requests) == (1, 5)
    assert five["review.reflect"].requests == 10
    assert five["review.form"].prompt == pytest.approx(5 * one["review.form"].prompt)
