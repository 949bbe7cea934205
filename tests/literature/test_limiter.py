"""Turns at a service: one limiter for all threads and processes of a machine, whatever its file says."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.core.literature import EngineAnswer, Query
from orchestrator.literature.engines.engine import Caller, SearchEngine
from orchestrator.literature.engines.limiter import LeftOut, Rate
from orchestrator.literature.engines.opening import SEARCHED
from orchestrator.literature.loopback.server import Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import NOW, QUICK, Waited, granted, limiter

ROOT = Path(__file__).parents[2]
KEY = "openalex-key-0123456789"


def search_at(address: str, engine: str, folder: Path, threads: int, searches: int) -> None:
    """What each of the processes does: as many threads, each with its own engine."""
    service = replace(SEARCHED[engine], rate=QUICK)
    answers: list[EngineAnswer] = []

    def search() -> None:
        caller = Caller(service, {}, server=address, limits=folder)
        for number in range(searches):
            until = caller.clock.now() + 30
            answers.append(
                SearchEngine(caller, service, None).search(Query(f"words {number}"), until)[1]
            )

    work = [threading.Thread(target=search) for _ in range(threads)]
    for one in work:
        one.start()
    for one in work:
        one.join()
    assert [one.state for one in answers] == ["answered"] * threads * searches


SCRIPT = """
import sys
from pathlib import Path
from tests.literature.test_limiter import search_at
search_at(sys.argv[1], sys.argv[2], Path(sys.argv[3]), 4, 2)
"""
HELD = """
import sys, time
from pathlib import Path
from tests.support.search_rig import QUICK
from orchestrator.literature.engines.limiter import Limiter
with Limiter("one", QUICK, folder=Path(sys.argv[1])).turn(time.time() + 30):
    print("held", flush=True)
    time.sleep(60)
"""


def started(script: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.program
@pytest.mark.parametrize("engine", ["semanticscholar", "arxiv"])
def test_two_processes_of_four_threads_ask_one_at_a_time_and_keep_the_interval(
    engine: str, tmp_path: Path
) -> None:
    with Loopback(corpus()) as served:
        address = served.address(engine)
        processes = [started(SCRIPT, address, engine, tmp_path) for _ in range(2)]
        for process in processes:
            process.communicate(timeout=60)
        assert [one.returncode for one in processes] == [0, 0]
        times = [one.at for one in served.requests]
        assert len(times) == 16
        assert {one.open for one in served.requests} == {1}
        assert min(b - a for a, b in pairwise(times)) >= QUICK.interval - 0.002


@pytest.mark.program
def test_a_process_that_is_killed_in_its_turn_leaves_nobody_waiting(tmp_path: Path) -> None:
    holder = started(HELD, tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waited = Waited()
    assert not granted(limiter(tmp_path, waited), waited.time + 5)
    assert waited.waited >= 5
    holder.kill()
    holder.communicate()
    later = Waited()
    assert granted(limiter(tmp_path, later), later.time + 5)
    assert later.waited < 1


def test_turns_that_may_overlap_begin_an_interval_apart(tmp_path: Path) -> None:
    waited, asked = Waited(NOW), []
    one = limiter(tmp_path, waited, rate=Rate(0.5))
    for _ in range(4):
        with one.turn(NOW + 60):
            asked.append(waited.time)
            with limiter(tmp_path, waited, rate=Rate(0.5)).turn(NOW + 60):
                asked.append(waited.time)
    assert [b - a for a, b in pairwise(asked)] == [0.5] * 7


def test_a_turn_beyond_the_deadline_is_not_waited_for(tmp_path: Path) -> None:
    waited = Waited(NOW)
    one = limiter(tmp_path, waited, rate=Rate(30.0, alone=True))
    assert granted(one, NOW)
    with pytest.raises(LeftOut, match="the turn comes in 30 s") as out, one.turn(NOW + 29):
        pass
    assert out.value.state == "slow"
    assert waited.waited == 0
    assert granted(one, NOW + 31)


def test_a_key_is_not_left_out_for_what_another_key_has_spent(tmp_path: Path) -> None:
    waited = Waited(NOW)
    first, second = (limiter(tmp_path, waited, key) for key in (KEY, ""))
    first.close("spent", 3600)
    assert not granted(first, NOW + 60, 0.001)
    assert granted(second, NOW + 60, 0.001)
    second.budget(0.5, 3600)  # what the second hears is not mixed with what the first heard
    assert granted(second, NOW + 60, 0.001)
    assert (first.usd_left, second.usd_left) == (None, 0.5)
    second.budget(0.0, 3600)
    assert not granted(second, NOW + 60, 0.001)
    assert granted(second, NOW + 60), "what is free may be asked"
    assert granted(first, NOW + 60, 0.001)


def test_no_key_is_in_the_files(tmp_path: Path) -> None:
    one = limiter(tmp_path, Waited(NOW), KEY)
    one.budget(0.0, 3600)
    assert granted(one, NOW + 60)
    texts = [path.read_text() for path in tmp_path.iterdir()]
    assert any(texts)
    assert not any(KEY in text or KEY[:8] in text for text in texts)


def test_a_limit_of_days_ends_after_one(tmp_path: Path) -> None:
    waited = Waited(NOW)
    one = limiter(tmp_path, waited)
    one.close("spent", 1e9)
    assert not granted(one, NOW + 60)
    waited.time += 27 * 3600
    assert granted(one, waited.time + 60)
