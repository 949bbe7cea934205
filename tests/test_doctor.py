"""The doctor says what it tested, what it was told, and what to do; it judges nothing it did not see."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.doctor import Check, examine
from orchestrator.host import EngineFacts, Host, Tried
from tests.report_rig import box

ROOT = Path(__file__).parent.parent
GIB = 2**30
WELL = Host(
    engine=EngineFacts(
        name="engine",
        version="20.10.24",
        api="1.41",
        kernel="6.1",
        cgroup=1,
        cgroup_driver="cgroupfs",
        rootless=False,
        userns_remap=False,
        security=("name=seccomp,profile=default",),
        storage_driver="overlay2",
    ),
    runtimes=(Tried("runc", "tested"),),
    images=(("aisci-sandbox:cpu", "ready"), ("aisci-sandbox:cuda", "missing")),
    trial=box(),
    cpus=2,
    memory=16 * GIB,
    memory_free=16 * GIB,
    disk=50 * GIB,
    gpus=(),
)


def named(seen: Host) -> dict[str, Check]:
    return {check.name: check for check in examine(seen)}


def test_a_well_machine_has_no_failed_check_and_says_how_each_is_known() -> None:
    checks = examine(WELL)
    assert not [check for check in checks if check.state == "fail"]
    assert named(WELL)["a hardened job"].basis == "tested"
    assert named(WELL)["cgroups"].basis == "reported by the engine"
    assert named(WELL)["memory"].basis == "read from the system"


def test_without_an_engine_nothing_is_said_about_it_but_how_to_get_one() -> None:
    seen = replace(WELL, engine=None, why="No Docker engine answers.", todo="install one")
    assert named(seen)["engine"].state == "fail"
    assert named(seen)["engine"].todo == "install one"
    assert not {"runtimes", "a hardened job", "image aisci-sandbox:cpu"} & named(seen).keys()


@pytest.mark.parametrize("state", ["missing", "stale"])
def test_an_image_that_is_not_ready_fails_with_the_command_that_builds_it(state: str) -> None:
    check = named(replace(WELL, images=(("aisci-latex:latest", state),)))[
        "image aisci-latex:latest"
    ]
    assert (check.state, check.todo) == ("fail", "aisci images build aisci-latex:latest")


def test_the_cuda_image_is_asked_for_only_where_there_is_a_gpu() -> None:
    assert "image aisci-sandbox:cuda" not in named(WELL)
    with_gpu = named(replace(WELL, gpus=("GPU-1 (80 GiB)",)))
    assert with_gpu["image aisci-sandbox:cuda"].state == "warn"


def test_a_job_that_could_not_run_hardened_fails_with_its_reason() -> None:
    seen = replace(
        WELL, trial=None, trial_why="no quota holds here", trial_todo="mount loop devices"
    )
    check = named(seen)["a hardened job"]
    assert (check.state, check.found, check.todo) == (
        "fail",
        "no quota holds here",
        "mount loop devices",
    )


@pytest.mark.parametrize(("free", "state"), [(50, "ok"), (5, "warn"), (1, "fail")])
def test_room_on_the_disk_is_judged_by_stated_bounds(free: int, state: str) -> None:
    assert named(replace(WELL, disk=free * GIB))["disk"].state == state


def test_little_memory_and_leftovers_are_warned_of_with_what_to_do() -> None:
    seen = named(replace(WELL, memory_free=2 * GIB, leftovers=3))
    assert seen["memory"].state == "warn"
    assert (seen["leftovers of dead runs"].state, seen["leftovers of dead runs"].todo) == (
        "warn",
        "aisci reap",
    )


def test_an_engine_older_than_any_tried_is_warned_of() -> None:
    assert WELL.engine is not None
    assert named(replace(WELL, engine=replace(WELL.engine, api="1.24")))["engine"].state == "warn"


@pytest.mark.docker
def test_the_doctor_runs_a_real_hardened_job_here_and_leaves_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    checks = {c["name"]: c for c in map(json.loads, done.stdout.splitlines())}
    assert checks["a hardened job"]["state"] == "ok", checks["a hardened job"]
    assert done.returncode == (1 if any(c["state"] == "fail" for c in checks.values()) else 0)
    left = subprocess.run(
        ["docker", "ps", "-aq", "--filter", "label=aisci.run=doctor"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert left.stdout == ""
