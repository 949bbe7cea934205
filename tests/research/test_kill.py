"""SIGKILL: real processes, real containers, a real model server with a log of its own."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from orchestrator.record.chain import read_lines
from orchestrator.record.events import Answered, Asked, CallFailed, Event
from orchestrator.research.loopback.author import from_model, loopback_author
from orchestrator.research.loopback.server import ModelServer
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.job.monitor import Monitor
from tests.support import run_rig as rig
from tests.support.bench import record
from tests.support.places import ROOT
from tests.support.sample import FULL
from tests.support.sandbox_rig import nameless_loops, resources

pytestmark = [pytest.mark.engine, pytest.mark.serial]

SAMPLE = 1  # kills in `make test`; the campaign tries every line
MID_JOB = 0.7  # seconds after a job was asked for: its container is being made, or runs


@contextmanager
def served(log: Path) -> Iterator[tuple[ModelServer, dict[str, str]]]:
    """A model server that also marks, and the environment that leads to it.

    In the campaign papers are improved too; tests/research/test_improved_runs.py stops such runs at
    any line, on scripted edges.
    """
    environ = {
        "AISCI_TEST_MODEL": "openai/scripted",
        "OPENAI_API_KEY": "sk-" + "t" * 24,
    }
    environ |= {"AISCI_TEST_IMPROVE": "1"} if FULL else {}
    with ModelServer(from_model(loopback_author()), log).running() as server:
        yield server, environ | {"OPENAI_API_BASE": server.url}


def journals(folder: Path) -> list[Event]:
    paths = [folder / "journal.jsonl", *sorted(folder.glob("*/journal.jsonl"))]
    return [line for path in paths if path.exists() for line, _ in read_lines(path)]


def products(folder: Path) -> dict[str, bytes]:
    """The final results: what is neither a record nor made from measured times."""
    names = ["experiment.py", "plot.py", "run_*.py", "notes.txt", "latex/template.tex"]
    names += ["run_*/final_info.json", "review.txt", "*.png", "*_before_1.pdf"]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in names
        for path in sorted(folder.glob(f"*/{name}"))
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, Counter[str]]:
    """A run that nobody killed: its folder, its journal lines, the server's requests."""
    base = tmp_path_factory.mktemp("reference")
    with served(base / "requests.jsonl") as (server, environ):
        done = rig.start_process(base / "run", environ=environ)
        assert done.stdout.startswith("finished"), done.stdout + done.stderr
        keys = asked(server)
    return base / "run", len(journals(base / "run")), keys


def asked(server: ModelServer) -> Counter[str]:
    """The server's requests, whatever time and memory they say that a container took."""
    measured = re.compile(r'(seconds|memory_mib)\\": [\d.]+')
    return Counter(
        measured.sub(r"\1", json.dumps(request["body"])) for request in server.requests()
    )


def nothing_left(folder: Path, *, alone: bool = True) -> None:
    """No container, volume, helper process or temporary file of this run.

    No loop device either, which has no name to tell whose it is: for who is alone on the machine.
    """
    engine = connect()
    try:
        assert resources(engine, rig.run_id(folder)) == ()
    finally:
        engine.close()
    until = time.monotonic() + 20
    while alone and nameless_loops() and time.monotonic() < until:
        time.sleep(0.5)  # the kernel lets go of a device a moment after its last user
    assert not alone or nameless_loops() == ()
    assert list(folder.rglob(".new-*")) == []
    named = rig.run_id(folder).encode()
    assert [path for path in Path("/proc").glob("[0-9]*/cmdline") if named in said(path)] == []


def said(path: Path) -> bytes:
    """A process's command line; empty where it ended meanwhile."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def killed_and_resumed(
    base: Path, at: int, delay: float, reference: tuple[Path, int, Counter[str]]
) -> None:
    """Kill at journal length ``at``, resume, and hold the end against the reference."""
    folder, whole = base / "run", reference[0]
    with served(base / "requests.jsonl") as (server, environ):
        killed = rig.start_process(folder, at, delay, environ=environ)
        assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
        answered = sum(isinstance(event, Answered | CallFailed) for event in journals(folder))
        resumed = rig.start_process(folder, environ=environ)
        assert resumed.stdout.startswith("finished"), resumed.stdout + resumed.stderr
        keys = asked(server)
    assert answered > 0 or at < 4
    again = keys - reference[2]
    assert sum(again.values()) <= 1, "at most the call in flight may be asked again"
    jobs = Counter(
        (event.port, event.scope)
        for event in journals(folder)
        if isinstance(event, Answered | CallFailed) and event.port in {"sandbox", "editor"}
    )
    assert set(jobs.values()) == {1}, "no finished job or edit is done again"
    assert products(folder) == products(whole)
    nothing_left(folder)


def test_killed_at_sampled_journal_lengths_a_run_resumes_to_the_same_end(
    tmp_path: Path, reference: tuple[Path, int, Counter[str]], sample: random.Random
) -> None:
    for at in sorted(sample.sample(range(2, reference[1]), SAMPLE)):
        killed_and_resumed(tmp_path / f"at_{at}", at, 0.0, reference)


def test_killed_in_the_middle_of_a_job_a_run_resumes_to_the_same_end(
    tmp_path: Path, reference: tuple[Path, int, Counter[str]], sample: random.Random
) -> None:
    asked = [
        number
        for number, event in enumerate(journals(reference[0]), start=1)
        if isinstance(event, Asked) and event.port in {"sandbox", "editor"}
    ]
    at = sample.choice(asked)
    killed_and_resumed(tmp_path / f"mid_{at}", at, MID_JOB, reference)


@pytest.mark.campaign
def test_killed_at_every_journal_length_a_run_ends_as_if_it_had_not_been(
    tmp_path: Path, reference: tuple[Path, int, Counter[str]]
) -> None:
    """One run, killed each time that a line of a new kind or call is on the disk.

    A process gets one line further than the one before it: the call that was in flight is
    asked again, and the kill comes when its answer is written, and so on to the end.
    """
    folder, kills = tmp_path / "run", 0
    with served(tmp_path / "requests.jsonl") as (server, environ):
        while (done := rig.start_process(folder, rig.EVERY, environ=environ)).returncode:
            assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
            kills += 1
            assert kills < 2 * reference[1], "the run does not get on"
        assert done.stdout.startswith("finished"), done.stdout + done.stderr
        asked = Counter(request["key"] for request in server.requests())
    assert kills >= reference[1] - 2
    assert all(asked[key] <= 2 * count for key, count in reference[2].items())
    assert asked.keys() == reference[2].keys()
    answered = Counter(
        event.key for event in journals(folder) if isinstance(event, Answered | CallFailed)
    )
    assert set(answered.values()) == {1}, "no finished call is made again"
    assert products(folder) == products(reference[0])
    nothing_left(folder)
    record("kills", {"journal_lines": reference[1], "kills": kills, "left_behind": 0})


KILLS = 4  # of ideas in flight, at random moments


@pytest.mark.campaign
def test_ideas_in_flight_killed_at_random_moments_end_as_one_after_another(
    tmp_path: Path, sample: random.Random
) -> None:
    """Four ideas at once, real containers; each kill is followed by a resume that is killed as well."""
    whole = in_flight(tmp_path / "whole", 1)
    assert whole.returncode == 0, whole.stderr
    (one,) = (tmp_path / "whole").glob("quick/*")
    for number in range(KILLS):
        results = tmp_path / f"killed_{number}"
        for _ in range(2):
            in_flight(results, 4, kill_after=sample.uniform(3.0, 15.0))
        done = in_flight(results, 4)
        assert done.returncode == 0, done.stdout + done.stderr
        (folder,) = results.glob("quick/*")
        assert products(folder) == products(one), number
        answered = Counter(
            (path, line.key)
            for path in folder.glob("**/journal.jsonl")
            for line, _ in read_lines(path)
            if isinstance(line, Answered | CallFailed)
        )
        assert set(answered.values()) == {1}, "no finished call is made again"
        engine = connect()
        try:
            assert resources(engine, f"{folder.parent.name}-{folder.name}") == ()
        finally:
            engine.close()


def in_flight(
    results: Path, parallel: int, *, kill_after: float = 0.0
) -> subprocess.CompletedProcess[str]:
    """Four ideas of the quick template, begun or resumed; killed after so many seconds, if any."""
    begun = list(results.glob("quick/*/journal.jsonl"))
    words = (
        ["resume", "latest"] if begun else ["run", rig.QUICK, "--scale", "smoke", "--ideas", "4"]
    )
    words += [] if begun else ["--policy", rig.POLICY]
    command = [sys.executable, "-m", "cli", *words, "--parallel", str(parallel)]
    process = subprocess.Popen(
        [*command, "--results", str(results)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if kill_after:
        with suppress(subprocess.TimeoutExpired):
            process.wait(kill_after)
        process.kill()
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


@pytest.mark.parametrize(
    ("stop", "later"),
    [(signal.SIGINT, 0.0), (signal.SIGINT, 1.5), (signal.SIGTERM, 0.0), (signal.SIGHUP, 0.0)],
    ids=["Ctrl-C as a job begins", "Ctrl-C while it runs", "terminated", "terminal closed"],
)
def test_a_stop_ends_a_run_in_order_says_how_to_go_on_and_leaves_nothing(
    tmp_path: Path, stop: signal.Signals, later: float
) -> None:
    command = [sys.executable, "-m", "cli", "run", rig.QUICK, "--scale", "smoke"]
    command += ["--policy", rig.POLICY, "--results", str(tmp_path), "--json"]
    running = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stderr is not None
    for row in running.stdout:
        event = json.loads(row).get("event", {})
        if event.get("kind") == "asked" and event.get("port") == "sandbox":
            break
    time.sleep(later)
    running.send_signal(stop)
    rest, stderr = running.communicate(timeout=120)
    assert running.returncode == 130
    folder = next(tmp_path.glob("quick/*"))
    assert f"aisci resume {folder}" in rest + stderr
    assert "Traceback" not in rest + stderr
    engine = connect()
    try:
        assert resources(engine, f"{folder.parent.name}-{folder.name}") == ()
    finally:
        engine.close()


def test_a_watch_whose_wait_was_interrupted_is_not_taken_for_over() -> None:
    end = threading.Event()
    watch = Monitor.__new__(Monitor)  # its waiting alone: no container
    watch._done, watch._thread = threading.Event(), threading.Thread(target=end.wait)
    watch._thread.start()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        watch.join(5)
    assert not watch.join(0)
    end.set()
