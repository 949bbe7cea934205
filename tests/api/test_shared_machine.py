"""A second account of the machine tries to read, block, spoof and outlive a first one's run.

Both are real accounts to the kernel, by numbers that nobody else has here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.reproduce import replay
from tests.support.accounts import run_as, start_as

pytestmark = [
    pytest.mark.program,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account"),
]
FIRST, SECOND = 54321, 54322


@dataclass(frozen=True)
class Machine:
    """Two accounts with a home each; the first one's run, and a copy that root may read."""

    place: Path
    run: Path
    warm: Path

    def home(self, uid: int) -> Path:
        return self.place / f"home-{uid}"

    def says(self, uid: int, code: str, *args: object, umask: str = "022") -> Any:
        """What the code prints, as JSON."""
        done = run_as(uid, code, self.home(uid), self.warm, *args, umask=umask)
        return json.loads(done.splitlines()[-1])

    def starts(self, uid: int, code: str, *args: object) -> subprocess.Popen[str]:
        """The code, running, once it has said ``ready``."""
        process = start_as(uid, code, self.home(uid), self.warm, *args)
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == "ready\n", said
        return process


@pytest.fixture(scope="module")
def made(quick_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = Path(shutil.copytree(quick_run, tmp_path_factory.mktemp("made") / "run"))
    replay(str(run), into=run.parent / "files")
    shutil.copytree(run.parent / "files", run, dirs_exist_ok=True)
    return run


@pytest.fixture
def machine(made: Path) -> Iterator[Machine]:
    """Outside of pytest's folder, which no other account enters."""
    place = Path(tempfile.mkdtemp(prefix="aisci-test-machine-"))
    try:
        place.chmod(0o755)
        run = place / f"home-{FIRST}" / "results" / "quick" / "20260101_000000"
        shutil.copytree(made, run)
        warm = Path(shutil.copytree(made, place / "warm"))
        for uid in (FIRST, SECOND):
            home = place / f"home-{uid}"
            home.mkdir(exist_ok=True)
            for path in (home, *home.rglob("*")):
                os.chown(path, uid, uid)
                path.chmod(0o755 if path.is_dir() else 0o644)
        yield Machine(place, run, warm)
    finally:
        shutil.rmtree(place)


def ended(process: subprocess.Popen[str]) -> int:
    process.kill()
    process.communicate()
    return process.returncode


LOOK = """
seen, refused = 0, 0
for path in sys.argv[4:]:
    try:
        open(path, "rb").read(1) if not os.path.isdir(path) else os.listdir(path)
        seen += 1
    except PermissionError:
        refused += 1
print(json.dumps([seen, refused]))
"""
MAKE = """
from datetime import UTC, datetime
from pathlib import Path
from orchestrator.core.files import write
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import append_line
from orchestrator.record.paths import RunPaths
from orchestrator.sandbox.machine_locks import MachineLocks
paths = RunPaths.fresh(Path(sys.argv[4]), "toy", datetime.now(UTC))
BlobStore(paths.blobs).put(b"a prompt")
append_line(paths.journal, b"{}")
write(paths.report, "a page")
locks = MachineLocks()
locks.take("gpu-0"); locks.mark("memory-", 7)
made = [str(one) for one in (paths.folder, *paths.folder.rglob("*"))]
print(json.dumps([made, [str(one) for one in Path.home().rglob("*") if "locks" in one.parts]]))
"""


def test_with_a_umask_of_077_the_second_account_reads_nothing_of_a_run(machine: Machine) -> None:
    made, _ = machine.says(FIRST, MAKE, machine.home(FIRST) / "private", umask="077")
    assert len(made) >= 5
    assert machine.says(SECOND, LOOK, *made) == [0, len(made)]
    assert machine.says(FIRST, LOOK, *made) == [len(made), 0]


def test_with_the_usual_umask_the_second_account_reads_a_run_and_never_its_locks(
    machine: Machine,
) -> None:
    """docs/security.md says so, and what to do."""
    made, locks = machine.says(FIRST, MAKE, machine.home(FIRST) / "open", umask="022")
    assert machine.says(SECOND, LOOK, *made) == [len(made), 0]
    assert len(locks) >= 2
    assert machine.says(SECOND, LOOK, *locks) == [0, len(locks)]


def state(folder: Path) -> dict[str, tuple[int, int]]:
    found = (folder, *folder.rglob("*"))
    return {str(one): (one.stat().st_mtime_ns, one.stat().st_uid) for one in found}


CHANGE = """
run, results = sys.argv[4:6]
codes = [
    aisci("resume", run)[0],
    aisci("rm", run, "--yes", "--results", results)[0],
    aisci("prune", "--older-than", "0s", "--yes", "--results", results)[0],
    aisci("report", run)[0],
]
def refused(act):
    try:
        act()
    except PermissionError:
        return True
    return False
acts = [
    lambda: open(run + "/journal.jsonl", "ab"),
    lambda: open(run + "/new", "wb"),
    lambda: os.unlink(run + "/journal.jsonl"),
    lambda: os.rename(run, run + "x"),
    lambda: os.symlink("/etc/passwd", run + "/signature.json"),
    lambda: os.mkdir(results + "/quick/20270101_000000"),
]
print(json.dumps([codes, [refused(act) for act in acts]]))
"""


def test_the_second_account_changes_nothing_of_a_run_that_it_reads(machine: Machine) -> None:
    before = state(machine.run)
    codes, refused = machine.says(SECOND, CHANGE, machine.run, machine.run.parent.parent)
    assert 0 not in codes[:2]
    assert codes[3] != 0
    assert all(refused)
    assert state(machine.run) == before


HOLD_LOCK = """
import fcntl, time
handle = os.open(sys.argv[4], os.O_RDONLY)
fcntl.flock(handle, fcntl.LOCK_EX)
print("ready", flush=True)
time.sleep(60)
"""
WRITE = """
from pathlib import Path
from orchestrator.api.locking import only_writer
from orchestrator.core.errors import UserError
try:
    with only_writer(Path(sys.argv[4])):
        print(json.dumps(["wrote", "", ""]))
except UserError as error:
    print(json.dumps([error.what, error.why, error.todo]))
"""


def test_a_lock_of_the_second_account_is_named_can_be_shut_out_and_ends_with_it(
    machine: Machine,
) -> None:
    """Whoever may read a folder may lock it: the owner is told who does, and how to end that."""
    blocker = machine.starts(SECOND, HOLD_LOCK, machine.run)
    try:
        what, why, todo = machine.says(FIRST, WRITE, machine.run)
        assert what == "another process is working on this run"
        assert f"process {blocker.pid} of uid {SECOND}" in why
        assert "chmod -R go-rwx" in todo
    finally:
        ended(blocker)
    assert machine.says(FIRST, WRITE, machine.run)[0] == "wrote"
    machine.run.chmod(0o700)
    shut = start_as(SECOND, HOLD_LOCK, machine.home(SECOND), machine.warm, machine.run)
    assert shut.wait(60) != 0
    shut.communicate()
    assert machine.says(FIRST, WRITE, machine.run)[0] == "wrote"


WORK = """
import signal, time
from pathlib import Path
from orchestrator.api.locking import obeyed, only_writer
with only_writer(Path(sys.argv[4])):
    print("ready", flush=True)
    try:
        with obeyed():
            time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(7)
"""
STOP = """
from orchestrator.api.stopping import runs_at_work, stop_runs
seen = [str(one.folder) for one in runs_at_work()]
stopped = [str(one.folder) for one in stop_runs(patience=5).runs]
print(json.dumps([seen, stopped, aisci("cancel", sys.argv[4])]))
"""


def test_the_second_account_stops_its_own_runs_and_not_the_first_ones(machine: Machine) -> None:
    own = Path(shutil.copytree(machine.warm, machine.home(SECOND) / "results" / "q" / "one"))
    for path in (own.parent.parent, own.parent, own, *own.rglob("*")):
        os.chown(path, SECOND, SECOND)
    first, second = machine.starts(FIRST, WORK, machine.run), machine.starts(SECOND, WORK, own)
    try:
        seen, stopped, (code, said) = machine.says(SECOND, STOP, machine.run)
        assert seen == stopped == [str(own)]
        assert second.wait(10) == 7
        assert code != 0
        assert "account" in said
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        assert first.wait(10) == 7
    finally:
        ended(first)
        ended(second)


HELD = """
from pathlib import Path
from orchestrator.api.holding import hold_path, require_no_hold, set_hold
from orchestrator.core import machine_folder
from orchestrator.core.errors import AisciError
from orchestrator.core.machine_folder import MachineFolder
machine_folder.MACHINE = MachineFolder(Path(sys.argv[4]), owner=0)
def said(act):
    try:
        act()
    except (AisciError, OSError) as error:
        return type(error).__name__
    return ""
if sys.argv[5] == "set":
    set_hold("mine", everybody=False)
print(json.dumps([said(require_no_hold), said(lambda: set_hold("all", everybody=True)),
                  said(lambda: Path(sys.argv[4], "deny.yaml").write_text("x"))]))
"""


def test_an_account_holds_itself_and_neither_another_one_nor_the_machine(machine: Machine) -> None:
    etc = machine.place / "etc"
    etc.mkdir()
    assert machine.says(SECOND, HELD, etc, "set") == ["UserError", "UserError", "PermissionError"]
    assert machine.says(FIRST, HELD, etc, "look")[0] == ""
    os.chown(etc, SECOND, SECOND)  # a folder that root does not own is never relied on
    assert machine.says(FIRST, HELD, etc, "look")[0] == "BadFile"


SOCKET = """
import tempfile, time
from pathlib import Path
from types import SimpleNamespace
from orchestrator.sandbox.network.connection import listen_unix
from orchestrator.sandbox.resources import RunResources
class Guarded(RunResources):
    sentinel = SimpleNamespace(guard=lambda folder: None)
tempfile.tempdir = sys.argv[4]
made = Guarded.__new__(Guarded)
import threading
made._lock, made._sockets = threading.Lock(), None
path = made.socket_path()
listener = listen_unix(path)
Path(sys.argv[4], "name").write_text(str(path))
print("ready", flush=True)
time.sleep(60)
"""
CONNECT = """
import socket
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[4])
    print(json.dumps("connected"))
except OSError as error:
    print(json.dumps(type(error).__name__))
"""


def test_the_second_account_cannot_use_the_socket_of_a_first_ones_allow_list(
    machine: Machine,
) -> None:
    """Its name is no secret: the kernel shows it to everyone. Its folder keeps others out."""
    owner = machine.starts(FIRST, SOCKET, machine.home(FIRST))
    try:
        path = (machine.home(FIRST) / "name").read_text()
        assert machine.says(FIRST, CONNECT, path) == "connected"
        assert machine.says(SECOND, CONNECT, path) == "PermissionError"
    finally:
        ended(owner)
