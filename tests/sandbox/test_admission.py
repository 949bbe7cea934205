"""What a run's jobs may hold together, and what the host keeps, is kept before each job."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from orchestrator.api.data import staged
from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import BudgetSpent, ControlUnavailable, DiskFull, HostBusy, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job, Limits
from orchestrator.core.model import Usage
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import RunLimits, load_policy, lowered
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal, Mode
from orchestrator.sandbox.admission import Admission, available_disk, available_memory
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.sandbox import DockerSandbox
from tests.contracts.sandbox import LIMITS
from tests.support.sandbox_rig import opened_sandbox, resources

GIB = 1 << 30
JOB = replace(LIMITS, memory=2 * GIB, workspace=GIB)
RUN = RunLimits(
    wall=60, usd=1, tokens=1, requests=1, containers=2, memory=4 * GIB, disk=2 * GIB,
    keep_free_disk=3 * GIB, keep_free_memory=GIB,
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory that other runs of this machine have reserved does not count here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def allowance(run: RunLimits = RUN, *, memory: int = 64 * GIB, disk: int = 64 * GIB) -> Admission:
    return Admission(run, free_memory=lambda: memory, free_disk=lambda _folder: disk)


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
    """2 GiB for the job, twice half a GiB for its trusted helpers, 1 GiB that is kept."""
    with allowance(memory=4 * GIB).held(JOB, {}):
        pass
    with (
        pytest.raises(HostBusy, match=r"3GiB of memory.* keeps 1GiB") as caught,
        allowance(memory=4 * GIB - 1).held(JOB, {}),
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


@pytest.mark.parametrize(
    ("memory", "disk"),
    [
        (6 * GIB, 64 * GIB),  # both: twice 2.5, half for the run's own helper, 1 that is kept
        (64 * GIB, 5 * GIB - 1),
    ],
)
def test_what_a_running_job_may_yet_take_is_not_lent_again_and_the_next_one_waits(
    memory: int, disk: int
) -> None:
    """Alone each has room. Measured now, the host's free memory knows nothing of promises."""
    shared, order = allowance(memory=memory, disk=disk), list[str]()

    def second() -> None:
        with shared.held(JOB, {Path("/"): GIB}):
            order.append("second began")

    thread = threading.Thread(target=second)
    with shared.held(JOB, {Path("/"): GIB}):
        thread.start()
        time.sleep(0.05)
        order.append("first ended")
    thread.join(10)
    assert order == ["first ended", "second began"]


def test_a_job_that_waits_is_given_up_when_its_ideas_time_is_over() -> None:
    shared = allowance(replace(RUN, containers=1))
    with (
        shared.held(JOB, {}),
        pytest.raises(BudgetSpent, match=r"idea\.wall"),
        shared.held(JOB, {}, Deadline.after(0.1, "idea.wall"), "idea/x"),
    ):
        pass


def test_two_jobs_that_fit_run_side_by_side() -> None:
    shared = allowance()
    with shared.held(JOB, {}), shared.held(JOB, {}):
        pass


@pytest.mark.engine
def test_of_two_real_jobs_in_threads_the_second_starts_when_the_first_is_gone(
    tmp_path: Path,
) -> None:
    engine, events = connect(), list[tuple[str, object]]()
    one_at_a_time = Admission(replace(RUN, containers=1, keep_free_disk=0, keep_free_memory=0))
    job = Job(scope="", kind="experiment", argv=("sleep", "1"), files=Tree(), limits=LIMITS,
              harvest=())  # fmt: skip
    try:
        with opened_sandbox(
            engine, BlobStore(tmp_path), f"pair-{tmp_path}", lambda name: resolve_image(engine, name),
            on_event=lambda what, facts: events.append((what, facts["scope"])), admission=one_at_a_time,
        ) as sandbox:  # fmt: skip
            jobs = [replace(job, scope=f"idea-{number}") for number in range(2)]
            threads = [threading.Thread(target=sandbox.run, args=(each,)) for each in jobs]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
    finally:
        engine.close()
    told = [(what, scope) for what, scope in events if what in {"started", "ended"}]
    assert [what for what, _ in told] == ["started", "ended", "started", "ended"]
    assert told[0][1] == told[1][1] != told[2][1] == told[3][1]


@pytest.mark.engine
def test_a_refused_job_starts_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    engine = connect()
    none_left = Admission(RUN, free_disk=lambda _folder: 0)
    store, run_id = BlobStore(tmp_path), "test-allowance"
    job = Job(scope="s", kind="experiment", argv=("true",), files=Tree(), limits=LIMITS,
              harvest=())  # fmt: skip
    try:
        with opened_sandbox(
            engine, store, run_id, lambda name: resolve_image(engine, name), admission=none_left
        ) as sandbox:
            with pytest.raises(DiskFull, match="keeps 3GiB"):
                DockerSandbox(sandbox.pool, BlobStore(tmp_path / "idea")).run(job)
            assert resources(engine, run_id) == ()
    finally:
        engine.close()


def test_an_idea_that_used_its_gpu_time_is_lent_no_more(tmp_path: Path) -> None:
    policy = load_policy("default", shipped_root() / "policies")
    journal = Journal(tmp_path / "journal.jsonl", BlobStore(tmp_path), Mode.RECORD)
    budget = JournalBudget(**asdict(policy.idea))
    budget.admit(journal, Usage(), paid=False, gpus=1)
    journal.ledger.gpu_seconds = policy.idea.gpu_time
    with pytest.raises(BudgetSpent, match=r"idea\.gpu_time"):
        budget.admit(journal, Usage(), paid=False, gpus=1)
    budget.admit(journal, Usage(), paid=False)  # what uses no GPU, such as its paper, goes on


def test_a_job_uses_gpu_time_as_fast_as_it_holds_gpus(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", BlobStore(tmp_path), Mode.RECORD)
    journal.ledger.gpu_seconds = 400.0
    until = JournalBudget(wall=3600, gpu_time=1000).deadline(journal, gpus=2)
    assert until.limit == "idea.gpu_time"
    assert 295 < until.left <= 300


def test_data_is_not_given_to_experiments_whose_policy_gives_none(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    policy = load_policy("ci-cpu", shipped_root() / "policies")
    assert [(one.name, one.folder) for one in staged(tmp_path, policy)] == [
        ("set", str(tmp_path / "set"))
    ]
    with pytest.raises(UserError, match="no data"):
        staged(tmp_path, lowered(policy, {"experiment.data": "none"}))


def test_this_machine_says_what_is_free() -> None:
    assert 0 < available_memory() < 1 << 50
    assert available_disk(Path("/")) > 0
