"""What a run's jobs may hold together, and what the host keeps, is kept before each job."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator import BudgetSpent, ControlUnavailable, DiskFull, HostBusy, UserError
from orchestrator.blobs import BlobStore
from orchestrator.console.wiring import staged
from orchestrator.edges.allowance import Allowance, available_disk, available_memory
from orchestrator.edges.engine import connect
from orchestrator.edges.images import resolve
from orchestrator.edges.sandbox import DockerSandbox
from orchestrator.journal import Journal, Mode
from orchestrator.paths import shipped_root
from orchestrator.policy import RunLimits, load, lowered
from orchestrator.records import Job, Limits, Tree, Usage
from orchestrator.run import idea_budget
from tests.contract_sandbox import LIMITS
from tests.sandbox_rig import resources

GIB = 1 << 30
JOB = replace(LIMITS, memory=2 * GIB, workspace=GIB)
RUN = RunLimits(
    wall=60, usd=1, tokens=1, requests=1, containers=2, memory=4 * GIB, disk=2 * GIB,
    keep_free_disk=3 * GIB, keep_free_memory=GIB,
)  # fmt: skip


def allowance(run: RunLimits = RUN, *, memory: int = 64 * GIB, disk: int = 64 * GIB) -> Allowance:
    return Allowance(run, free_memory=lambda: memory, free_disk=lambda _folder: disk)


@pytest.mark.parametrize(
    ("job", "key"),
    [
        (replace(JOB, memory=5 * GIB), "run.memory"),
        (replace(JOB, workspace=3 * GIB), "run.disk"),
    ],
)
def test_a_job_above_the_runs_own_limits_is_refused_by_name(job: Limits, key: str) -> None:
    with pytest.raises(ControlUnavailable, match=key), allowance().held(job, {}):
        pass


def test_memory_that_the_host_keeps_is_not_lent() -> None:
    with allowance(memory=3 * GIB).held(JOB, {}):
        pass
    with (
        pytest.raises(HostBusy, match=r"2GiB of memory.* keeps 1GiB") as caught,
        allowance(memory=3 * GIB - 1).held(JOB, {}),
    ):
        pass
    assert caught.value.transient
    assert "run.keep_free.memory" in str(caught.value)


def test_disk_that_the_host_keeps_is_not_lent_and_two_folders_of_one_disk_add_up(
    tmp_path: Path,
) -> None:
    """The second folder is not there yet: its disk is that of the first one above it that is."""
    places = {tmp_path: GIB, tmp_path / "not" / "yet": GIB}
    with allowance(disk=5 * GIB).held(JOB, places):
        pass
    with (
        pytest.raises(DiskFull, match=r"2GiB to this disk.* keeps 3GiB") as caught,
        allowance(disk=5 * GIB - 1).held(JOB, places),
    ):
        pass
    assert "run.keep_free.disk" in str(caught.value)


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN, containers=1),
        replace(RUN, memory=3 * GIB),
        replace(RUN, disk=GIB),
    ],
)
def test_a_job_waits_until_the_others_leave_room_for_it(run: RunLimits) -> None:
    shared, order = allowance(run), list[str]()

    def second() -> None:
        with shared.held(JOB, {}):
            order.append("second began")

    thread = threading.Thread(target=second)
    with shared.held(JOB, {}):
        thread.start()
        time.sleep(0.05)
        order.append("first ended")
    thread.join(10)
    assert order == ["first ended", "second began"]


def test_two_jobs_that_fit_run_side_by_side() -> None:
    shared = allowance()
    with shared.held(JOB, {}), shared.held(JOB, {}):
        pass


@pytest.mark.docker
def test_a_refused_job_starts_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    engine = connect()
    none_left = Allowance(RUN, free_disk=lambda _folder: 0)
    store, run_id = BlobStore(tmp_path), "test-allowance"
    job = Job(scope="s", kind="experiment", argv=("true",), files=Tree(), limits=LIMITS,
              policy="test", harvest=())  # fmt: skip
    try:
        with DockerSandbox(
            engine, store, run_id, lambda name: resolve(engine, name), allowance=none_left
        ) as sandbox:
            with pytest.raises(DiskFull, match="keeps 3GiB"):
                sandbox.keeping_in(BlobStore(tmp_path / "idea")).run(job)
            assert resources(engine, run_id) == ()
    finally:
        engine.close()


def test_an_idea_that_used_its_gpu_time_is_lent_no_more(tmp_path: Path) -> None:
    policy = load("default", shipped_root() / "policies")
    journal = Journal(tmp_path / "journal.jsonl", BlobStore(tmp_path), Mode.RECORD)
    budget = idea_budget(policy)
    budget.admit(journal, Usage(), paid=False)
    journal.gpu_seconds = policy.idea.gpu_time + 1
    with pytest.raises(BudgetSpent, match="s on GPUs"):
        budget.admit(journal, Usage(), paid=False)


def test_data_is_not_given_to_experiments_whose_policy_gives_none(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    policy = load("ci-cpu", shipped_root() / "policies")
    assert staged(tmp_path, policy) == (("set", str(tmp_path / "set")),)
    with pytest.raises(UserError, match="no data"):
        staged(tmp_path, lowered(policy, {"experiment.data": "none"}))


def test_this_machine_says_what_is_free() -> None:
    assert 0 < available_memory() < 1 << 50
    assert available_disk(Path("/")) > 0
