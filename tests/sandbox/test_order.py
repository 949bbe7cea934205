"""The order of waiting jobs: who decides the run's end goes first, nobody waits for ever."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.outlook import Outlook, WorkLeft
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.scheduler.line import Line
from orchestrator.sandbox.scheduler.order import MOST_PASSED, Waiting, in_order, with_followers
from tests.sandbox.test_admission import JOB, RUN, own_locks
from tests.sandbox.test_gpus import GIB, ONE, TWO, ScriptedNvml

__all__ = ["own_locks"]  # a fixture


def line_of(*ideas: str) -> list[Waiting[None]]:
    return [Waiting(number, f"{idea}/run_1", None) for number, idea in enumerate(ideas)]


def served(waiting: list[Waiting[None]], left: WorkLeft) -> list[str]:
    return [job.scope.removesuffix("/run_1") for job in in_order(waiting, left)]


def test_where_nothing_is_known_whoever_asked_first_is_served_first() -> None:
    assert served(line_of("idea/b", "run/baseline", "idea/a"), WorkLeft()) == [
        "idea/b", "run/baseline", "idea/a",
    ]  # fmt: skip


def test_the_idea_with_the_longest_work_left_goes_first() -> None:
    left = WorkLeft({"idea/a": 3.0, "idea/b": 9.0, "idea/c": 5.0})
    assert served(line_of("idea/a", "idea/b", "idea/c"), left) == ["idea/b", "idea/c", "idea/a"]


def test_ideas_that_will_begin_count_with_the_idea_whose_place_they_take() -> None:
    """Two are to begin: after a and after c, which would else wait longest and keep them waiting."""
    left = WorkLeft({"idea/a": 3.0, "idea/b": 9.0, "idea/c": 5.0}, to_come=2, whole=8.0)
    assert with_followers(left) == {"idea/a": 11.0, "idea/b": 9.0, "idea/c": 13.0}
    assert served(line_of("idea/a", "idea/b", "idea/c"), left) == ["idea/c", "idea/a", "idea/b"]


def test_a_job_that_is_passed_for_ever_by_more_urgent_ones_is_served() -> None:
    left = WorkLeft({"idea/short": 1.0, "idea/long": 100.0})
    line = Line[str](lambda: left)
    line.join("idea/short/x", "short")
    needs: list[str] = []
    while "short" not in needs and len(needs) < 10 * MOST_PASSED:
        line.join("idea/long/x", "long")
        line.join("idea/long/y", "long")
        first = line.in_order()[0]
        line.leave(first, served=True)
        needs.append(first.need)
    assert needs == ["long"] * MOST_PASSED + ["short"]


def test_who_gives_up_has_passed_nobody() -> None:
    line = Line[None]()
    first, second = line.join("idea/a/x", None), line.join("idea/b/x", None)
    line.leave(second, served=False)
    assert first.passed == 0


def test_every_job_of_a_random_crowd_is_served_whatever_the_estimates_say() -> None:
    made = random.Random(7)
    ideas = [f"idea/{number}" for number in range(40)]
    line = Line[int](lambda: WorkLeft({idea: made.uniform(0, 9) for idea in ideas}, 10, 5.0))
    waits: dict[int, int] = {}
    for number in range(3000):
        line.join(f"{made.choice(ideas)}/x", number)
        waits[number] = number
        if len(line) > 30:
            first = line.in_order()[0]
            line.leave(first, served=True)
            assert number - waits.pop(first.need) <= MOST_PASSED + 2 * 31


def test_the_outlook_knows_plans_tails_and_what_is_to_come() -> None:
    now = [0.0]
    outlook = Outlook(lambda: now[0])
    outlook.coming((None,) * 3)
    outlook.begin("idea/a")
    outlook.begin("idea/b")
    assert outlook.work_left() == WorkLeft({"idea/a": 0.0, "idea/b": 0.0}, 3, 0.0)
    outlook.expect("idea/a/experiments/run_1", 4, 10.0)
    assert outlook.work_left() == WorkLeft({"idea/a": 80.0, "idea/b": 80.0}, 3, 80.0)
    outlook.expect("idea/a/experiments", 0, 0.0)
    now[0] = 12.0
    assert outlook.work_left().ideas["idea/a"] == 28.0, "of its tail, 12 seconds are over"
    outlook.end("idea/a")
    assert outlook.work_left() == WorkLeft({"idea/b": 52.0}, 3, 52.0), "a tail was seen"


def test_an_idea_without_a_plan_counts_by_the_runs_that_it_proposed() -> None:
    outlook = Outlook(lambda: 0.0)
    outlook.coming((1, 3, None))
    outlook.begin("idea/a")
    outlook.begin("idea/b", 6)
    outlook.expect("idea/a/experiments/run_1", 4, 10.0)
    assert outlook.work_left().ideas == {"idea/a": 80.0, "idea/b": 100.0}
    assert outlook.work_left().whole == (50.0 + 70.0 + 80.0) / 3


def test_a_runs_end_is_in_sight_once_there_is_a_plan() -> None:
    outlook = Outlook(lambda: 0.0)
    assert outlook.time_left() is None
    outlook.begin("idea/a")
    outlook.begin("idea/b")
    assert outlook.time_left() is None
    outlook.expect("idea/a/experiments/run_1", 4, 10.0)
    assert outlook.time_left() == 80.0, "two ideas of 80 seconds, side by side"
    outlook.coming((None,) * 3)
    assert outlook.time_left() == 200.0, "five ideas, two at a time"
    outlook.expect("idea/a/experiments/run_1", 60, 10.0)
    left = outlook.time_left()
    assert left is not None
    assert left >= outlook.work_left().ideas["idea/a"], "none ends before its longest"


def test_an_idea_that_failed_shows_no_tail_and_a_hint_for_none_is_ignored() -> None:
    outlook = Outlook(lambda: 5.0)

    def breaks() -> None:
        with outlook.flying("idea/a"):
            outlook.expect("idea/a/experiments", 2, 10.0)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        breaks()
    outlook.expect("run/baseline", 9, 9.0)
    assert outlook.work_left() == WorkLeft({}, 0, 40.0)


def begun_in_order(
    begin: Callable[[str], object], waiting: Callable[[], int], scopes: list[str]
) -> list[threading.Thread]:
    """A thread for each scope, each waiting before the next one asks."""
    threads = [threading.Thread(target=begin, args=(scope,), daemon=True) for scope in scopes]
    for number, thread in enumerate(threads):
        thread.start()
        while waiting() <= number:
            time.sleep(0.001)
    return threads


LEFT = WorkLeft({"idea/a": 3.0, "idea/b": 9.0, "idea/c": 5.0})
ASKED = ["idea/a/run_1", "idea/b/run_1", "idea/c/run_1"]


def test_gpus_are_lent_in_that_order() -> None:
    pool, order = GpuPool(ScriptedNvml(TWO[:1]), work_left=lambda: LEFT), list[str]()

    def job(scope: str) -> None:
        with pool.lease(ONE, where=scope):
            order.append(scope)

    with pool.lease(ONE):
        threads = begun_in_order(job, lambda: len(pool._line), ASKED)
    for thread in threads:
        thread.join(10)
    assert order == ["idea/b/run_1", "idea/c/run_1", "idea/a/run_1"]


def test_room_is_given_in_that_order() -> None:
    room = Admission(
        replace(RUN, containers=1), free_memory=lambda: 64 * GIB, free_disk=lambda _: 64 * GIB,
        work_left=lambda: LEFT,
    )  # fmt: skip
    order: list[str] = []

    def job(scope: str) -> None:
        with room.held(JOB, {}, where=scope):
            order.append(scope)

    with room.held(JOB, {}):
        threads = begun_in_order(job, lambda: len(room._line), ASKED)
    for thread in threads:
        thread.join(10)
    assert order == ["idea/b/run_1", "idea/c/run_1", "idea/a/run_1"]


def soon() -> Deadline:
    return Deadline.after(0.2, "idea.wall")


def test_a_job_goes_ahead_only_on_a_gpu_that_is_too_small_for_the_first() -> None:
    pool = GpuPool(ScriptedNvml(TWO))
    large = replace(ONE, gpu_memory=20 * GIB)

    def first(_scope: str) -> None:
        with pool.lease(large if large_first else replace(ONE, gpus=2)):
            pass

    for large_first in (True, False):
        with pool.lease(large):
            threads = begun_in_order(first, lambda: len(pool._line), ["idea/a"])
            if large_first:
                with pool.lease(ONE, soon()) as small:
                    assert small.uuids == ("GPU-a",)
            else:  # both GPUs are to be the first one's
                with pytest.raises(BudgetSpent), pool.lease(ONE, soon()):
                    pass
        threads[0].join(10)
        assert not threads[0].is_alive()


@pytest.mark.parametrize(
    ("held", "first", "goes"),
    [
        ((3,), 2, True),  # once the 3 have ended, 2 and 1 fit into 4 together
        (
            (2, 1),
            3,
            False,
        ),  # once the 2 have ended, 3 would fit beside the 1, but not with another one
        ((2, 1), 2, False),  # if the 1 ends, 2 would fit, but not with another one
    ],
)
def test_a_smaller_job_goes_ahead_only_where_the_first_begins_no_later(
    held: tuple[int, ...],
    first: int,
    goes: bool,  # noqa: FBT001
) -> None:
    run = replace(RUN, containers=9, disk=64 * GIB)
    room = Admission(run, free_memory=lambda: 64 * GIB, free_disk=lambda _: 64 * GIB)
    holds = [room.held(replace(JOB, memory=size * GIB), {}) for size in held]
    for hold in holds:
        hold.__enter__()

    def waits(_scope: str) -> None:
        with room.held(replace(JOB, memory=first * GIB), {}):
            pass

    threads = begun_in_order(waits, lambda: len(room._line), ["idea/a"])
    try:
        with room.held(replace(JOB, memory=GIB), {}, soon()):
            assert goes
    except BudgetSpent:
        assert not goes
    for hold in holds:
        hold.__exit__(None, None, None)
    threads[0].join(10)
    assert not threads[0].is_alive()
