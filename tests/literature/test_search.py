"""A search never fails for what a service does; what each did is told, and what it said is kept."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import Deadline
from orchestrator.core.literature import ENGINES, Query
from orchestrator.literature.engines import engine as engine_module
from orchestrator.literature.engines.http import Answer, Call, get
from orchestrator.literature.engines.opening import SERVICES
from orchestrator.literature.loopback.forms import openalex_id, s2_id
from orchestrator.literature.loopback.server import FAULTS, Fault, Loopback
from tests.support.corpus import corpus, odd
from tests.support.search_rig import Waited, ask, opened

WEEK = 7 * 24 * 3600.0
BROKEN = [
    {"openalex": "drip", "arxiv": "broken XML"},
    {"semanticscholar": "cut", "openalex": "entities"},
    {"arxiv": "slow", "semanticscholar": "elsewhere"},
    dict.fromkeys(ENGINES, "maintenance"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_the_papers_of_engines_that_answer_come_whatever_the_others_do(
    broken: dict[str, str], tmp_path: Path
) -> None:
    faults = {engine: [FAULTS["any"][name]] for engine, name in broken.items()}
    with Loopback(corpus(), faults) as served:
        found = opened(served, tmp_path, *ENGINES, seconds=0.6).search(Query("grokking"))
    assert [one.engine for one in found.engines] == list(ENGINES)
    for one in found.engines:
        assert (one.state == "answered") == (one.engine not in broken)
        assert bool(one.why) == (one.engine in broken)
    assert bool(found.papers) == found.answered == (len(broken) < len(ENGINES))


def test_an_engine_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, *ENGINES)
    found = sources.search(Query("grokking"))
    assert [one.state for one in found.engines] == ["unreachable"] * 3
    assert [one.why for one in found.engines] == ["connection refused"] * 3


def test_an_engine_that_nothing_stops_is_left_behind_at_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def stuck(call: Call, seconds: float) -> Answer:
        if "arxiv" in call.address:
            ended.wait(20)
        return get(call, seconds)

    monkeypatch.setattr(engine_module, "get", stuck)
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, *ENGINES)
        found = sources.search(Query("grokking"), Deadline.after(0.5, "call"))
        assert {one.engine: one.state for one in found.engines} == {
            "openalex": "answered", "semanticscholar": "answered", "arxiv": "slow",
        }  # fmt: skip
        assert found.papers
        ended.set()


def test_the_order_of_papers_is_the_same_whoever_answers_first(tmp_path: Path) -> None:
    chance, seen = random.Random(1), set()
    for number in range(8):
        faults = {engine: [Fault(hang=chance.random() / 8)] for engine in ENGINES}
        with Loopback(corpus(), faults) as served:
            sources = opened(served, tmp_path / str(number), *ENGINES)
            found = sources.search(Query("neural networks learning", 10))
        assert all(one.state == "answered" for one in found.engines)
        seen.add(tuple(replace(one, url="", pdf="") for one in found.papers))
    assert len(seen) == 1


def test_a_paper_of_several_engines_comes_once_with_all_their_ids(tmp_path: Path) -> None:
    with Loopback(corpus()) as served:
        found = opened(served, tmp_path, *ENGINES).search(
            Query("grokking generalization small", 50)
        )
    first = found.papers[0]
    real = next(one for one in corpus() if one.title == first.title)
    assert (first.openalex, first.s2, first.arxiv) == (openalex_id(real), s2_id(real), real.arxiv)
    assert first.source == "openalex+semanticscholar+arxiv"
    assert (first.authors, first.year, first.key) == (real.authors, real.year, real.key)
    assert len({one.id for one in found.papers}) == len(found.papers)


def test_retracted_papers_are_left_out_and_told(tmp_path: Path) -> None:
    with Loopback(odd()) as served:
        found = opened(served, tmp_path, *ENGINES).search(Query("retracted miracle grokking"))
    assert found.retracted == ("Invented: Retracted Miracle Grokking",)
    assert found.papers
    assert not any("Retracted" in one.title or one.retracted for one in found.papers)


def test_records_of_every_awkward_kind_come_in_bounds(tmp_path: Path) -> None:
    with Loopback(odd()) as served:
        for paper in odd():
            text = f"{paper.title} {' '.join(paper.authors)}"
            found = opened(served, tmp_path, *ENGINES).search(Query(text, 100))
            assert all(one.state == "answered" for one in found.engines)
            for one in found.papers:
                shown = one.title + one.abstract + one.venue + "".join(one.authors)
                assert shown.isprintable()
                assert len(one.abstract) <= 4000


def test_more_papers_than_a_service_sends_at_once_are_not_asked_for(tmp_path: Path) -> None:
    with Loopback(corpus()) as served:
        for limit in (-1, 0, 5000):
            found = opened(served, tmp_path, *ENGINES, fresh=True).search(Query("learning", limit))
            assert [one.state for one in found.engines] == ["answered"] * 3
            assert len(found.papers) <= max(limit, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_is_kept_for_a_week_and_its_age_is_told(engine: str, tmp_path: Path) -> None:
    waited = Waited()
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, engine, clock=waited.clock)
        first = sources.search(Query("grokking"))
        assert first.engines[0].age is None
        waited.time += WEEK - 100
        again = opened(served, tmp_path, engine, clock=waited.clock).search(Query("grokking"))
        assert again.papers == first.papers
        kept = again.engines[0]
        assert (kept.calls, kept.usd, kept.papers) == (0, 0, len(first.papers))
        assert kept.age == pytest.approx(WEEK - 100, abs=20)
        assert ask(opened(served, tmp_path, engine, fresh=True, clock=waited.clock)).age is None
        assert len(served.requests) == 2
        waited.time += 200
        late = ask(sources)
        assert (late.age, late.calls) == (None, 1)
        for text, limit in (("grokking", 9), ("grokking ", 10)):
            ask(sources, text, limit)
        assert len(served.requests) == 5, "another question has its own answer"


def test_a_kept_answer_of_another_server_or_the_future_is_not_used(tmp_path: Path) -> None:
    waited = Waited()
    with Loopback(corpus()) as served:
        ask(opened(served, tmp_path, "openalex", clock=waited.clock))
        waited.time -= 100
        assert ask(opened(served, tmp_path, "openalex", clock=waited.clock)).age is None
    with Loopback(corpus()) as other:
        assert ask(opened(other, tmp_path, "openalex", clock=waited.clock)).age is None


DAMAGED = [
    b"", b"{", b"null", b"[]", b"[" * 100_000, b'{"at": NaN, "papers": []}', b"\xff", b'{"at": "x", "papers": []}',
    b'{"at": 1' + b"0" * 400 + b', "papers": []}', b'{"at": 1e999, "papers": []}', b'{"papers": []}',
    b'{"at": AT, "papers": [{"title": 5}]}', b'{"at": AT, "papers": {"a": 1}}', b'{"at": AT, "papers": null}',
]  # fmt: skip


def test_a_damaged_file_of_an_answer_is_asked_for_again(tmp_path: Path) -> None:
    waited = Waited()
    with Loopback(corpus()) as served:
        for number, body in enumerate(DAMAGED):
            sources = opened(served, tmp_path, "openalex", clock=waited.clock)
            assert ask(sources).state == "answered"
            (path,) = (tmp_path / "answers").rglob("*.json")
            path.write_bytes(body.replace(b"AT", str(waited.time).encode()))
            again = ask(sources)
            assert (again.state, again.age, again.calls) == ("answered", None, 1), body[:40]
            path.unlink()
            assert len(served.requests) == 2 * (number + 1)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_search_that_failed_is_not_kept(engine: str, tmp_path: Path) -> None:
    with Loopback(corpus(), {engine: [FAULTS["any"]["maintenance"]]}) as served:
        sources = opened(served, tmp_path, engine)
        assert ask(sources).state == "unreadable"
        assert not list(tmp_path.rglob("answers/*/*"))
        assert ask(sources).state == "answered"


def test_answers_that_cannot_be_kept_are_given_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file where a folder belongs")
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, "openalex")
        assert [ask(sources).state for _ in range(2)] == ["answered"] * 2
        assert len(served.requests) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mirror_is_asked_at_its_own_path(engine: str, tmp_path: Path, monkeypatch: Any) -> None:
    asked: list[str] = []

    def noted(call: Call, seconds: float) -> Answer:
        asked.append(call.address)
        return get(call, seconds)

    monkeypatch.setattr(engine_module, "get", noted)
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, engine)
        assert ask(sources).papers > 0
        base = served.address(engine)
    (address,) = asked
    assert address.startswith(base)
    assert address.removeprefix(base) in {"", "/works", "/paper/search"}
    assert SERVICES[engine].home not in address
