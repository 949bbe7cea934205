"""The file of a limiter may say anything, or be out of reach: no search fails or waits for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import DiskFull
from orchestrator.core.literature import Query
from orchestrator.literature.engines import limiter as code
from orchestrator.literature.engines.limiter import Limiter
from orchestrator.literature.loopback.server import FAULTS, Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import NOW, Waited, ask, granted, limiter, opened

GOOD: dict[str, Any] = {
    "at": NOW, "next": NOW, "closed_until": 0.0, "closed_as": "busy", "usd_left": None, "resets": 0.0,
    "salt": "", "key": "",
}  # fmt: skip
INF = float("inf")
NUMBERS: list[Any] = ["text", None, [], {}, True, float("nan"), INF, -INF, 10**400, 1e308, -1e308]
STATES: list[Any] = ["answered", "x", 5, None, []]
TEXTS: list[Any] = [None, 5, ["a"], "\x00" * 9]
HOSTILE: list[Any] = [
    *(GOOD | {name: value} for name in ("at", "next", "closed_until", "resets") for value in NUMBERS),
    *(GOOD | {"usd_left": value, "resets": NOW + 9} for value in NUMBERS if value is not None),
    *(GOOD | {"closed_as": value, "closed_until": NOW + 9} for value in STATES),
    *(GOOD | {name: value} for name in ("salt", "key") for value in TEXTS),
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


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xff", b"[" * 50_000, b"{" * 9, b"9" * 5000, b" " * 2**20]
)
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
