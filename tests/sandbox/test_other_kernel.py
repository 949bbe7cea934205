"""The real tests again in a small QEMU machine: cgroups of version 2, and XFS below the engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.sandbox import LIMITS
from tests.support import machine_rig as rig
from tests.support.bench import record

pytestmark = [pytest.mark.campaign, pytest.mark.engine]

IMAGES = ("aisci-storage",)  # the jobs of these tests run its Python
# Of the limits those that a kernel's version or a file system could make different.
CHOSEN = (
    "test_the_kernel_and_the_engine_both_attest_the_settings",
    "test_a_fork_bomb_is_stopped_by_the_count_of_processes",
    "test_a_program_that_ignores_term_forks_twice_and_leaves_its_session_dies_all_the_same",
    "test_memory_is_limited_in_shared_memory_too_and_a_childs_death_is_noted",
    "test_a_full_tmp_is_out_of_storage",
    "test_deleted_files_that_are_still_open_count_and_the_hosts_disk_does_not_shrink",
    "test_a_sparse_file_of_ten_tebibytes_is_refused_by_its_apparent_size",
    "test_files_that_their_owner_made_unreadable_still_come_home",
    "test_folders_too_deep_or_too_many_are_cut_off_and_named",
    "test_the_tmpfs_backend_holds_its_quota_too_and_is_named",
    "test_stopping_the_sandbox_ends_running_jobs_in_every_thread",
)
TESTS = (
    "tests/sandbox/test_kernel_limits.py",
    "tests/sandbox/test_storage_xfs.py",
    "tests/support/qemu/crashes.py",
    "tests/sandbox/test_sandbox_contract.py",
    "tests/sandbox/test_sentinel.py",
    *(f"tests/sandbox/test_sandbox_limits.py::{name}" for name in CHOSEN),
)
QUOTAS, NONE = "XFS with project quotas", "XFS without project quotas"
SCENARIOS: list[dict[str, Any]] = [
    {"name": QUOTAS, "mount": "prjquota", "storage": "xfs", "tests": TESTS, "starts": 3},
    {"name": NONE, "mount": "noquota", "storage": "loop", "tests": (), "starts": 0},
]
HELD = {
    "limit core file": "1",
    "limit cpus": f"{LIMITS.cpus:g}",
    "limit file size": str(LIMITS.file),
    "limit memory": str(LIMITS.memory),
    "limit open files": str(LIMITS.open_files),
    "limit pids": str(LIMITS.pids),
    "limit swap": "0",
}
VERDICTS = {
    "bytes": "out of storage",
    "inodes": "out of storage",
    "memory": "out of memory",
    "memory of a child": "finished",  # the job lived on, and what its child ran into is noted
    "pids": "out of pids",
    "cpu time": "out of cpu time",
}
HITS = {
    "bytes": "storage: bytes",
    "inodes": "storage: inodes",
    "memory": "memory",
    "memory of a child": "memory",
    "pids": "pids",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """One boot for all scenarios; each answer is recorded, whatever it says."""
    folder = tmp_path_factory.mktemp("machine")
    told = rig.boot(folder, rig.cargo(folder, IMAGES, SCENARIOS))
    for answer in told:
        record("machine", {key: value for key, value in answer.items() if key != "words"})
    return {answer["name"]: answer for answer in told}


@pytest.mark.parametrize("name", [QUOTAS, NONE])
def test_limits_are_held_and_read_back_under_the_unified_tree(
    answers: dict[str, dict[str, Any]], name: str
) -> None:
    looked = answers[name]["looked"]
    assert looked["cgroup"] == "2"
    assert {"cpu", "memory", "pids"} <= set(looked["controllers"])
    assert looked["limits"] == HELD
    jobs = looked["jobs"]
    assert {what: job["verdict"] for what, job in jobs.items()} == VERDICTS
    assert {what: hit for what, hit in HITS.items() if hit not in jobs[what]["hit"]} == {}
    assert jobs["memory"]["peak memory"] <= LIMITS.memory
    assert jobs["pids"]["peak pids"] <= LIMITS.pids
    assert jobs["bytes"]["peak disk"] <= LIMITS.workspace
    assert jobs["inodes"]["peak inodes"] <= LIMITS.inodes


def test_xfs_is_chosen_where_its_projects_have_quotas_and_else_named_as_not_to_be_had(
    answers: dict[str, dict[str, Any]],
) -> None:
    with_quotas, without = answers[QUOTAS]["looked"], answers[NONE]["looked"]
    assert with_quotas["storage"] == "xfs"
    assert with_quotas["backends"] == {"xfs": "held", "loop": "held", "tmpfs": "held"}
    assert without["storage"] == "loop"
    assert "mounted without prjquota" in without["backends"]["xfs"]


def test_every_test_passes_there_too(answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[QUOTAS]
    assert answer["words"] == {}
    assert answer["code"] == 0
    assert answer["tests"]["passed"] >= 100
