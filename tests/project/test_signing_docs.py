"""The commands on keys, time stamps and signed images in docs/audit.md and docs/policy.md, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.api.reproduce import replay
from orchestrator.api.signed_images import require_signed_images
from orchestrator.core import machine_folder
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.paths import RunPaths
from orchestrator.record.signing import read_signer
from tests.record.test_signing import pem, ssh
from tests.support.places import ROOT
from tests.support.signing_agent import SOFTHSM, AgentRig, agent
from tests.support.stamp_authority import StampRig

pytestmark = pytest.mark.program


def commands(page: str, name: str) -> str:
    text = (ROOT / "docs" / page).read_text("utf-8")
    found: list[str] = re.findall(rf"```sh {name}\n(.*?)```", text, re.DOTALL)
    assert found, name
    return "\n".join(found)


def bash(script: str, cwd: Path, **more: str) -> str:
    """Run commands as a person would, with ``aisci`` as one; each has to succeed."""
    tools = cwd / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "aisci").write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/cli.py "$@"\n')
    (tools / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (tools / "docker").write_text(f"#!/bin/sh\necho sha256:{'1' * 64}\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(cwd), **more}
    words = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(
        words, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[AgentRig]:
    with agent(tmp_path) as made:
        yield made


@pytest.mark.usefixtures("rig")
def test_a_key_that_ssh_agent_holds(quick_run: Path, tmp_path: Path) -> None:
    ssh(tmp_path).rename(tmp_path / "id_audit")
    (tmp_path / "ssh.pub").rename(tmp_path / "id_audit.pub")
    said = bash(commands("audit.md", "agent"), tmp_path, RUN=str(quick_run))
    shown = re.findall(r"SHA256:\S+", said)
    assert len(shown) == 2, "as the agent lists it, and as the signer of the bundle"
    assert shown[0] == shown[1]


@pytest.mark.skipif(not SOFTHSM.is_file(), reason=f"Debian's softhsm2 is not here: {SOFTHSM}")
def test_a_key_in_a_token(rig: AgentRig, quick_run: Path, tmp_path: Path) -> None:
    rig.new_token()
    said = bash(commands("audit.md", "token"), tmp_path, RUN=str(quick_run), **rig.pin())
    assert re.search(r"signer: +SHA256:", said)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_a_stamp_that_is_carried_checked_by_us_and_by_openssl(
    quick_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "results" / "quick" / "20260101_000000"
    shutil.copytree(quick_run, run)
    replay(str(quick_run), into=tmp_path / "made")
    shutil.copytree(tmp_path / "made", run, dirs_exist_ok=True)
    signer = read_signer(pem(tmp_path, "audit-key"))
    made = signed_envelope(run_statement(RunPaths(run)), signer.public.fingerprint, signer.sign)
    RunPaths(run).signature.write_bytes(made)
    authority = StampRig(tmp_path / "tsa")
    shutil.copy(authority.root, tmp_path / "authority.pem")
    with authority.served() as (address, _):
        script = commands("audit.md", "stamp")
        said = bash(script, tmp_path, RUN=str(run), AUTHORITY=address)
    assert f"{run}: intact" in said
    assert "vouched for by authority.pem" in said


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_an_image_that_is_signed_with_openssl_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = tmp_path / "etc"
    machine.mkdir()
    made = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    public = ["openssl", "pkey", "-in", "images.key", "-pubout", "-out", "etc/images.pub"]
    for words in ([*made, "-out", "images.key"], public):
        subprocess.run(words, cwd=tmp_path, check=True)
    bash(commands("policy.md", "images").replace("/etc/aisci", str(machine)), tmp_path)
    monkeypatch.setattr(machine_folder, "MACHINE", MachineFolder(machine, owner=os.getuid()))
    require_signed_images([("aisci-sandbox:cpu", f"sha256:{'1' * 64}")])
