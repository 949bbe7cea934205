"""However an orchestrator ends, nothing of its run stays on the engine or in the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import ClassVar

import pytest

from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.engine.labels import Owner
from orchestrator.sandbox.engine.objects import make_volume
from orchestrator.sandbox.engine.reaper import reap
from orchestrator.sandbox.engine.sentinel import Sentinel
from orchestrator.sandbox.resources import RunResources, engine_socket
from tests.support.places import ROOT
from tests.support.sandbox_rig import nameless_loops, resources

pytestmark = pytest.mark.engine

# An orchestrator in the middle of a job, as a process of its own.
ORCHESTRATOR = """
import sys
from pathlib import Path
from orchestrator.sandbox.job import slot
from orchestrator.sandbox.engine.client import connect
from tests.contracts.sandbox import Scenario, job_of
from tests.support.sandbox_rig import DockerBench
bench = DockerBench(connect(), Path(sys.argv[1]), sys.argv[2])
bench.sandbox.pool.resources.sentinel.guard(Path(sys.argv[1]) / "temporary")
scenario = Scenario("import time; print('up', flush=True); time.sleep(600)")
wall = float(sys.argv[3])
slot._SLACK = min(slot._SLACK, wall)
with bench.sandbox.pool, bench.sandbox.open(job_of(bench, scenario, wall=wall)) as session:
    print(session.receive(60).decode(), flush=True)
    print(bench.sandbox.pool.resources.sentinel.pid, flush=True)
    session.wait()
    result = session.finish()
    print(result.verdict, result.exit_code, flush=True)
"""


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = connect()
    yield engine
    engine.close()


@contextmanager
def orchestrator(
    folder: Path, run_id: str, wall: float = 600.0
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Started, its job seen running; with the id of its sentinel."""
    (folder / "temporary").mkdir()
    (folder / "temporary" / "file").write_text("x")
    process = subprocess.Popen(
        [sys.executable, "-c", ORCHESTRATOR, str(folder), run_id, str(wall)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def gone(engine: Engine, run_id: str, within: float = 40.0) -> bool:
    """Whether the run's last resource goes away in time."""
    until = time.monotonic() + within
    while resources(engine, run_id) and time.monotonic() < until:
        time.sleep(0.2)
    return resources(engine, run_id) == ()


def ended(pid: int, within: float = 20.0) -> bool:
    """Whether a process that is no child of ours ends in time."""
    until = time.monotonic() + within
    while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < until:
        time.sleep(0.1)
    return not Path(f"/proc/{pid}/cmdline").exists()


def test_killed_outright_in_the_middle_of_a_job_it_leaves_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    run_id = f"killed-{tmp_path}"
    loops_before = set(nameless_loops())
    with orchestrator(tmp_path, run_id) as (process, sentinel):
        held = resources(engine, run_id)
        assert any(name.endswith("-job") for name in held)
        ours = set(nameless_loops()) - loops_before
        process.kill()
        process.wait()
        assert gone(engine, run_id)
        assert ended(sentinel)
    until = time.monotonic() + 20  # other tests' devices come and go; ours must
    while ours & set(nameless_loops()) and time.monotonic() < until:
        time.sleep(0.2)
    assert not ours & set(nameless_loops())
    assert not (tmp_path / "temporary").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal_to_its_whole_group_it_leaves_nothing(
    engine: Engine, tmp_path: Path, number: signal.Signals
) -> None:
    run_id = f"signal-{tmp_path}"
    with orchestrator(tmp_path, run_id) as (process, sentinel):
        os.killpg(process.pid, number)
        _, words = process.communicate(timeout=60)
        assert gone(engine, run_id)
        assert ended(sentinel)
    if number is signal.SIGINT:
        assert "orchestrator.core.errors.Interrupted" in words


def test_while_its_orchestrator_is_stopped_it_holds_the_jobs_time(
    engine: Engine, tmp_path: Path
) -> None:
    """SIGSTOP: no pipe closes, no watch looks. The job dies all the same, and its end is told."""
    run_id = f"stopped-{tmp_path}"

    def jobs() -> list[str]:
        filters = {"label": [f"aisci.run={run_id}", "aisci.kind=experiment"]}
        return [item["State"] for item in engine.api.containers(all=True, filters=filters)]

    with orchestrator(tmp_path, run_id, wall=4.0) as (process, _):
        os.kill(process.pid, signal.SIGSTOP)
        assert jobs() == ["running"]
        until = time.monotonic() + 60
        while jobs() == ["running"] and time.monotonic() < until:
            time.sleep(0.2)
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        assert (jobs(), state) == (["exited"], "T")
        os.kill(process.pid, signal.SIGCONT)
        said, _ = process.communicate(timeout=60)
        assert said == "timed out 137\n"
    assert resources(engine, run_id) == ()


def test_a_sentinel_that_somebody_killed_is_replaced_at_the_next_need(engine: Engine) -> None:
    guard = Sentinel(engine_socket(engine), "replaced", str(Owner.me()))
    first = guard.pid
    os.kill(first, signal.SIGKILL)
    guard._process.wait()
    guard.ensure()
    assert guard.pid != first
    guard.close()


class Recovering(BaseHTTPRequestHandler):
    """An engine that is just coming up: three times it cannot answer, then nothing is left."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        ready = len(self.asked) > 3
        body = b"[]" if self.path.startswith("/containers") else b'{"Volumes": null}'
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_engine_that_cannot_answer_just_now_is_asked_again(tmp_path: Path) -> None:
    with UnixStreamServer(str(tmp_path / "engine"), Recovering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sentinel = Sentinel(str(tmp_path / "engine"), "a-run", str(Owner.me()))
        sentinel.close()
        server.shutdown()
    assert len(Recovering.asked) == 5
    assert Recovering.asked[-1].startswith("/volumes")


def test_a_sentinel_touches_only_its_own_run_and_nothing_of_those_who_resumed_it(
    engine: Engine,
) -> None:
    """A run may be resumed while the sentinel of its killed process still clears up."""
    me = Owner.me()
    dead = Owner(me.boot, 2**22 - 1, 1)
    for run, owner in (("other-run", me), ("this-run", me), ("this-run", dead)):
        name = f"aisci-test-{run}-{owner.pid}"
        make_volume(engine, name, RunResources(engine, run, str, owner=owner).labels("", ""))
    try:
        Sentinel(engine_socket(engine), "this-run", str(dead)).close()
        assert resources(engine, "this-run") == (f"aisci-test-this-run-{me.pid}",)
        assert resources(engine, "other-run") == (f"aisci-test-other-run-{me.pid}",)
    finally:
        for name in (*resources(engine, "this-run"), *resources(engine, "other-run")):
            engine.api.remove_volume(name)


def test_reap_removes_what_dead_owners_left_and_nothing_of_the_living(engine: Engine) -> None:
    me = Owner.me()
    dead = Owner(me.boot, 2**22 - 1, 1)
    other_boot = Owner("00000000-0000-0000-0000-000000000000@1", me.pid, me.start)
    reused_pid = Owner(me.boot, me.pid, me.start + 1)
    for name, owner in {"a": dead, "b": other_boot, "c": reused_pid, "d": me}.items():
        run = RunResources(engine, "reaped-run", str, owner=owner)
        given = run.labels(f"job-{name}", "volume")
        make_volume(engine, f"aisci-test-{name}", given)
    try:
        would = reap(engine, "reaped-run", dry_run=True)
        assert [item.name for item in would] == ["aisci-test-a", "aisci-test-b", "aisci-test-c"]
        assert len(resources(engine, "reaped-run")) == 4
        assert reap(engine, "reaped-run") == would
        assert resources(engine, "reaped-run") == ("aisci-test-d",)
        assert (would[0].what, would[0].run, would[0].job) == ("volume", "reaped-run", "job-a")
    finally:
        for name in resources(engine, "reaped-run"):
            engine.api.remove_volume(name)


def test_reap_clears_up_after_a_run_whose_sentinel_died_too(engine: Engine, tmp_path: Path) -> None:
    run_id = f"both-{tmp_path}"
    with orchestrator(tmp_path, run_id) as (process, sentinel):
        os.kill(sentinel, signal.SIGKILL)
        process.kill()
        process.wait()
        assert {item.what for item in reap(engine, run_id)} == {"container", "volume"}
        assert resources(engine, run_id) == ()


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "boot:1", "boot:-1:2", "boot:1:2:3"])
def test_a_label_that_names_no_owner_is_nobodys_leftover(text: str) -> None:
    assert Owner.parse(text) is None


def test_an_owner_is_known_by_its_label() -> None:
    me = Owner.me()
    assert Owner.parse(str(me)) == me
    assert me.alive
    assert not Owner(me.boot, me.pid, me.start - 1).alive


def test_an_owner_in_another_container_is_left_alone() -> None:
    """Its number means another process here, or none."""
    me = Owner.me()
    boot, _, space = me.boot.partition("@")
    assert space.isdecimal()
    assert Owner(f"{boot}@{int(space) + 1}", 2**22 - 1, 1).alive
    assert not Owner(boot, 2**22 - 1, 1).alive


LOOKS = """
import os, sys
from orchestrator.sandbox.engine.labels import Owner, process_start
me = Owner.me()
first = Owner(me.boot, 1, process_start(1))
os.setgroups([]), os.setgid(12345), os.setuid(12345)
print(os.path.exists("/proc/1"), first.alive, Owner(me.boot, 4000000, 1).alive)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide processes from another user")
def test_an_owner_that_is_hidden_from_this_user_is_left_alone() -> None:
    script = 'mount -t proc -o hidepid=2 proc /proc; "$0" -c "$1"; exit $?'
    argv = ["unshare", "--pid", "--fork", "--mount", "sh", "-c", script, sys.executable, LOOKS]
    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "False True False\n"


class Idle(Recovering):
    """An engine on which nothing is left."""

    asked: ClassVar[list[str]] = ["before"] * 3


def test_a_folder_whose_path_has_a_lines_end_is_removed_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a\nb").mkdir()
    (tmp_path / "a").mkdir()
    with UnixStreamServer(str(tmp_path / "engine"), Idle) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sentinel = Sentinel(str(tmp_path / "engine"), "a-run", str(Owner.me()))
        sentinel.guard(tmp_path / "a\nb")
        sentinel.close()
        server.shutdown()
    assert not (tmp_path / "a\nb").exists()
    assert (tmp_path / "a").is_dir()


REMOVES = """
import sys
from pathlib import Path
from orchestrator.sandbox.engine.sentinel import _remove
Path(sys.argv[1], "in", "kept").write_text("x")
_remove(sys.argv[1])
print(Path(sys.argv[1], "in", "kept").exists())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_folder_with_a_mount_in_it_stays_however_it_is_written(tmp_path: Path) -> None:
    """``mountinfo`` writes a blank in octal."""
    (tmp_path / "a b" / "in").mkdir(parents=True)
    script = 'mount -t tmpfs none "$1/in" && "$0" -c "$2" "$1"'
    argv = ["unshare", "--mount", "sh", "-c", script, sys.executable]
    said = subprocess.run(
        [*argv, str(tmp_path / "a b"), REMOVES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "True\n"
