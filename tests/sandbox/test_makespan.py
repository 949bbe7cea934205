"""How early a run of many ideas ends: the numbers of ``bench/makespan.json``, made again."""

from __future__ import annotations

import json

import pytest

from tests.support.bench import BENCH
from tests.support.makespan_bench import RATIOS, row
from tests.support.makespan_rig import GPUS, Simulation, bound, least, plain_bound, workload

IN_FLIGHT, RATIO = 32, 1.0


@pytest.mark.parametrize("name", RATIOS)
def test_the_recorded_ratios_are_made_again(name: str) -> None:
    (*_, last) = json.loads((BENCH / "makespan.json").read_text())
    kept = last["makespan / bound"]["2 to 5 runs an idea"]["32 in flight"]["model:GPU 1.0"]
    assert row(name, 2, IN_FLIGHT, RATIO) == kept[name]


@pytest.mark.parametrize("told", [False, True])
def test_no_simulated_run_ends_before_its_bounds_and_the_order_ends_it_earlier(
    told: bool,  # noqa: FBT001
) -> None:
    first_come = ordered = 0.0
    for seed in range(8):
        ideas = workload(seed, RATIO, 2)
        listed = Simulation(ideas, IN_FLIGHT, off=0.3, told=told, seed=seed, proposed=False)
        in_their_order = listed.makespan()
        simulation = Simulation(ideas, IN_FLIGHT, off=0.3, told=told, seed=seed)
        made = simulation.makespan()
        assert plain_bound(ideas) <= bound(ideas) <= least(ideas, IN_FLIGHT) <= in_their_order
        assert bound(ideas) <= made
        first_come += Simulation(ideas, IN_FLIGHT).makespan()
        ordered += made
    assert ordered < 0.95 * first_come


def test_with_as_many_ideas_in_flight_as_gpus_nobody_waits() -> None:
    ideas = workload(3, 0.5, 2)
    for off in (None, 0.0, 0.3):
        made = Simulation(ideas, GPUS, off=off, proposed=False).makespan()
        assert made == pytest.approx(least(ideas, GPUS))
