"""The ceiling of a machine: nothing allows more, no reason excuses, and one that is not root's stops."""

from __future__ import annotations

import grp
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.core.errors import BadPolicy
from orchestrator.core.machine_folder import MACHINE, MachineFolder
from orchestrator.policy.ceiling import (
    above_ceilings,
    machine_ceilings,
    require_below,
)
from orchestrator.policy.policy import load_policy
from tests.policy.test_policy import ROOT, written
from tests.support.ceiling_rig import ceiling_at, ceiling_text, write_ceiling


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineFolder:
    return ceiling_at(tmp_path, monkeypatch)


def stopped() -> str:
    with pytest.raises(BadPolicy) as caught:
        machine_ceilings(ROOT)
    assert caught.value.where
    assert caught.value.todo
    return str(caught.value)


def test_the_machines_ceiling_is_roots_and_at_one_place() -> None:
    assert MachineFolder(Path("/etc/aisci"), 0) == MACHINE


def test_a_machine_without_a_ceiling_has_none(place: MachineFolder) -> None:
    (place.folder / "ceiling.yaml").unlink()
    assert machine_ceilings(ROOT) == ()
    place.folder.rmdir()
    assert machine_ceilings(ROOT) == ()


@pytest.mark.usefixtures("place")
def test_a_policy_below_the_ceiling_passes_and_one_above_is_refused_with_key_and_both_values(
    tmp_path: Path,
) -> None:
    ceilings = machine_ceilings(ROOT)
    require_below(load_policy("ci-cpu", ROOT), ceilings)
    policy = load_policy(written(tmp_path, "extends: default"), ROOT)
    with pytest.raises(BadPolicy) as caught:
        require_below(policy, ceilings)
    by_key = {one.place.key: one for one in caught.value.problems}
    assert "experiment.resources.memory: there 3GiB; here 32GiB" in caught.value.why
    memory = by_key["experiment.resources.memory"]
    assert (memory.rule, memory.place.line) == ("above-ceiling", 4)
    assert "there 3GiB; here 32GiB" in memory.what
    assert "administrator" in memory.todo


@pytest.mark.usefixtures("place")
def test_no_reason_excuses_a_policy_from_the_ceiling(tmp_path: Path) -> None:
    body = "extends: ci-cpu\nexceeds: {idea.wall: a study that takes long}\nidea: {wall: 121m}"
    policy = load_policy(written(tmp_path, body), ROOT)
    (found,) = above_ceilings(policy.document, policy.settings, machine_ceilings(ROOT))
    assert (found.level, found.place.key) == ("error", "idea.wall")


def test_a_groups_ceiling_holds_its_members_too_and_nobody_else(place: MachineFolder) -> None:
    mine = grp.getgrgid(os.getgid()).gr_name
    other = next(one.gr_name for one in grp.getgrall() if one.gr_gid not in my_groups())
    for group in (mine, other):
        text = ceiling_text(**{"wall: 5m": "wall: 4m"}) if group == mine else ceiling_text()
        write_ceiling(place.folder / "ceiling.d" / f"{group}.yaml", text)
    names = [Path(one.origin).name for one in machine_ceilings(ROOT)]
    assert names == ["ceiling.yaml", f"{mine}.yaml"]
    with pytest.raises(BadPolicy, match=r"ceiling\.d"):
        require_below(load_policy("ci-cpu", ROOT), machine_ceilings(ROOT))


def my_groups() -> set[int]:
    return {os.getgid(), *os.getgroups()}


def test_a_ceiling_for_a_group_that_does_not_exist_stops(place: MachineFolder) -> None:
    write_ceiling(place.folder / "ceiling.d" / "no-such-group.yaml", ceiling_text())
    assert "has no group 'no-such-group'" in stopped()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.chmod(0o664), "may write it"),
        (lambda path: path.chmod(0o646), "may write it"),
        (lambda path: path.parent.chmod(0o777), "may write it"),
        (lambda path: path.rename(path.with_suffix(".yml")), "has to end in .yaml"),
        (lambda path: (path.unlink(), path.mkdir()), "not a plain file"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/null")), "a link counts as none"),
        (lambda path: path.write_text("version: 1\nmemory: 3"), "unknown key 'memory'"),
        (lambda path: path.write_text("a: ["), "not valid YAML"),
        (lambda path: path.write_text(ceiling_text().replace("wall: 5m", "wall: 5")), "unit"),
    ],
)
def test_a_ceiling_that_cannot_be_relied_on_stops_and_is_never_left_out(
    place: MachineFolder, spoil: Callable[[Path], object], why: str
) -> None:
    spoil(place.folder / "ceiling.yaml")
    assert why in stopped()


def test_a_ceiling_of_another_user_than_root_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ceiling_at(tmp_path, monkeypatch)
    monkeypatch.setattr(
        "orchestrator.core.machine_folder.MACHINE", MachineFolder(place.folder, os.getuid() + 1)
    )
    assert f"it belongs to user {os.getuid()}" in stopped()


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_ceiling_that_this_account_may_not_read_stops(place: MachineFolder) -> None:
    (place.folder / "ceiling.yaml").chmod(0)
    assert "may not read it" in stopped()


@pytest.mark.parametrize(
    "line", ["extends: ./other.yaml", "latex: {extends: ../other.yaml}", "latex: {seccomp: a.json}"]
)
def test_a_ceiling_takes_nothing_from_a_file_whose_rights_nobody_looks_at(
    place: MachineFolder, line: str
) -> None:
    head = "version: 1\nname: corp\ndescription: A test.\n"
    (place.folder / "ceiling.yaml").write_text(f"{head}{line}\n")
    text = stopped()
    assert "takes nothing from another file" in text
    assert "ceiling.yaml:4:" in text


def test_a_ceiling_of_blocks_alone_stops(place: MachineFolder) -> None:
    head = "version: 1\nname: corp\ndescription: A test.\n"
    (place.folder / "ceiling.yaml").write_text(f"{head}latex: {{extends: latex}}\n")
    assert "only blocks" in stopped()
