"""Whatever runs is held to the ceiling of the machine, and its record says to which."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from orchestrator.api import policies, runs
from orchestrator.api.prepare import prepare
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.core import machine_folder
from orchestrator.core.errors import BadPolicy
from orchestrator.core.host import Machine
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.core.tree import Tree, canonical
from orchestrator.record.paths import RunPaths
from orchestrator.research.pins import pins_of, read_pins, spec_of
from orchestrator.template.template import Template
from tests.policy.test_policy import written
from tests.support import run_rig
from tests.support.ceiling_rig import ceiling_at, ceiling_text
from tests.support.unended import unended_run

LOW = {"wall: 5m": "wall: 1s", "cpu: 10m": "cpu: 1s", "grace: 5s": "grace: 0.1s"}


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    large = Machine(cpus=64, memory=2**40, disk=2**44, gpus=8, gpu_memory=2**37)
    monkeypatch.setattr(policies, "this_machine", lambda _folder=None: large)


def test_a_run_above_the_ceiling_is_refused_and_one_below_records_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceiling_at(tmp_path, monkeypatch, ceiling_text("base"))
    setup = run_rig.setup(tmp_path)
    (pin,) = setup.ceilings
    assert (pin.name, Path(pin.file).name) == ("corp", "ceiling.yaml")
    pins = pins_of(setup, template_tree(setup.template))
    assert pins.ceilings == (pin,)
    assert b'"ceilings"' in canonical(pins)
    assert spec_of(pins, setup.template).ceilings == (pin,)
    (tmp_path / "etc" / "ceiling.yaml").write_text(ceiling_text(**LOW))
    with pytest.raises(BadPolicy, match="this machine's ceiling"):
        run_rig.setup(tmp_path)


def template_tree(template: Template) -> Tree:
    return Tree.of(dict.fromkeys(template.files, "0" * 64))


def test_what_was_recorded_without_a_ceiling_has_the_same_bytes(tmp_path: Path) -> None:
    setup = run_rig.setup(tmp_path)
    assert setup.ceilings == ()
    assert b"ceiling" not in canonical(pins_of(setup, template_tree(setup.template)))


def test_without_a_name_the_largest_shipped_policy_below_the_ceiling_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceiling_at(tmp_path, monkeypatch)
    wanted = replace(run_rig.wanted(tmp_path), policy=None)
    prepared = prepare(wanted)
    assert prepared.setup.policy.name == "ci-cpu"
    assert "default does not fit" in prepared.why_policy
    assert "ceiling" in prepared.why_policy
    (tmp_path / "etc" / "ceiling.yaml").write_text(ceiling_text(**LOW))
    with pytest.raises(BadPolicy, match="below every shipped policy"):
        prepare(wanted)


def test_a_resume_and_a_fork_above_the_ceiling_are_refused_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    journal = unended_run(folder, monkeypatch)
    before = journal.read_bytes()
    ceiling_at(tmp_path, monkeypatch, ceiling_text(**LOW))
    for fork in (False, True):
        with pytest.raises(BadPolicy, match="this machine's ceiling") as caught:
            runs.resume(ResumeRequest(run=str(folder), results=tmp_path, fork=fork))
        assert "--fork" in caught.value.todo
    assert journal.read_bytes() == before
    assert read_pins(RunPaths(folder)).ceilings == ()


def test_check_holds_every_file_to_the_ceiling_and_names_the_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ceiling_at(tmp_path, monkeypatch)
    path = written(tmp_path, "extends: workstation")
    done = CliRunner().invoke(cli.app, ["policy", "check", path, "ci-cpu", "latex", "--json"])
    assert done.exit_code == 2
    mine, shipped, blocks = map(json.loads, done.stdout.splitlines())
    assert {one["rule"] for one in mine["findings"] if one["level"] == "error"} == {"above-ceiling"}
    assert shipped["ok"]
    assert {one["rule"] for one in blocks["findings"] if one["level"] == "error"} <= {
        "above-ceiling"
    }
    monkeypatch.setattr(machine_folder, "MACHINE", MachineFolder(place.folder, place.owner + 1))
    done = CliRunner().invoke(cli.app, ["policy", "check", "ci-cpu"])
    assert done.exit_code == 2
    assert done.stdout == ""
