"""A limit counts as held when the kernel itself says so, under either version of cgroups."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.errors import SandboxFailed
from orchestrator.core.job import UNREAD
from orchestrator.record.attestation import SettingPairs
from orchestrator.sandbox.job.cgroup import Cgroup
from orchestrator.sandbox.job.kernel_limits import exceeded_limits, kernel_limits_of
from orchestrator.sandbox.job.verify import check_kernel_view
from tests.contracts.sandbox import LIMITS, MIB

ASKED = replace(LIMITS, memory=64 * MIB, cpus=1.5, pids=32, file=MIB, open_files=256)
HELD: SettingPairs = (
    ("limit core file", "1"),
    ("limit cpus", "1.5"),
    ("limit file size", str(MIB)),
    ("limit memory", str(64 * MIB)),
    ("limit open files", "256"),
    ("limit pids", "32"),
    ("limit swap", "0"),
)


def put(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text + "\n")
    return folder


UNIFIED = {
    "memory.max": str(64 * MIB),
    "memory.swap.max": "0",
    "pids.max": "32",
    "cpu.max": "150000 100000",
}


def unified(tmp_path: Path, **changes: str) -> dict[str, str]:
    files = UNIFIED | {name.replace("_max", ".max"): text for name, text in changes.items()}
    meter = Cgroup(2, {"": put(tmp_path / "x", files)})
    return dict(kernel_limits_of(os.getpid(), meter))


def test_limits_are_read_from_a_unified_cgroup(tmp_path: Path) -> None:
    found = unified(tmp_path)
    for name in ("memory", "swap", "pids", "cpus"):
        assert found[f"limit {name}"] == dict(HELD)[f"limit {name}"]
    assert "limit open files" in found


def test_limits_are_read_from_separate_cgroups(tmp_path: Path) -> None:
    memory = {
        "memory.limit_in_bytes": str(64 * MIB),
        "memory.memsw.limit_in_bytes": str(64 * MIB),
    }
    cpu = {"cpu.cfs_quota_us": "150000", "cpu.cfs_period_us": "100000"}
    folders = {
        "memory": put(tmp_path / "memory", memory),
        "pids": put(tmp_path / "pids", {"pids.max": "32"}),
        "cpu": put(tmp_path / "cpu", cpu),
    }
    found = dict(kernel_limits_of(os.getpid(), Cgroup(1, folders | {"cpuacct": tmp_path})))
    for name in ("memory", "swap", "pids", "cpus"):
        assert found[f"limit {name}"] == dict(HELD)[f"limit {name}"]


@pytest.mark.parametrize("control", ["memory", "pids", "cpu"])
def test_a_limit_that_the_kernel_does_not_have_is_said_to_be_none(
    tmp_path: Path, control: str
) -> None:
    word = "max 100000" if control == "cpu" else "max"
    found = unified(tmp_path, **{f"{control}_max": word})
    assert found[f"limit {'cpus' if control == 'cpu' else control}"] == "no limit"


def test_limits_as_asked_or_below_are_held() -> None:
    assert exceeded_limits(HELD, ASKED) == []
    assert exceeded_limits((*HELD, ("limit memory", str(63 * MIB))), ASKED) == []


@pytest.mark.parametrize("name", [name for name, _ in HELD])
@pytest.mark.parametrize("text", ["no limit", "unlimited", str(1 << 60)])
def test_a_limit_above_what_was_asked_is_named(name: str, text: str) -> None:
    seen = tuple((key, text if key == name else value) for key, value in HELD)
    (said,) = exceeded_limits(seen, ASKED)
    assert name in said
    missing = tuple(pair for pair in HELD if pair[0] != name)
    assert exceeded_limits(missing, ASKED) == [said.replace(f"is {text}", "is no limit")]
    with pytest.raises(SandboxFailed, match=name):
        check_kernel_view(seen, ASKED)


RIGHTS: SettingPairs = (
    *((name, " ".join(["65534"] * 4)) for name in ("Uid", "Gid")),
    *((name, "0" * 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")),
    ("NoNewPrivs", "1"),
    ("Seccomp", "2"),
)


def test_a_fact_that_only_root_may_read_is_neither_held_nor_broken() -> None:
    for space in ("net", "pid", "ipc", "mnt", "uts"):
        name = f"own {space} namespace"
        for value in ("yes", UNREAD):
            check_kernel_view((*HELD, *RIGHTS, (name, value)), ASKED)
        for value in ("no", ""):
            with pytest.raises(SandboxFailed, match=name):
                check_kernel_view((*HELD, *RIGHTS, (name, value)), ASKED)


def test_another_runtimes_first_process_is_not_the_jobs() -> None:
    gvisor = replace(ASKED, runtime="runsc")
    only_cgroup = tuple(pair for pair in HELD if "file" not in pair[0])
    assert exceeded_limits(only_cgroup, gvisor) == []
