"""What `docs/security.md` says of the controls is what the program says of them."""

from __future__ import annotations

import re

import pytest

from orchestrator.policy.controls import CONTROLS, Control
from orchestrator.policy.runtimes import Departure, departures
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]
CIS_ITEMS = {f"5.{number}" for number in range(1, 33)}
PSS_FIELDS = {
    "HostProcess", "hostNetwork", "hostPorts", "hostPID", "hostIPC", "privileged", "capabilities",
    "hostPath volumes", "volume types", "AppArmor", "SELinux", "/proc mount", "seccompProfile",
    "sysctls", "allowPrivilegeEscalation", "runAsNonRoot", "runAsUser",
}  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_control_stands_in_the_table_as_the_program_knows_it(control: Control) -> None:
    (row,) = [row for row in ROWS if row[0] == f"**{control.title}**"]
    assert row[1] == control.by
    assert row[3] == control.not_stopped
    named = re.findall(r"`(tests/[\w/]+\.py)`", row[2])
    assert named
    assert all((ROOT / name).is_file() for name in named)


def test_no_control_stands_there_that_the_program_does_not_know() -> None:
    known = {f"**{control.title}**" for control in CONTROLS}
    assert {row[0] for row in ROWS if row[0].startswith("**")} <= known


@pytest.mark.parametrize("one", departures("runsc"), ids=lambda one: one.control)
def test_what_is_otherwise_under_gvisor_stands_there_word_for_word(one: Departure) -> None:
    row = [one.control, one.under_runc, one.instead, one.why, one.holds]
    assert row in ROWS, "| " + " | ".join(row) + " |"


def test_nothing_else_is_said_to_be_otherwise_under_gvisor() -> None:
    page = PAGE.split("## Under gVisor")[1].split("\n## ")[0]
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(departures("runsc"))


def test_every_item_of_the_benchmarks_section_is_answered_once() -> None:
    rows = [row for row in ROWS if re.fullmatch(r"5\.\d+", row[0])]
    assert [row[0] for row in rows] == sorted(CIS_ITEMS, key=lambda item: int(item[2:]))
    states = {"kept", "not kept", "not kept, on purpose", "does not apply", "the engine's", "yours"}
    assert {row[2] for row in rows} <= states
    assert all(row[3] for row in rows if row[2] != "kept")


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_controls_counterparts_name_it(control: Control) -> None:
    named = {row[0] for row in ROWS if row[0] in CIS_ITEMS and control.title in row[4].split("; ")}
    assert named == set(control.cis)


def test_every_field_of_the_pod_profile_is_answered_once() -> None:
    page = PAGE.split("## Pod Security")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")][1:]
    fields = [field for row in rows for field in row.split(", ")]
    assert sorted(fields) == sorted(PSS_FIELDS)


def test_nothing_is_executed_into_a_running_container_or_unpacked_out_of_one() -> None:
    """Both have let a container reach its host; the page says that neither is used."""
    words = ("exec_create", "exec_start", "exec_run", "get_archive", '"Privileged": True')
    code = {path: path.read_text("utf-8") for path in (ROOT / "orchestrator").rglob("*.py")}
    assert [
        (path.name, word) for path, text in code.items() for word in words if word in text
    ] == []
