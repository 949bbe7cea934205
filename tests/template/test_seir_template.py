"""templates/seir: people are conserved, chance averages out to the equations, fits come nearer."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("seir", shipped_root())
BEGIN = "import json, experiment as e, numpy as np\nfrom dataclasses import asdict, replace\n"


def ask(program: str) -> Any:
    return rig.ask(TEMPLATE, f"{BEGIN}{program}\njson.dump(answer, open('answer.json', 'w'))")


@pytest.mark.engine
def test_the_epidemic_is_the_stated_one_and_ends_as_the_final_size_relation_says() -> None:
    """log(s_end / s_0) = -R0 (1 - s_end / s_0 + i_0 / s_0), whatever the latent time is."""
    program = """
states = e.solve((0.0002, 3.0, 4.0))  # R0 = 0.0002 * 3000 * 4 = 2.4, over within a hundred days
answer = {"end": states[-1].tolist(), "true": e.TRUE, "people": e.start().tolist(), "days": e.DAYS,
          "full": asdict(e.SCALES["full"])}
"""
    told = ask(program)
    assert told["true"] == [0.001, 14.0, 7.0]
    assert told["people"] == [3000, 0, 5, 0]
    assert (told["days"], len(told["full"]["seeds"])) == (100, 20)
    susceptible, exposed, infectious, _ = told["end"]
    assert exposed + infectious < 1

    left = susceptible / 3000
    assert math.log(left) == pytest.approx(-2.4 * (1 - left + 5 / 3000), abs=0.01)


@pytest.mark.engine
def test_outbreaks_average_out_to_the_equations_and_repeat_by_their_seed() -> None:
    program = """
mean = np.mean([e.outbreak(e.TRUE, 20, np.random.default_rng(seed)) for seed in range(60)], axis=0)
small = replace(e.SCALES["smoke"], steps_per_day=2)
answer = {"off": np.abs(mean - e.solve(e.TRUE)).max(), "same": [e.fitted(small, 1) == e.fitted(small, 1),
          e.fitted(small, 1) == e.fitted(small, 2)]}
"""
    told = ask(program)
    assert told["off"] < 150  # of 3005 people, where the curve is steepest
    assert told["same"] == [True, False]


@pytest.mark.engine
def test_an_epidemic_that_loses_people_is_stopped() -> None:
    program = """
answer = []
for states in ([[10, 0], [9, 0]], [[10, 0], [11, -1]]):
    try:
        e.check_conserved(np.array(states, dtype=float))
        answer.append("")
    except SystemExit as error:
        answer.append(str(error))
e.check_conserved(np.array([[10.0, 0], [4, 6]]))
"""
    said = ask(program)
    assert all("does not conserve people" in words for words in said), said


@pytest.mark.engine
def test_a_fit_goes_from_the_guess_to_the_cases_as_the_guess_grows_uncertain() -> None:
    program = """
cases = e.new_cases(e.solve(e.TRUE))
guess = tuple(value * off for value, off in zip(e.TRUE, e.GUESS))
answer = {"before": e.forecast_error(guess, cases), "guess": guess}
for spread in (0.001, 1.0, 100.0):
    e.GUESS_SPREAD = spread
    found = e.fit(cases, guess)
    answer[str(spread)] = [found, e.forecast_error(found, cases)]
"""
    told = ask(program)
    assert told["0.001"][0] == pytest.approx(told["guess"], rel=0.01)
    assert told["100.0"][1] < told["1.0"][1] < 1 < told["before"]
    assert told["100.0"][0] == pytest.approx([0.001, 14, 7], rel=0.05)
