"""Turns at a service: one limiter for all threads and processes of a machine, whatever its file says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import DiskFull
from orchestrator.core.literature import EngineAnswer, Query
from orchestrator.literature import limiter as code
from orchestrator.literature.engine import Caller, Engine
from orchestrator.literature.engines import SEARCHED
from orchestrator.literature.limiter import LeftOut, Limiter, Rate
from orchestrator.literature.loopback import FAULTS, Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import Waited, ask, opened

ROOT = Path(__file__).parents[2]
QUICK = Rate(0.1, alone=True)
NOW = 1_800_000_000.0
KEY = "openalex-key-0123456789"


def limiter(folder: Path, waited: Waited, key: str = "", rate: Rate = QUICK) -> Limiter:
    return Limiter("one", rate, key=key, folder=folder, clock=waited.clock)


def granted(one: Limiter, until: float, usd: float = 0.0) -> bool:
    with suppress(LeftOut), one.turn(until, usd):
        return True
    return False


def search_at(address: str, engine: str, folder: Path, threads: int, searches: int) -> None:
    """What each of the processes does: as many threads, each with its own engine."""
    service = replace(SEARCHED[engine], rate=QUICK)
    answers: list[EngineAnswer] = []

    def search() -> None:
        caller = Caller(service, {}, server=address, limits=folder)
        for number in range(searches):
            until = caller.clock.now() + 30
            answers.append(Engine(caller, service, None).search(Query(f"words {number}"), until)[1])

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
from tests.literature.test_limiter import QUICK
from orchestrator.literature.limiter import Limiter
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


GOOD: dict[str, Any] = {
    "at": NOW, "next": NOW, "closed_until": 0.0, "closed_as": "busy", "usd_left": None, "resets": 0.0,
    "salt": "", "key": "",
}  # fmt: skip
NUMBERS = ["text", None, [], {}, True, float("nan"), float("inf"), -float("inf"), 10**400, 1e308, -1e308]
HOSTILE = [
    *(GOOD | {name: value} for name in ("at", "next", "closed_until", "resets") for value in NUMBERS),
    *(GOOD | {"usd_left": value, "resets": NOW + 9} for value in NUMBERS),
    *(GOOD | {"closed_as": value, "closed_until": NOW + 9} for value in ("answered", "x", 5, None, [])),
    *(GOOD | {name: value} for name in ("salt", "key") for value in (None, 5, ["a"], "\x00" * 9)),
    GOOD | {"next": NOW + 25 * 3600}, GOOD | {"next": NOW + 700}, GOOD | {"at": NOW + 3600},
    GOOD | {"closed_until": NOW + 1e9}, GOOD | {"usd_left": 0, "resets": NOW + 1e9}, {}, [], None, 7, "x",
]  # fmt: skip


@pytest.mark.parametrize("state", HOSTILE, ids=lambda state: json.dumps(state)[:120])
def test_a_file_that_says_nonsense_neither_fails_nor_keeps_anybody_waiting(
    state: Any, tmp_path: Path
) -> None:
    (tmp_path / "one.json").write_text(json.dumps(state))
    waited = Waited(NOW)
    one = limiter(tmp_path, waited)
    assert granted(one, NOW + 60, 0.001)
    assert waited.waited < 1
    one.budget(0.5, 100)
    assert one.usd_left == 0.5


@pytest.mark.parametrize("body", [b"", b"\xff\xff", b"[" * 50_000, b"{" * 9, b"9" * 5000, b" " * 2**20])
def test_a_file_that_is_no_json_says_nothing(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(body)
    waited = Waited(NOW)
    assert granted(limiter(tmp_path, waited), NOW + 60)
    assert json.loads((tmp_path / "one.json").read_bytes())["next"] > NOW


def test_a_pipe_or_a_link_in_the_files_place_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "one.json")
    waited = Waited(NOW)
    assert granted(limiter(tmp_path, waited), NOW + 60)
    (tmp_path / "one.json").unlink(missing_ok=True)
    (tmp_path / "one.json").symlink_to("/dev/zero")
    assert granted(limiter(tmp_path, waited), NOW + 60)


def test_a_clock_that_was_set_back_keeps_nobody_waiting(tmp_path: Path) -> None:
    waited = Waited(NOW)
    one = limiter(tmp_path, waited)
    one.close("busy", 300)
    assert not granted(one, NOW + 60)
    waited.time -= 3600
    assert granted(one, waited.time + 60)
    assert waited.waited < 1


@pytest.mark.parametrize("place", ["folder", "lock", "file"])
def test_a_folder_that_cannot_be_written_leaves_the_engine_out_and_says_so(
    place: str, tmp_path: Path
) -> None:
    limits = tmp_path / "limits"
    if place == "folder":
        limits.write_text("a file")
    elif place == "lock":
        (limits / "openalex.lock").mkdir(parents=True)
    else:
        (limits / "openalex.json" / "full").mkdir(parents=True)
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, "openalex", "arxiv")
        if place != "folder":
            assert len(sources.search(Query("grokking")).papers) > 0
        rows = {one.engine: one for one in sources.search(Query("grokking")).engines}
        assert rows["openalex"].state == "refused"
        assert "the file of its limit cannot be written" in rows["openalex"].why


def test_a_full_disk_leaves_the_engine_out_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DiskFull("the disk is full", why="No space left on device")

    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, "openalex")
        monkeypatch.setattr(code, "write", full)
        answer = ask(sources)
        assert answer.state == "refused"
        assert "No space left" in answer.why


def test_an_answer_that_came_is_used_though_its_cost_cannot_be_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Limiter, "_update", full)
    with Loopback(corpus(), {"openalex": [FAULTS["openalex"]["too fast"]] * 3}) as served:
        sources = opened(served, tmp_path, "openalex")
        assert ask(sources).state == "busy"
        assert ask(sources).state == "answered"


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
