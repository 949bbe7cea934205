"""A detached run outlives its terminal; cancel stops the process that holds a run's lock, and no other."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.api.cancelling import cancel_run
from orchestrator.api.lock_holder import LockHolder, lock_holder, stop_holder
from orchestrator.core.errors import AisciError, UserError
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal
from tests.support.journal_rig import run_started
from tests.support.places import ROOT

pytestmark = pytest.mark.program

# Stands for `aisci run`: makes a run's folder, holds its lock and works until it is stopped.
WORK = """
import signal, sys, time
from pathlib import Path
from orchestrator.api.locking import only_writer, resumable
from orchestrator.core.errors import Interrupted
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal
from tests.support.journal_rig import run_started
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
try:
    with only_writer(folder), resumable(folder):
        Journal(folder / "journal.jsonl", BlobStore(folder / "blobs")).append(run_started())
        if sys.argv[2] == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("at work", flush=True)
        time.sleep(120)
except Interrupted as error:
    print(error.todo, flush=True)
    sys.exit(error.exit_code)
"""
ENV = os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results" / "quick" / "20260101_000000"


@pytest.fixture
def worker(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process at work on the run."""
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(folder), "0"],
        env=ENV, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        yield process
        process.kill()


def test_a_run_at_work_is_stopped_in_order_and_says_how_to_go_on(
    folder: Path, worker: subprocess.Popen[str]
) -> None:
    done = cancel_run("latest", folder.parent.parent)
    assert (done.folder, done.pid, done.state) == (folder, worker.pid, "unfinished")
    assert done.next == f"aisci resume {folder}"
    assert worker.wait(timeout=10) == 130
    assert worker.stdout is not None
    assert f"continue with: aisci resume {folder}" in worker.stdout.read()


def test_a_run_that_nobody_works_on_is_refused(folder: Path) -> None:
    Journal(folder / "journal.jsonl", BlobStore(folder / "blobs")).append(run_started())
    with pytest.raises(UserError, match="no process works on this run"):
        cancel_run(str(folder), folder.parent.parent)


def test_a_number_that_another_process_has_by_now_is_not_signalled(
    folder: Path, worker: subprocess.Popen[str]
) -> None:
    holder = lock_holder(folder)
    assert holder is not None
    assert holder.pid == worker.pid
    assert stop_holder(folder, LockHolder(worker.pid, holder.started - 1), 0.1)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        assert stop_holder(folder, LockHolder(other.pid, holder.started), 0.1)
        time.sleep(0.2)
        assert (worker.poll(), other.poll()) == (None, None)
        other.kill()


def test_a_process_that_does_not_end_in_time_is_named(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(folder), "deaf"],
        env=ENV, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        with pytest.raises(AisciError, match="did not end within") as slow:
            cancel_run(str(folder), folder.parent.parent, patience=0.3)
        assert f"process {process.pid}" in slow.value.where
        process.kill()


DETACH = f"""
import sys
from pathlib import Path
from orchestrator.console.detaching import start_detached
folder = Path(sys.argv[1])
words = [sys.argv[1], "--detach", "0"]
sys.exit(start_detached(words, folder.parent.parent, as_json=False,
                        program=(sys.executable, "-c", {WORK!r})))
"""


def test_a_detached_run_goes_on_when_its_terminal_is_closed(folder: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-c", DETACH, str(folder)], ENV)
    said = b""
    while b"stop:" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)  # the kernel tells everybody of its session
    os.waitpid(pid, 0)
    time.sleep(0.3)
    holder = lock_holder(folder)
    assert holder is not None
    assert f"started:  quick/{folder.name}, process {holder.pid}" in said.decode()
    log = folder.with_name(f"{folder.name}.log")
    assert f"log:      {log}" in said.decode().replace("\r", "")
    assert os.getsid(holder.pid) == holder.pid
    cancel_run(str(folder), folder.parent.parent)
    assert "continue with: aisci resume" in log.read_text()
    assert [one.name for one in folder.parent.parent.iterdir()] == ["quick"]


def test_a_resumed_run_is_detached_too_and_no_log_is_overwritten(folder: Path) -> None:
    (begun := Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"))).append(run_started())
    assert begun.events
    earlier = folder.with_name(f"{folder.name}.log")
    earlier.write_text("of the run's beginning")
    resume = DETACH.replace("as_json=False,", "as_json=False, resumed=folder,")
    done = subprocess.run(
        [sys.executable, "-c", resume, str(folder)],
        env=ENV, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    holder = lock_holder(folder)
    assert holder is not None
    assert f"started:  quick/{folder.name}, process {holder.pid}" in done.stdout
    cancel_run(str(folder), folder.parent.parent)
    assert earlier.read_text() == "of the run's beginning"
    assert "aisci resume" in folder.with_name(f"{folder.name}.2.log").read_text()


def test_a_resume_that_is_refused_is_told_at_once(folder: Path) -> None:
    Journal(folder / "journal.jsonl", BlobStore(folder / "blobs")).append(run_started())
    done = subprocess.run(
        [sys.executable, "-m", "cli", "resume", str(folder), "--parallel", "0", "--detach"],
        env=ENV, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert list(folder.parent.iterdir()) == [folder]


def test_a_request_that_is_wrong_is_told_at_once_with_its_exit_code(tmp_path: Path) -> None:
    for words, code in (
        (["run", "no-such-template", "--detach"], 2),
        (["run", "seir", "--scale", "smoke", "--policy", "ci-cpu", "--detach"], 1),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "cli", *words, "--results", str(tmp_path / "results")],
            env=ENV | {"DOCKER_HOST": "unix:///nowhere/docker.sock"},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "aisci: " in done.stderr
        assert not list((tmp_path / "results").rglob("*"))


def test_the_folder_that_one_stands_in_gives_the_detached_run_no_module(tmp_path: Path) -> None:
    (tmp_path / "cli.py").write_text("raise SystemExit(77)")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "run", "no-such-template", "--detach", "--json"],
        env=ENV, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "no-such-template" in done.stderr + json.dumps(done.stdout)
