"""Places where no engine can run are known by sight, and the advice fits them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.machine.pods import INSTEAD, no_engine_here

FULL, SMALL = "000001ffffffffff", "00000000a80425fb"  # all rights; those of a plain container


def place(folder: Path, rights: str, *marks: str) -> Path:
    for mark in marks:
        (folder / mark).parent.mkdir(parents=True, exist_ok=True)
        (folder / mark).touch()
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/status").write_text(f"Name:\tx\nCapEff:\t{rights}\n")
    return folder


@pytest.mark.parametrize(
    ("variables", "marks", "what"),
    [
        ({"RUNPOD_POD_ID": "x"}, (), "a RunPod pod"),
        ({"VAST_CONTAINERLABEL": "C.1"}, (".dockerenv",), "a Vast.ai container"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, (), "a Kubernetes pod"),
        ({}, (".dockerenv",), "a container"),
        ({}, ("run/.containerenv",), "a container"),
    ],
)
def test_a_pod_without_an_engines_rights_is_named(
    tmp_path: Path, variables: dict[str, str], marks: tuple[str, ...], what: str
) -> None:
    found = no_engine_here(variables, place(tmp_path, SMALL, *marks))
    assert found.startswith(f"this is {what}, without the rights")
    assert "virtual machine" in INSTEAD


def test_a_container_with_all_rights_may_start_an_engine(tmp_path: Path) -> None:
    assert no_engine_here({"RUNPOD_POD_ID": "x"}, place(tmp_path, FULL, ".dockerenv")) == ""


def test_a_machine_of_ones_own_is_none_also_for_a_user_without_rights(tmp_path: Path) -> None:
    assert no_engine_here({}, place(tmp_path, "0000000000000000")) == ""
    assert no_engine_here({}, tmp_path / "nothing") == ""
