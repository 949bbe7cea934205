"""Leases are the machine's: what one run holds, another process of the user does not get."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import BudgetSpent, ControlUnavailable, HostBusy
from orchestrator.sandbox.admission import Admission, total_memory
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.gpus.nvml import GpuDevice
from orchestrator.sandbox.machine_locks import MachineLocks
from orchestrator.sandbox.scheduler.turns import Turns
from tests.contracts.sandbox import LIMITS
from tests.sandbox.test_admission import RUN
from tests.sandbox.test_gpus import GIB, ONE, ScriptedNvml
from tests.support.places import ROOT
from tests.support.sample import FULL

FOUR = tuple(GpuDevice(f"GPU-{number}", 40 * GIB) for number in range(4))

HOLDER = """
import sys, time
from pathlib import Path
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.machine_locks import MachineLocks
from tests.sandbox.test_gpus import ONE, ScriptedNvml
from tests.sandbox.test_machine_locks import FOUR
locks = MachineLocks(Path(sys.argv[1]))
with GpuPool(ScriptedNvml(FOUR), locks=locks).lease(ONE) as lease, locks.reserved(int(sys.argv[2])):
    print(*lease.uuids, flush=True)
    time.sleep(60)
"""


@contextmanager
def another_process(folder: Path, memory: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds a GPU and memory, and the GPU's UUID."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(memory)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # it has one


@pytest.mark.program
def test_three_processes_get_three_gpus_and_a_dead_one_gives_its_back(tmp_path: Path) -> None:
    pool = GpuPool(ScriptedNvml(FOUR), locks=MachineLocks(tmp_path))
    with another_process(tmp_path) as (first, one), another_process(tmp_path) as (_, two):
        with pool.lease(ONE) as mine:
            assert len({one, two, *mine.uuids}) == 3
        with pool.lease(replace(ONE, gpus=2)) as both:
            assert {*both.uuids} == {device.uuid for device in FOUR} - {one, two}
        with (
            pytest.raises(BudgetSpent),
            pool.lease(replace(ONE, gpus=3), Deadline.after(0.5, "idea.wall"), "idea"),
        ):
            pass
        first.kill()
        first.wait()
        with pool.lease(replace(ONE, gpus=3)) as three:
            assert one in three.uuids


def test_two_pools_of_one_process_do_not_share_a_gpu(tmp_path: Path) -> None:
    pools = [GpuPool(ScriptedNvml(FOUR[:1]), locks=MachineLocks(tmp_path)) for _ in range(2)]
    with pools[0].lease(ONE) as lease:
        assert lease.uuids == ("GPU-0",)
        with pytest.raises(BudgetSpent), pools[1].lease(ONE, Deadline.after(0.2, "wall"), "idea"):
            pass
    with pools[1].lease(ONE) as again:
        assert again.uuids == ("GPU-0",)


MANY = """
import os, sys, threading
from pathlib import Path
from orchestrator.sandbox.gpus.leases import GpuPool
from orchestrator.sandbox.gpus.nvml import GpuDevice
from orchestrator.sandbox.machine_locks import MachineLocks
from tests.sandbox.test_gpus import GIB, ONE, ScriptedNvml
locks, slots, leases = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
eight = tuple(GpuDevice(f"GPU-{number}", 40 * GIB) for number in range(8))
pool, twice = GpuPool(ScriptedNvml(eight), locks=MachineLocks(locks)), []
print("ready", flush=True)
sys.stdin.readline()
def job(count):
    for _ in range(count):
        with pool.lease(ONE) as lease:
            slot = slots / lease.uuids[0]
            try:
                os.close(os.open(slot, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                twice.append(slot.name)
            threading.Event().wait(0.002)
            slot.unlink(missing_ok=True)
threads = [threading.Thread(target=job, args=(leases // 6,)) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(twice))
"""


def lent_twice(folder: Path, *, leases: int, shared: bool) -> int:
    """How often three processes found a GPU in use that one was lent, over so many leases in all."""
    (slots := folder / "slots").mkdir(parents=True)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, str(folder / ("locks" if shared else f"locks-{number}")),
             str(slots), str(leases // 3)],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for number in range(3)
    ]  # fmt: skip
    try:
        for one in processes:
            assert one.stdout
            assert one.stdout.readline() == "ready\n"
        for one in processes:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        return sum(int(one.communicate(timeout=500)[0]) for one in processes)
    finally:
        for one in processes:
            one.kill()
            one.wait()


@pytest.mark.program
@pytest.mark.sampled
def test_three_processes_lend_none_of_eight_gpus_twice(tmp_path: Path) -> None:
    assert lent_twice(tmp_path / "one", leases=1008 if FULL else 54, shared=True) == 0
    assert lent_twice(tmp_path / "own", leases=54, shared=False) > 0, "without locks in common"


def test_a_run_with_a_long_line_lets_another_run_have_its_turn(tmp_path: Path) -> None:
    mine, other = (GpuPool(ScriptedNvml(FOUR[:1]), locks=MachineLocks(tmp_path)) for _ in range(2))
    served, leases, passed = threading.Event(), [0], [0]

    def again_and_again() -> None:
        while not served.is_set():
            with other.lease(ONE):
                leases[0] += 1
                passed[0] += len(mine._line)
                time.sleep(0.002)

    threads = [threading.Thread(target=again_and_again, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    while leases[0] < 20:
        time.sleep(0.001)
    for _ in range(3):
        with mine.lease(ONE, Deadline.after(60, "idea.wall"), "idea/x"):
            pass
    served.set()
    for thread in threads:
        thread.join(20)
    assert passed[0] <= 6, "of the hundreds that it could take in the same time"


def test_a_run_that_stands_still_holds_up_no_other(tmp_path: Path) -> None:
    pool, still = (
        GpuPool(ScriptedNvml(FOUR), locks=MachineLocks(tmp_path)),
        Turns(MachineLocks(tmp_path)),
    )
    still.wait()
    with pytest.raises(BudgetSpent), pool.lease(ONE, Deadline.after(0.2, "idea.wall"), "idea/x"):
        pass
    (mark,) = tmp_path.glob("turn-*")
    os.utime(mark, (time.time() - 60,) * 2)
    with pool.lease(ONE):
        pass
    still.leave()
    assert not list(tmp_path.glob("turn-*"))


def test_a_gpu_that_others_fill_is_not_lent_and_is_free_afterwards(tmp_path: Path) -> None:
    nvml = ScriptedNvml(FOUR[:1], {"GPU-0": ((4711, 35 * GIB),)})
    pool = GpuPool(nvml, locks=MachineLocks(tmp_path))
    with pytest.raises(HostBusy) as refused, pool.lease(ONE):
        pass
    assert "other programs" in refused.value.what
    nvml.running = {"GPU-0": ((4711, 1 * GIB),)}  # a desktop's
    with pool.lease(ONE) as lease:
        assert lease.uuids == ("GPU-0",)


@pytest.mark.program
def test_memory_that_another_run_may_use_is_not_promised_twice(tmp_path: Path) -> None:
    run = replace(RUN, keep_free_disk=0, keep_free_memory=0)
    mine = Admission(run, free_memory=total_memory, locks=MachineLocks(tmp_path))
    job = replace(LIMITS, memory=total_memory() // 4)
    run_job = replace(run, memory=job.memory)
    mine = Admission(run_job, free_memory=total_memory, locks=MachineLocks(tmp_path))
    with another_process(tmp_path, total_memory() * 9 // 10) as (other, _):
        until = time.monotonic() + 10
        while not MachineLocks(tmp_path).reserved_by_others().jobs and time.monotonic() < until:
            time.sleep(0.05)
        with pytest.raises(BudgetSpent), mine.held(job, {}, Deadline.after(1.5, "idea.wall"), "x"):
            pass
        other.kill()
        other.wait()
        with mine.held(job, {}):
            assert MachineLocks(tmp_path).reserved_by_others().memory > job.memory
            assert list(tmp_path.glob("memory-*"))
    assert not list(tmp_path.glob("memory-*"))


@pytest.mark.program
def test_a_job_of_another_run_counts_among_those_that_may_run_at_once(tmp_path: Path) -> None:
    run = replace(RUN, keep_free_disk=0, keep_free_memory=0, containers=1)
    with another_process(tmp_path) as (other, _):
        until = time.monotonic() + 10
        while not MachineLocks(tmp_path).reserved_by_others().jobs and time.monotonic() < until:
            time.sleep(0.05)
        waiting = Deadline.after(1.5, "idea.wall")
        with (
            pytest.raises(BudgetSpent),
            Admission(run, locks=MachineLocks(tmp_path)).held(LIMITS, {}, waiting, "x"),
        ):
            pass
        two = Admission(replace(run, containers=2), locks=MachineLocks(tmp_path))
        with two.held(LIMITS, {}, Deadline.after(20, "idea.wall"), "x"):
            pass
        other.kill()
        other.wait()
        with Admission(run, locks=MachineLocks(tmp_path)).held(LIMITS, {}):
            pass


def test_a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlUnavailable) as refused:
        MachineLocks(tmp_path / "file" / "locks").take("images")
    assert "XDG_CACHE_HOME" in refused.value.todo


def test_the_folder_of_locks_is_the_users_own(tmp_path: Path) -> None:
    locks = MachineLocks(tmp_path / "cache" / "locks")
    handle = locks.take("gpu-GPU-../../x")
    assert handle is not None
    assert locks.take("gpu-GPU-../../x") is None
    locks.release(handle)
    assert stat.S_IMODE((tmp_path / "cache" / "locks").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "cache" / "locks").iterdir()] == ["gpu-GPU-.._.._x"]
