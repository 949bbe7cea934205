"""Everything ends in order, what containers have is kept, and nothing begins or is removed until a release."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
from orchestrator.api import stopping
from orchestrator.api.holding import release_hold, require_no_hold, set_hold
from orchestrator.api.locking import only_writer
from orchestrator.api.prepare import RunRequest
from orchestrator.api.removing import prune_run, remove_run
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.api.runs import resume, run
from orchestrator.api.stopping import runs_at_work, stop_runs
from orchestrator.core import machine_folder
from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import APIError, connect
from orchestrator.sandbox.engine.labels import Owner
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.resources import SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.storage import keeping
from orchestrator.sandbox.storage.keeping import job_containers, keep_container
from tests.support import standing_rig

HOLDS = """
import fcntl, os, pathlib, signal, sys, time
handle = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(handle, fcntl.LOCK_EX)
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    machine = MachineFolder(tmp_path / "etc", owner=0)
    monkeypatch.setattr(machine_folder, "MACHINE", machine)
    return machine.folder


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that a test started: no other process of this machine is looked at, let alone stopped."""
    own: list[int] = []
    real = stopping._lock_holders
    monkeypatch.setattr(stopping, "_lock_holders", lambda: [pid for pid in real() if pid in own])
    return own


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return standing_rig.results_of_each_state(tmp_path / "results")


def worker(started: list[int], folder: Path, kind: str = "polite") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder), kind], stdout=subprocess.PIPE, text=True
    )
    started.append(process.pid)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.program
def test_every_run_of_the_account_is_stopped_wherever_it_lies(
    runs: Path, tmp_path: Path, started: list[int]
) -> None:
    new = tmp_path / "elsewhere" / "toy" / "20260101_000000"  # before its first line
    new.mkdir(parents=True)
    other = tmp_path / "no_run"
    other.mkdir()
    folders = [runs / standing_rig.WORKING, new]
    workers = [worker(started, one) for one in folders]
    bystander = worker(started, other)
    try:
        mine = {one.folder for one in runs_at_work()}
        assert mine == set(folders)
        done = stop_runs(patience=20)
        assert {one.folder for one in done.runs} == set(folders)
        assert [one.killed for one in done.runs if one.folder in folders] == [False, False]
        assert [one.wait(5) for one in workers] == [-15, -15]
        assert bystander.poll() is None
    finally:
        for process in (*workers, bystander):
            process.kill()
            process.communicate()


@pytest.mark.program
def test_a_run_that_does_not_end_in_time_is_killed_and_named(
    runs: Path, started: list[int]
) -> None:
    process = worker(started, runs / standing_rig.WORKING, "deaf")
    try:
        began = time.monotonic()
        (done,) = [
            one for one in stop_runs(patience=0.5).runs if one.folder == runs / standing_rig.WORKING
        ]
        assert done.killed
        assert process.wait(5) == -9
        assert time.monotonic() - began < 15
    finally:
        process.kill()
        process.communicate()


def test_while_there_is_a_hold_nothing_starts_and_no_record_is_removed(runs: Path) -> None:
    folder = runs / standing_rig.FINISHED
    before = sorted(path.name for path in runs.iterdir())
    path = set_hold("a job called home", everybody=False)
    for refused in (
        lambda: run(RunRequest(template="grokking", results=runs.parent)),
        lambda: resume(ResumeRequest(run=str(folder), results=runs.parent)),
        lambda: remove_run(folder, runs.parent),
        lambda: prune_run(folder, runs.parent, keep_record=True),
        lambda: only_writer(folder).__enter__(),
    ):
        with pytest.raises(UserError, match="held") as error:
            refused()
        assert "a job called home" in error.value.why
        assert "--release" in error.value.todo
    assert sorted(one.name for one in runs.iterdir()) == before
    assert release_hold(everybody=False) == path
    require_no_hold()
    assert release_hold(everybody=False) is None


def test_the_machines_hold_holds_everybody_and_a_spoiled_one_still_holds(own_places: Path) -> None:
    own_places.mkdir()
    set_hold("all stop", everybody=True)
    with pytest.raises(UserError, match="this machine is held"):
        require_no_hold()
    (own_places / "hold.json").write_text("{")
    with pytest.raises(UserError, match="this machine is held"):
        require_no_hold()


@pytest.mark.parametrize("fault", ["link", "mode", "owner"])
def test_a_machine_file_that_others_could_have_written_is_an_error_and_never_left_out(
    own_places: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_places.mkdir()
    path = own_places / "hold.json"
    path.write_text("{}")
    if fault == "link":
        path.rename(own_places / "there")
        path.symlink_to(own_places / "there")
    elif fault == "mode":
        path.chmod(0o666)
    else:
        monkeypatch.setattr(machine_folder, "MACHINE", MachineFolder(own_places, owner=54321))
    with pytest.raises(BadFile, match="cannot be relied on"):
        require_no_hold()


def test_the_command_holds_before_it_stops_and_says_how_to_release() -> None:
    said = CliRunner().invoke(cli.app, ["stop"])
    assert said.exit_code == 2
    assert "--all" in said.output
    assert CliRunner().invoke(cli.app, ["stop", "--release"]).exit_code == 1
    assert CliRunner().invoke(cli.app, ["stop", "--release", "--all"]).exit_code == 2


@pytest.mark.program
def test_stop_and_hold_from_the_command_line(
    runs: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    process = worker(started, runs / standing_rig.WORKING)
    try:
        said = CliRunner().invoke(cli.app, ["stop", "--all", "--hold", "--why", "odd", "--json"])
        told = [json.loads(line) for line in said.stdout.splitlines()]
        assert said.exit_code == 1, "no engine answers, and that is told"
        assert any("no container was kept" in one.get("fault", "") for one in told)
        assert str(runs / standing_rig.WORKING) in {one.get("stopped") for one in told}
        refused = CliRunner().invoke(
            cli.app, ["rm", standing_rig.FINISHED, "--results", str(runs.parent), "--yes"]
        )
        assert refused.exit_code == 2
        assert "odd" in refused.output
        assert CliRunner().invoke(cli.app, ["stop", "--release"]).exit_code == 0
    finally:
        process.kill()
        process.communicate()


class ScriptedApi:
    """An engine's API with one container; what it is asked is noted."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            entry = tarfile.TarInfo("../../escape")
            tar.addfile(entry)
        self.tar = made.getvalue()

    def inspect_container(self, _name: str) -> dict[str, Any]:
        labels = {"aisci.run": "toy-1", "aisci.job": "j"}
        mounts = [
            {"Type": "bind", "Source": "/data"},
            {"Type": "volume", "Name": "other"},
            {"Type": "volume", "Name": "aisci-volume"},
        ]
        return {
            "State": {"Running": True, "Paused": False},
            "Config": {"Labels": labels},
            "Mounts": mounts,
        }

    def pause(self, _name: str) -> None:
        self.asked.append("pause")

    def unpause(self, _name: str) -> None:
        self.asked.append("unpause")

    def top(self, _name: str) -> dict[str, Any]:
        return {"Processes": [["1", "python"]]}

    def diff(self, _name: str) -> None:
        raise APIError("no")


class Scripted:
    def __init__(self) -> None:
        self.api = ScriptedApi()


def test_a_containers_files_are_kept_unopened_with_their_hashes_while_it_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Any = Scripted()

    def sent(_engine: Any, volume: str, _labels: Any) -> Iterator[bytes]:
        engine.api.asked.append(volume)
        yield from (engine.api.tar[:100], engine.api.tar[100:])

    monkeypatch.setattr(keeping, "volume_tar", sent)
    kept = keep_container(engine, "aisci-x/../y", tmp_path / "kept")
    assert kept is not None
    assert engine.api.asked == ["pause", "aisci-volume", "unpause"]
    assert kept.folder == tmp_path / "kept" / "aisci-x_.._y"
    assert (kept.folder / "workspace.tar").read_bytes() == engine.api.tar
    manifest = json.loads((kept.folder / "kept.json").read_text())
    for file in manifest["files"]:
        data = (kept.folder / file["name"]).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (file["sha256"], file["bytes"])
    assert len(manifest["files"]) == 3
    assert "changes.json" in manifest["lacks"][0]
    assert not list(tmp_path.rglob("escape"))
    monkeypatch.setattr(keeping, "MOST_KEPT", 150)
    short = keep_container(engine, "other", tmp_path / "kept")
    assert short is not None
    assert (short.folder / "workspace.tar").stat().st_size == 150


@pytest.mark.engine
def test_what_a_real_job_wrote_is_kept_and_the_job_goes_on(tmp_path: Path) -> None:
    engine = connect()
    limits = load_policy("ci-cpu", shipped_root() / "policies").limits("experiment")
    job = Job(
        scope="kept",
        kind="experiment",
        argv=("sh", "-c", "echo found >trace.txt; sleep 6"),
        files=Tree(),
        limits=replace(limits, image="aisci-storage"),
        harvest=("trace.txt",),
    )
    resolve = partial(resolve_image, engine)
    with (
        SandboxPool(engine, f"kept-{os.getpid()}", resolve, policy="kept") as pool,
        ThreadPoolExecutor(1) as thread,
    ):
        result = thread.submit(DockerSandbox(pool, BlobStore(tmp_path / "blobs")).run, job)
        names: tuple[str, ...] = ()
        for _ in range(100):
            time.sleep(0.1)
            names = job_containers(engine, Owner.me())
            if names:
                break
        time.sleep(2)  # the gate has opened
        kept = keep_container(engine, names[0], tmp_path / "kept")
        assert kept is not None
        assert kept.lacks == ()
        with tarfile.open(kept.folder / "workspace.tar") as tar:
            (name,) = [one for one in tar.getnames() if one.endswith("trace.txt")]
            member = tar.extractfile(name)
            assert member is not None
            assert member.read() == b"found\n"
        assert json.loads((kept.folder / "processes.json").read_text())["Processes"]
        assert result.result(60).ok
