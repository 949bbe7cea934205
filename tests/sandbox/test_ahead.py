"""Containers made ahead of their jobs: single use, checked as any, and gone at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from orchestrator.core.errors import EngineFailed, SandboxFailed
from orchestrator.core.job import Verdict
from orchestrator.sandbox import sandbox as jobs
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.ahead import Ahead
from orchestrator.sandbox.job import gate_view
from orchestrator.sandbox.job import slot as slots
from orchestrator.sandbox.job.monitor import Monitor
from tests.contracts.sandbox import LIMITS, WRITES, SandboxContract, Scenario, job_of
from tests.sandbox.test_admission import GIB, JOB, RUN
from tests.support.ahead_rig import AheadBench, ahead_bench, tell_calls

TRUE = Scenario("print('ran')")


class Thing:
    """What is made in place of a container: it counts how often it is closed."""

    def __init__(self, *, closes_with: Exception | None = None) -> None:
        self.closed, self._closes_with = 0, closes_with

    def close(self) -> None:
        self.closed += 1
        if self._closes_with:
            raise self._closes_with


@pytest.fixture
def ahead() -> Iterator[Ahead[Thing]]:
    made = Ahead[Thing](most=2)
    yield made
    made.close()


def gone() -> EngineFailed:
    return EngineFailed("the engine is gone", where="here", todo="start it")


def test_one_of_a_shape_is_made_and_taken_once(ahead: Ahead[Thing]) -> None:
    things = [Thing(), Thing()]
    ahead.want("a", lambda: things[0])
    ahead.want("a", lambda: things[1])
    time.sleep(0.05)
    assert ahead.take("a") is things[0]
    assert ahead.take("a") is None
    assert ahead.take("b") is None


def test_one_that_is_being_made_is_awaited(ahead: Ahead[Thing]) -> None:
    begun, go, thing = threading.Event(), threading.Event(), Thing()

    def make() -> Thing:
        begun.set()
        go.wait(5)
        return thing

    ahead.want("a", make)
    begun.wait(5)
    threading.Timer(0.1, go.set).start()
    assert ahead.take("a") is thing


def test_what_could_not_be_made_is_left_to_the_job(ahead: Ahead[Thing]) -> None:
    def fails() -> Thing:
        raise gone()

    ahead.want("a", fails)
    assert ahead.take("a") is None
    ahead.check()


def test_the_one_unused_for_longest_goes_when_another_shape_is_wanted(ahead: Ahead[Thing]) -> None:
    made = {name: Thing() for name in "abc"}
    for name, thing in made.items():
        ahead.want(name, lambda thing=thing: thing)  # type: ignore[misc]  # bound by value
        time.sleep(0.05)
    assert ahead.take("a") is None
    assert ahead.take("b") is made["b"]
    assert ahead.take("c") is made["c"]
    ahead.close()
    assert [thing.closed for thing in made.values()][1:] == [0, 0]


def test_what_waits_is_improved_in_its_place_and_goes_if_that_fails(ahead: Ahead[Thing]) -> None:
    thing, done = Thing(), list[Thing]()
    ahead.improve(done.append)
    ahead.want("a", lambda: thing)
    ahead._made["a"].result()
    ahead.improve(done.append)
    assert done == [thing]

    def fails(_: Thing) -> None:
        raise gone()

    ahead.improve(fails)
    assert ahead.take("a") is None
    ahead.close()
    assert thing.closed == 1


def test_what_could_not_be_removed_is_told_once_and_stops_no_other_removal() -> None:
    ahead, second = Ahead[Thing](), Thing()
    ahead.later(Thing(closes_with=gone()).close)
    ahead.later(second.close)
    with pytest.raises(EngineFailed, match="is gone"):
        ahead.close()
    assert second.closed == 1
    ahead.check()


def test_the_end_removes_what_waits_and_makes_no_more() -> None:
    ahead, waiting, late = Ahead[Thing](), Thing(), Thing()
    ahead.want("a", lambda: waiting)
    time.sleep(0.05)
    ahead.close()
    assert waiting.closed == 1
    ahead.want("a", lambda: late)
    assert ahead.take("a") is None
    ahead.later(late.close)
    assert late.closed == 1


def test_nothing_is_made_ahead_on_a_disk_that_the_runs_jobs_may_yet_fill() -> None:
    def over(free: int) -> Admission:
        return Admission(RUN, free_memory=lambda: 64 * GIB, free_disk=lambda _: free)

    places = {Path("/"): JOB.workspace}
    kept, jobs_and_one = RUN.keep_free_disk, (RUN.containers + 1) * JOB.workspace
    assert over(kept + jobs_and_one).room_ahead(JOB, places)
    assert not over(kept + jobs_and_one - 1).room_ahead(JOB, places)


def test_a_job_that_lacks_disk_takes_the_room_of_what_waits() -> None:
    free, asked = [RUN.keep_free_disk], list[bool]()

    def spare() -> bool:
        free[0] += JOB.workspace
        asked.append(True)
        return True

    admission = Admission(
        RUN, free_memory=lambda: 64 * GIB, free_disk=lambda _: free[0], spare=spare
    )
    with admission.held(JOB, {Path("/"): JOB.workspace}):
        assert asked == [True]


# --- on the engine --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AheadBench]:
    with ahead_bench(tmp_path_factory.mktemp("ahead")) as made:
        yield made


@pytest.mark.engine
@pytest.mark.campaign
class TestContainersMadeAhead(SandboxContract):
    """The contract of every sandbox; a part of it runs in ``make test``, below."""


@pytest.mark.engine
def test_a_job_in_a_container_made_ahead_ends_as_any(bench: AheadBench) -> None:
    waiting: list[str] = []
    job = job_of(bench, WRITES, scope="ahead/well")
    bench.sandbox.run(replace(job, scope="ahead/first"))
    waiting += [slot.container for slot in bench.ready()]
    result = bench.run(job, WRITES)
    assert result.attestation.container in waiting
    assert result.verdict is Verdict.FINISHED
    assert result.files.paths() == ("run_1/deep/x.bin", "run_1/final_info.json")
    assert dict(result.attestation.asked)["Config.Cmd"] == ""


@pytest.mark.engine
def test_no_two_jobs_share_a_container_or_a_file(bench: AheadBench) -> None:
    looks = Scenario("import os; print(sorted(os.listdir('.'))); open('mine', 'w')")
    results = [bench.run(job_of(bench, looks, scope=f"ahead/alone/{n}"), looks) for n in range(3)]
    assert len({result.attestation.container for result in results}) == 3
    assert {result.stdout for result in results} == {"['main.py']\n"}
    assert bench.left_behind() == ()


@pytest.mark.engine
def test_limits_hold_in_a_container_made_ahead(bench: AheadBench) -> None:
    fills = Scenario("open('big', 'wb').write(bytes(64 << 20))")
    full = job_of(bench, fills, scope="ahead/full", workspace=32 << 20, file=128 << 20)
    assert bench.run(full, fills).hit == ("storage: bytes",)
    sleeps = Scenario("import time; time.sleep(60)")
    late = bench.run(job_of(bench, sleeps, scope="ahead/late", wall=1.0), sleeps)
    assert late.verdict is Verdict.TIMED_OUT


@pytest.mark.engine
def test_everything_is_verified_before_the_gate_opens(
    bench: AheadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a container made ahead, as of any other: settings, files, settings, rights, mount, clock."""
    bench.ready()
    order: list[str] = []
    told = partial(tell_calls, monkeypatch, order)
    told(slots, "create_container", "created")
    told(slots, "read_back", "settings")
    told(slots, "put_files", "files")
    told(gate_view, "check_kernel_view", "rights")
    told(gate_view, "check_workspace", "mount")
    told(slots, "opens_gate", "gate")
    told(Monitor, "start", "clock")
    job = job_of(bench, TRUE, scope="ahead/order", pids=77)
    bench.sandbox.run(job)  # made for itself, as no other has this shape
    bench.ready()
    own = ["created", "settings", "files", "settings", "rights", "mount", "clock", "gate"]
    assert order == [*own, "created", "settings"]
    order.clear()
    bench.sandbox.run(replace(job, scope="ahead/order/2"))
    bench.ready()
    assert order == [*own[2:], "created", "settings"]


@pytest.mark.engine
def test_a_container_that_ended_while_it_waited_is_replaced(bench: AheadBench) -> None:
    job = job_of(bench, TRUE, scope="ahead/killed", pids=78)
    bench.sandbox.run(job)
    killed = {slot.container for slot in bench.ready()}
    for container in killed:
        bench.engine.api.kill(container)
    result = bench.sandbox.run(replace(job, scope="ahead/killed/2"))
    assert result.ok
    assert result.attestation.container not in killed
    assert bench.left_behind() == ()


@pytest.mark.engine
def test_a_container_that_is_no_longer_as_it_was_asked_for_gets_no_job(
    bench: AheadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody raised its memory while it waited."""
    job = job_of(bench, TRUE, scope="ahead/changed", pids=79)
    bench.sandbox.run(job)
    for slot in bench.ready():
        bench.engine.api.update_container(
            slot.container, mem_limit=LIMITS.memory * 2, memswap_limit=LIMITS.memory * 2
        )
    opened: list[object] = []
    monkeypatch.setattr(slots, "opens_gate", opened.append)
    with pytest.raises(SandboxFailed, match="other settings than requested"):
        bench.sandbox.run(replace(job, scope="ahead/changed/2"))
    assert opened == []
    assert bench.left_behind() == ()


@pytest.mark.engine
def test_one_that_waited_too_long_for_the_jobs_time_gets_no_job(
    bench: AheadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(bench, TRUE, scope="ahead/old", pids=80)
    bench.sandbox.run(job)
    waiting = {slot.container for slot in bench.ready()}
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + jobs._AHEAD + 1)
    result = bench.sandbox.run(replace(job, scope="ahead/old/2"))
    monkeypatch.undo()
    assert result.attestation.container not in waiting
    assert bench.left_behind() == ()
