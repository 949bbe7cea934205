"""``aisci policy prove`` on this machine's engine: what it says of each shipped policy."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.policies import this_machine
from orchestrator.core.files import shipped_root
from orchestrator.proof.probe import shipped_probes
from orchestrator.proof.proof import read_proof
from orchestrator.proof.subject import applicable_probes, for_machine, subject_of
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.engine.labels import OWNER
from orchestrator.sandbox.gpus.nvml import NvmlDriver
from orchestrator.sandbox.job.gvisor import why_unusable
from tests.console.test_policy_commands import aisci
from tests.support.bench import record
from tests.support.mutations import asked, no_ulimit
from tests.support.places import ROOT
from tests.support.sample import some
from tests.support.sandbox_rig import nameless_loops

pytestmark = pytest.mark.engine

# In `make test` a sixth of each control's probes under one policy, some of the others'; the campaign
# runs all.
WHOLE = "ci-cpu"
SAMPLES = {"latex": 4, "editor": 4, "strict": 6, "default": 4}
TIMES = 3  # that a probe is asked which broke off
WELL = {"held", "held otherwise"}


def require_runtime(name: str) -> None:
    """Skip where the engine has not the runtime that a policy names."""
    engine = connect()
    why = why_unusable(engine.info()) if name == "strict" else ""
    engine.close()
    if why:
        pytest.skip(f"no gVisor: {why}")


def proved(
    name: str, results: Path, *only: str
) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Exit code, each result, and the proof itself, of the command as people give it."""
    words = [word for one in only for word in ("--only", one)]
    done = aisci("policy", "prove", name, *words, "--results", str(results), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, done.stderr
    assert "proof" in lines[-1], done.stdout[-2000:] + done.stderr
    return done.returncode, [one["result"] for one in lines[:-1]], lines[-1]["proof"]


def again(name: str, results: Path, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, with what broke off asked again, :data:`TIMES` times in all.

    A probe that breaks off, or finds its bare container closed, has shown nothing either way: under
    gVisor on a busy machine a container may die before the probe's last word. What got through
    is never asked again.
    """
    for turn in range(1, TIMES):
        broken = {one["probe"] for one in found if unshown(one)}
        if not broken:
            break
        _, more, _ = proved(name, results / str(turn), *sorted(broken))
        found = [one for one in found if one["probe"] not in broken] + more
    return found


def unshown(one: dict[str, Any]) -> bool:
    return one["state"] == "not provable here" or (
        one["state"] == "did not hold" and "it ended early" in one["why"]
    )


def held(
    name: str, results: Path, code: int, first: list[dict[str, Any]], proof: dict[str, Any]
) -> list[dict[str, Any]]:
    """Everything that was tried held; what this machine has not is listed with its reason."""
    found = again(name, results / "again", first)
    assert [one for one in found if one["state"] not in WELL] == []
    otherwise = [one for one in found if one["state"] == "held otherwise"]
    assert all(one["why"] for one in otherwise)
    assert not otherwise or name == "strict"
    lacks_gpu = name == "default" and not NvmlDriver().devices()
    assert ("gpus" in dict(proof["unproved"])) == lacks_gpu
    if found is first:  # else the exit code tells of what broke off
        assert code == (3 if proof["unproved"] else 0)
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_of_each_other_shipped_policys_probes_is_held(
    name: str, tmp_path: Path, sample: random.Random
) -> None:
    require_runtime(name)
    subject = for_machine(subject_of(name, shipped_root() / "policies"), this_machine())
    wanted, _ = applicable_probes(subject, shipped_probes(shipped_root()))
    known = sorted({one.id for mine in wanted.values() for one in mine})
    code, found, proof = proved(name, tmp_path, *sample.sample(known, SAMPLES[name]))
    found = held(name, tmp_path, code, found, proof)
    assert {one["probe"] for one in found} <= set(known)
    assert len({one["probe"] for one in found}) == SAMPLES[name]
    assert proof["asked"], "a proof of some probes says so"
    assert Path(proof["page"]).is_file()
    assert read_proof(Path(proof["page"]).with_suffix(".json")).hash == proof["hash"]


@pytest.mark.sampled
def test_probes_of_every_control_of_a_shipped_policy_are_held(tmp_path: Path) -> None:
    """What these attack, on runc and in each kind of container, no other test attacks again: of each
    control's probes a sixth by the commit, and at least one.
    """
    subject = for_machine(subject_of(WHOLE, shipped_root() / "policies"), this_machine())
    wanted, _ = applicable_probes(subject, shipped_probes(shipped_root()))
    known = sorted({one.id for mine in wanted.values() for one in mine})
    folders: dict[str, list[str]] = {}
    for one in known:
        folders.setdefault(one.partition("/")[0], []).append(one)
    chosen = [one for name, mine in folders.items() for one in some(mine, -(-len(mine) // 6), name)]
    code, found, proof = proved(WHOLE, tmp_path, *chosen)
    held(WHOLE, tmp_path, code, found, proof)
    assert {one["probe"].partition("/")[0] for one in found} == {*folders}


@pytest.mark.campaign
@pytest.mark.parametrize("name", [WHOLE, *SAMPLES])
def test_every_probe_of_each_shipped_policy_is_held(name: str, tmp_path: Path) -> None:
    require_runtime(name)
    code, found, proof = proved(name, tmp_path)
    found = held(name, tmp_path, code, found, proof)
    states = Counter(one["state"] for one in found)
    record("proofs", {
        "policy": name, "exit_code": code, "outcome": proof["outcome"],
        "probes": len({one["probe"] for one in found}), "trials": len(found), "states": dict(states),
        "unproved": dict(proof["unproved"]), "seconds": round(proof["seconds"]),
        "engine": proof["engine"], "runtimes": proof["runtimes"], "storage": proof["storage"],
    })  # fmt: skip


def test_a_control_that_does_not_hold_ends_with_one_and_is_named(tmp_path: Path) -> None:
    words = (
        "policy",
        "prove",
        "latex",
        "--only",
        "processes.open-files",
        "--results",
        str(tmp_path),
    )
    with asked(no_ulimit("nofile"))(None):  # type: ignore[arg-type]  # this mutation needs no trials
        done = aisci(*words)
    assert done.returncode == 1
    assert "DID NOT HOLD" in done.stdout
    assert "open" in done.stdout
    assert "did not hold" in next(tmp_path.rglob("*_some.html")).read_text()


@pytest.mark.serial
def test_a_proof_that_is_stopped_keeps_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "policy", "prove", "ci-cpu", "--only", "memory"]
    running = subprocess.Popen(
        [*command, "--results", str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    engine = connect()
    try:
        until = time.monotonic() + 60
        while not left_by(engine, running.pid) and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=120)
        assert running.returncode == 130
        assert "aisci policy prove ci-cpu" in stderr
        assert "Traceback" not in stderr
        assert left_by(engine, running.pid) == []
    finally:
        engine.close()
    assert list(tmp_path.iterdir()) == []
    assert nameless_loops() == ()


def left_by(engine: Any, pid: int) -> list[str]:
    """Containers and volumes whose owner is that process."""
    containers = engine.api.containers(all=True, filters={"label": [OWNER]})
    volumes = engine.api.volumes(filters={"label": [OWNER]})["Volumes"] or []
    named = [(one["Names"][0], one["Labels"]) for one in containers]
    named += [(one["Name"], one["Labels"]) for one in volumes]
    return [name for name, labels in named if labels[OWNER].split(":")[1] == str(pid)]


def test_the_live_board_is_drawn_on_a_terminal_and_gone_at_the_end(tmp_path: Path) -> None:
    """Through a pseudo-terminal, as a person sees it."""
    mine, theirs = os.openpty()
    command = [sys.executable, "-m", "cli", "policy", "prove", "latex", "--only", "environment"]
    running = subprocess.Popen(
        [*command, "--results", str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, env=os.environ | {"COLUMNS": "100"},
    )  # fmt: skip
    os.close(theirs)
    drawn = b""
    while piece := _piece(mine):
        drawn += piece
    stdout, _ = running.communicate(timeout=60)
    os.close(mine)
    assert b"latex" in drawn
    assert b" of " in drawn
    assert b"Every control that was tried held." in stdout


def _piece(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""
