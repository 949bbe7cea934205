"""Which policy a run uses when none is named: the largest shipped one that the machine supports."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.api import policies
from orchestrator.api.policies import BY_SIZE, SHIPPED, chosen_policy
from orchestrator.core.errors import BadPolicy, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Machine
from orchestrator.policy.check import check_machine
from orchestrator.policy.compare import compare
from orchestrator.policy.policy import load_policy
from orchestrator.sandbox.gpus.nvml import GpuDevice
from orchestrator.template.template import Template, load_template
from tests.support.places import DATA

GIB = 2**30
WORKSTATION = Machine(cpus=8, memory=62 * GIB, disk=150 * 10**9, gpus=1, gpu_memory=24564 * 2**20)
"""64 GB as Linux counts it, and a card of 24 GB as its driver counts it."""
SERVER = Machine(cpus=32, memory=251 * GIB, disk=2**40, gpus=1, gpu_memory=46068 * 2**20)
LAPTOP = Machine(cpus=2, memory=8 * 10**9, disk=50 * GIB, gpus=0)
TINY = Machine(cpus=1, memory=GIB, disk=10 * GIB, gpus=0)


@pytest.fixture(scope="module")
def template() -> Template:
    return load_template(str(DATA / "quick"), shipped_root())


def on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "this_machine", lambda _folder=None: machine)


@pytest.mark.parametrize(
    ("machine", "name"), [(SERVER, "default"), (WORKSTATION, "workstation"), (LAPTOP, "ci-cpu")]
)
def test_without_a_name_a_run_uses_the_largest_policy_that_fits(
    machine: Machine,
    name: str,
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(machine, monkeypatch)
    assert chosen_policy(None, tmp_path, template).policy.name == name


def test_the_reason_names_what_each_larger_policy_needs(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(LAPTOP, monkeypatch)
    assert chosen_policy(None, tmp_path, template).why == (
        "the largest shipped policy that this machine supports; "
        "default does not fit (experiment.resources.cpus: 4 CPUs; this machine has 2); "
        "workstation does not fit (experiment.resources.cpus: 4 CPUs; this machine has 2)"
    )


def test_a_machine_too_small_for_every_policy_is_told_each_limit_of_the_smallest(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(TINY, monkeypatch)
    with pytest.raises(BadPolicy) as caught:
        chosen_policy(None, tmp_path, template)
    assert caught.value.what == "this machine is too small for every shipped policy"
    assert caught.value.why.splitlines() == [
        "ci-cpu: experiment.resources.cpus: 2 CPUs; this machine has 1",
        "ci-cpu: experiment.resources.memory: 3GiB; this machine has 1GiB",
        "ci-cpu: latex.resources.cpus: 2 CPUs; this machine has 1",
        "ci-cpu: latex.resources.memory: 1536MiB; this machine has 1GiB",
        "ci-cpu: editor.resources.cpus: 2 CPUs; this machine has 1",
        "ci-cpu: editor.resources.memory: 1536MiB; this machine has 1GiB",
        "ci-cpu: run.memory: 5GiB; this machine has 1GiB",
    ]
    assert "extends ci-cpu" in caught.value.todo


def test_a_named_policy_that_does_not_fit_is_refused_with_each_limit_in_full(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(LAPTOP, monkeypatch)
    with pytest.raises(BadPolicy) as caught:
        chosen_policy("workstation", tmp_path, template)
    assert caught.value.what == "the policy 'workstation' cannot be used: 5 errors"
    assert caught.value.where == str(SHIPPED / "workstation.yaml")
    smaller = "or use a smaller policy: `aisci policy list`"
    assert caught.value.why.splitlines()[:2] == [
        f"11:15: experiment.resources.cpus: 4 CPUs; this machine has 2; lower it to 2, {smaller}",
        f"12:10: experiment.gpus.count: 1 GPU; this machine has 0; lower it to 0, {smaller}",
    ]


def test_the_gpus_of_this_machine_are_those_of_its_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = (GpuDevice("GPU-1", 24 * GIB), GpuDevice("GPU-2", 16 * GIB))
    monkeypatch.setattr("orchestrator.sandbox.gpus.nvml.NvmlDriver.devices", lambda _self: cards)
    machine = policies.this_machine(tmp_path / "not" / "yet" / "made")
    assert (machine.gpus, machine.gpu_memory) == (2, 16 * GIB)


def test_each_smaller_policy_allows_no_more_than_the_one_before_but_keeps_less_free() -> None:
    """A larger machine can keep more for itself."""
    for larger, smaller in pairwise(BY_SIZE):
        differences = compare(
            load_policy(larger, SHIPPED).settings, load_policy(smaller, SHIPPED).settings
        )
        weaker = {one.key for one in differences if one.verdict == "weaker"}
        assert weaker <= {"run.keep_free.disk", "run.keep_free.memory"}, (larger, smaller)


def test_the_workstation_policy_fits_the_machine_that_it_names() -> None:
    assert check_machine(load_policy("workstation", SHIPPED), WORKSTATION) == ()


def test_a_template_that_needs_a_gpu_is_refused_under_a_policy_without_one(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(LAPTOP, monkeypatch)
    manifest = template.manifest.model_copy(update={"gpu": "required"})
    needy = Template(
        name=template.name,
        origin=template.origin,
        files=template.files,
        manifest=manifest,
        inferred=False,
    )
    with pytest.raises(
        UserError, match="needs a GPU, and the policy 'ci-cpu' gives none"
    ) as caught:
        chosen_policy(None, tmp_path, needy)
    assert "workstation does not fit" in caught.value.why
