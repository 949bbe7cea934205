"""Limits that cannot bind, or are none, or are above the machine: each is found by its key."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.host import Machine
from orchestrator.machine.system import measure_machine
from orchestrator.policy.lint import of_budgets, of_container, of_machine, of_run
from orchestrator.policy.policy import load_policy
from orchestrator.policy.schema import BLOCKS, WholePolicy
from tests.policy.test_policy import ROOT

GIB = 2**30
SETTINGS = load_policy("ci-cpu", ROOT).settings
ROOMY = Machine(cpus=64, memory=2**40, disk=2**44, gpus=8, gpu_memory=80 * GIB)


def whole(**changes: Any) -> WholePolicy:
    """ci-cpu's effective policy with settings replaced: ``experiment__time__cpu="11m"``."""
    made = copy.deepcopy(SETTINGS)
    for key, value in changes.items():
        *path, last = key.split("__")
        at = made
        for part in path:
            at = at[part]
        assert (
            last in at or last == "image_age" or key == "run__gpu_time"
        )  # which bounds nothing where it is left out
        at[last] = value
    return WholePolicy.model_validate(made)


def found(policy: WholePolicy) -> dict[str, str]:
    """Every error by its key."""
    rules = [one for kind in BLOCKS for one in of_container(kind, getattr(policy, kind))]
    return {key: what for key, what, *_ in (*rules, *of_budgets(policy))}


def test_a_sound_policy_has_nothing_to_be_found() -> None:
    assert found(whole()) == {}
    assert list(of_run(whole())) == []
    assert list(of_machine(whole(), ROOMY)) == []


@pytest.mark.parametrize(
    ("changes", "key", "what"),
    [
        ({"experiment__time__cpu": "10.1m"}, "experiment.time.cpu", "above cpus x wall (10m)"),
        ({"latex__time__grace": "3m"}, "latex.time.grace", "not below the wall"),
        ({"latex__image_age": "0d"}, "latex.image_age", "no image can be that new"),
        ({"experiment__time__wall": "0s"}, "experiment.time.wall", "in no time"),
        ({"editor__time__cpu": "0s"}, "editor.time.cpu", "in no time"),
        ({"experiment__storage__file": "513MiB"}, "experiment.storage.file", "never bind"),
        ({"experiment__storage__tmp": "3GiB"}, "experiment.resources.shm", "resources.memory"),
        ({"experiment__harvest__bytes": "513MiB"}, "experiment.harvest.bytes", "workspace"),
        ({"experiment__harvest__file": "257MiB"}, "experiment.harvest.file", "never bind"),
        ({"latex__storage__file": "40MiB"}, "latex.harvest.file", "above storage.file (40MiB)"),
        ({"experiment__harvest__files": 3}, "experiment.harvest.bytes", "x harvest.file (192MiB)"),
        ({"experiment__harvest__files": 20001}, "experiment.harvest.files", "storage.inodes"),
        ({"experiment__resources__memory": "0B"}, "experiment.resources.memory", "less than 6MiB"),
        ({"experiment__storage__workspace": "0B"}, "experiment.storage.workspace", "than 1MiB"),
        ({"experiment__storage__tmp": "0B"}, "experiment.storage.tmp", "less than 4KiB"),
        ({"latex__resources__shm": "4095B"}, "latex.resources.shm", "less than 4KiB"),
        ({"experiment__gpus__count": 1}, "experiment.gpus.memory", "both zero or neither"),
        ({"experiment__gpus__memory": "1GiB"}, "experiment.gpus.memory", "both zero or neither"),
        ({"latex__gpus__count": 1}, "latex.gpus.count", "only experiments"),
        ({"editor__network": {"allow": ["a.org:443"]}}, "editor.network", "only experiments"),
        (
            {"experiment__network": {"allow": ["a.org:443"]}, "experiment__runtime": "runsc"},
            "experiment.network",
            "under runsc",
        ),
        ({"experiment__env": {"LD_PRELOAD": "x"}}, "experiment.env", "how programs are loaded"),
        ({"idea__gpu_time": "1s"}, "idea.gpu_time", "above GPUs x wall (0s)"),
        ({"run__gpu_time": "1s", "idea__gpu_time": "2s"}, "idea.gpu_time", "run.gpu_time (1s)"),
        ({"idea__wall": "5h"}, "idea.wall", "above run.wall (4h)"),
        ({"idea__wall": "4m"}, "experiment.time.wall", "above idea.wall"),
        ({"idea__budget__usd": 20.5}, "idea.budget.usd", "above run.budget.usd (20)"),
        ({"idea__budget__tokens": 9000000}, "idea.budget.tokens", "above run.budget.tokens"),
        ({"idea__budget__requests": 1601}, "idea.budget.requests", "above run.budget.requests"),
        ({"run__memory": "2GiB"}, "experiment.resources.memory", "above run.memory"),
        ({"run__disk": "511MiB"}, "experiment.storage.workspace", "above run.disk"),
    ],
)
def test_a_limit_that_cannot_bind_is_found(changes: dict[str, Any], key: str, what: str) -> None:
    assert what in found(whole(**changes))[key]


@pytest.mark.parametrize(
    ("changes", "key", "what"),
    [
        ({"run__memory": "7GiB"}, "run.memory", "run.containers x the largest job (6GiB)"),
        ({"run__disk": "1025MiB"}, "run.disk", "run.containers x the largest job (1GiB)"),
        (
            {"run__containers": 5, "run__memory": "7GiB", "run__disk": "2GiB"},
            "run.containers",
            "already exceed run.memory",
        ),
    ],
)
def test_what_a_runs_containers_cannot_reach_together_is_noted(
    changes: dict[str, Any], key: str, what: str
) -> None:
    assert what in {at: said for at, said, *_ in of_run(whole(**changes))}[key]


@pytest.mark.parametrize(
    ("machine", "key", "what"),
    [
        ({"cpus": 1}, "experiment.resources.cpus", "2 CPUs; this machine has 1"),
        ({"memory": 2 * GIB}, "experiment.resources.memory", "3GiB; this machine has 2GiB"),
        (
            {"memory": 3 * GIB},
            "experiment.resources.memory",
            "and run.keep_free.memory (512MiB) together",
        ),
        ({"memory": 4 * GIB}, "run.memory", "5GiB; this machine has 4GiB"),
        ({"memory": 2**28}, "run.keep_free.memory", "512MiB; this machine has 256MiB"),
        ({"disk": 2**28}, "experiment.storage.workspace", "512MiB; this machine has 256MiB"),
        ({"disk": GIB}, "experiment.storage.workspace", "and run.keep_free.disk (1GiB) together"),
        ({"disk": 2**29}, "run.disk", "1GiB; this machine has 512MiB"),
        ({"disk": 2**29}, "run.keep_free.disk", "1GiB; this machine has 512MiB"),
        ({"pids": 255}, "experiment.resources.pids", "256; this machine's kernel allows 255"),
        ({"open_files": 2047}, "experiment.resources.open_files", "2048; this machine's kernel"),
    ],
)
def test_a_limit_above_the_machine_is_found(machine: dict[str, int], key: str, what: str) -> None:
    small = Machine(**{"cpus": 64, "memory": 2**40, "disk": 2**44, **machine})
    said = [text for at, text, *_ in of_machine(whole(), small) if at == key]
    assert [text for text in said if what in text], said


@pytest.mark.parametrize(
    ("gpus", "memory", "key"),
    [(0, None, "experiment.gpus.count"), (1, 16 * GIB, "experiment.gpus.memory")],
)
def test_gpus_above_the_machines_are_found(gpus: int, memory: int | None, key: str) -> None:
    policy = whole(experiment__gpus__count=1, experiment__gpus__memory="40GiB")
    machine = Machine(cpus=64, memory=2**40, disk=2**44, gpus=gpus, gpu_memory=memory)
    assert [at for at, *_ in of_machine(policy, machine)] == [key]


def test_every_number_of_a_container_is_in_some_rule_or_has_no_other_to_exceed() -> None:
    """Raised to the sky, each is found, but for output: the host reads that as it comes."""
    huge = {"cpus": 4096, "pids": 2**40, "open_files": 2**40, "inodes": None, "logs": None}
    for key, value in flat(SETTINGS["experiment"]).items():
        last = key.split("__")[-1]
        if isinstance(value, dict) or last in {"image", "user", "runtime", "network", "seccomp"}:
            continue
        if last in {"data", "enforce", "depth"} or huge.get(last, "") is None:
            continue
        sky = huge.get(last) or (
            2**40 if isinstance(value, int) else "9000d" if "time" in key else "900TiB"
        )
        policy = whole(**{f"experiment__{key}": sky})
        errors = {*found(policy), *(at for at, *_ in of_machine(policy, ROOMY))}
        assert errors, key


def flat(block: dict[str, Any], at: str = "") -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for key, value in block.items():
        deeper = isinstance(value, dict) and key not in {"env", "seccomp"}
        rows |= flat(value, f"{at}{key}__") if deeper else {at + key: value}
    return rows


@pytest.mark.parametrize("cpus", [0, 0.001, 4097])
def test_a_share_of_a_cpu_that_an_engine_would_take_for_no_limit_is_refused(cpus: float) -> None:
    with pytest.raises(ValueError, match="cpus"):
        whole(experiment__resources__cpus=cpus)


def test_this_machines_kernel_is_asked_for_its_counts(tmp_path: Path) -> None:
    machine = measure_machine(tmp_path, gpus=2, gpu_memory=GIB)
    assert 1000 <= machine.pids <= 2**22
    assert machine.open_files >= 1024
    assert (machine.gpus, machine.gpu_memory) == (2, GIB)
