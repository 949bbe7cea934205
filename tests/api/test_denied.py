"""What the machine's administrator has withdrawn starts no run, and no audit vouches for it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from orchestrator.api.audits import audit
from orchestrator.api.denied import deny_list, require_not_withdrawn
from orchestrator.audit.audit import AuditVerdict
from orchestrator.core import machine_folder
from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.record.chain import read_lines
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.events import RunStarted
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Pins, ProofPin
from orchestrator.record.signing import read_signer
from orchestrator.research.pins import spec_of, template_of
from tests.support.signing_key import key


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(machine_folder, "MACHINE", MachineFolder(folder, owner=0))
    return folder


@pytest.fixture
def run(quick_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(quick_run, tmp_path / "results" / "quick" / "20260101_000000"))


def pins_of_run(run: Path) -> Pins:
    first, _ = next(iter(read_lines(run / "journal.jsonl")))
    assert isinstance(first, RunStarted)
    return first.pins


def deny(machine: Path, text: str) -> None:
    (machine / "deny.yaml").write_text(text)


def test_a_withdrawn_policy_or_image_breaks_an_audit_and_is_named(machine: Path, run: Path) -> None:
    pins = pins_of_run(run)
    assert audit(str(run), run).audit.outcome is not AuditVerdict.BROKEN
    deny(machine, f'policies: [{pins.policy.hash}]\nimages: ["{pins.images[0][1]}"]\n')
    done = audit(str(run), run).audit
    assert done.outcome is AuditVerdict.BROKEN
    found = {(one.check, one.why) for one in done.findings if "withdrawn" in one.what}
    assert found == {("policy", pins.policy.hash), ("image", pins.images[0][1])}


def test_a_withdrawn_key_breaks_an_audit_of_what_it_signed(
    machine: Path, run: Path, tmp_path: Path
) -> None:
    signer = read_signer(key(tmp_path))
    paths = RunPaths(run)
    name = signer.public.fingerprint
    paths.signature.write_bytes(signed_envelope(run_statement(paths), name, signer.sign))
    deny(machine, f'keys: ["{name}"]\n')
    done = audit(str(run), run).audit
    assert done.outcome is AuditVerdict.BROKEN
    assert [(one.check, one.why) for one in done.findings if "withdrawn" in one.what] == [
        ("anchor", name)
    ]


def test_a_run_under_a_withdrawn_policy_or_image_does_not_start(machine: Path, run: Path) -> None:
    pins = pins_of_run(run)
    setup = spec_of(pins, template_of(pins, RunPaths(run)))
    require_not_withdrawn(setup)
    deny(machine, f"policies: [{setup.policy.hash[:16]}]\n")
    with pytest.raises(UserError, match="withdrawn it: the policy") as error:
        require_not_withdrawn(setup)
    assert error.value.exit_code == 2
    deny(machine, f'images: ["{setup.images[0][1]}"]\n')
    with pytest.raises(UserError, match=f"the image {setup.images[0][0]}"):
        require_not_withdrawn(setup)


def test_a_lowered_budget_does_not_hide_a_withdrawn_policy(machine: Path, run: Path) -> None:
    pins = pins_of_run(run)
    setup = replace(spec_of(pins, template_of(pins, RunPaths(run))), proof=ProofPin(of="a" * 64))
    deny(machine, f"policies: [{'a' * 64}]\n")
    with pytest.raises(UserError, match="withdrawn"):
        require_not_withdrawn(setup)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("policies: [nothex]\n", "policies"),
        ("polices: []\n", "polices"),
        ("images: [x]\n", "images"),
    ],
)
def test_a_list_with_a_fault_is_an_error_at_its_place(machine: Path, text: str, line: str) -> None:
    deny(machine, text)
    with pytest.raises(BadFile) as error:
        deny_list()
    assert line in str(error.value)


def test_a_list_that_anybody_may_write_is_an_error_of_the_audit(machine: Path, run: Path) -> None:
    deny(machine, "policies: []\n")
    (machine / "deny.yaml").chmod(0o666)
    said = CliRunner().invoke(cli.app, ["audit", str(run)])
    assert said.exit_code == 2
    assert "cannot be relied on" in said.output


def test_a_list_under_another_ending_is_an_error_and_not_an_empty_list(machine: Path) -> None:
    (machine / "deny.yml").write_text("policies: []\n")
    with pytest.raises(BadFile) as caught:
        deny_list()
    assert caught.value.where == str(machine / "deny.yml")
    assert "rename it to deny.yaml" in caught.value.todo
