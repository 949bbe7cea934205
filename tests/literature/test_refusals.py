"""Each refusal that a service was seen to give has its state, and costs no wait that it does not deserve."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.literature import ENGINES
from orchestrator.literature.loopback.faults import SPENT_HOURS
from orchestrator.literature.loopback.server import FAULTS, Fault, Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import Waited, ask, opened

PAGE = b"<!DOCTYPE html><html><body>Too many</body></html>"
STATES = {
    "openalex": {
        "spent": "spent", "too fast": "busy", "bad key": "refused", "slow down": "busy",
        "invalid filter": "refused", "invalid parameters": "refused", "not found": "refused",
        "error": "busy",
    },
    "semanticscholar": {
        "bad key": "refused", "too many": "busy", "invalid fields": "refused",
        "not found": "refused", "error": "busy", "time-out": "busy",
    },
    "arxiv": {
        "too many": "busy", "too many, as if right": "busy", "unavailable": "busy",
        "bad id": "refused", "not acceptable": "busy",
    },
    "any": {
        "maintenance": "unreadable", "broken JSON": "unreadable", "broken XML": "unreadable",
        "entities": "unreadable", "huge": "unreadable", "empty": "unreadable",
        "elsewhere": "unreachable", "cut": "unreachable", "drip": "slow", "slow": "slow",
    },
}  # fmt: skip
OWN = [(engine, name) for engine in ENGINES for name in STATES[engine]]
ANY = [(engine, name) for engine in ENGINES for name in STATES["any"]]


def said(fault: Fault, **changes: Any) -> Fault:
    """The fault with other headers or another body, as JSON."""
    headers = {**fault.headers, **changes.pop("headers", {})}
    body = json.dumps({**json.loads(fault.body), **changes}).encode() if changes else fault.body
    return replace(fault, headers=headers, body=body)


def test_every_refusal_that_was_seen_has_a_state_here() -> None:
    assert {name: set(ones) for name, ones in STATES.items()} == {
        name: set(FAULTS[name]) for name in STATES
    }


@pytest.mark.parametrize(("engine", "name"), OWN)
def test_a_refusal_has_its_state_and_only_a_busy_service_is_asked_again(
    engine: str, name: str, tmp_path: Path
) -> None:
    waited, state = Waited(), STATES[engine][name]
    with Loopback(corpus(), {engine: [FAULTS[engine][name]] * 9}) as served:
        answer = ask(opened(served, tmp_path, engine, clock=waited.clock))
        assert answer.state == state
        assert answer.why
        assert answer.papers == 0
        assert len(served.requests) == answer.calls == (3 if state == "busy" else 1)
    assert waited.waited < 20


@pytest.mark.parametrize(
    ("engine", "name"), [one for one in OWN if STATES[one[0]][one[1]] == "busy"]
)
def test_a_service_that_is_busy_once_answers_the_next_time(
    engine: str, name: str, tmp_path: Path
) -> None:
    with Loopback(corpus(), {engine: [FAULTS[engine][name]]}) as served:
        answer = ask(opened(served, tmp_path, engine))
        assert (answer.state, answer.calls) == ("answered", 2)
        assert answer.papers > 0


@pytest.mark.parametrize(("engine", "name"), ANY)
def test_what_is_no_answer_of_the_service_is_told_and_not_asked_again(
    engine: str, name: str, tmp_path: Path
) -> None:
    seconds = 0.4 if name in {"drip", "slow"} else 60.0
    with Loopback(corpus(), {engine: [FAULTS["any"][name]]}) as served:
        answer = ask(opened(served, tmp_path, engine, seconds=seconds))
        assert (answer.state, answer.calls) == (STATES["any"][name], 1)
        assert answer.why


@pytest.mark.parametrize("engine", ENGINES)
def test_a_web_page_with_a_status_of_haste_is_busy(engine: str, tmp_path: Path) -> None:
    page = Fault(status=429, headers={"Content-Type": "text/html"}, body=PAGE)
    with Loopback(corpus(), {engine: [page] * 9}) as served:
        assert ask(opened(served, tmp_path, engine)).state == "busy"


def test_a_spent_budget_is_never_waited_for_and_no_search_asks_until_it_is_full(
    tmp_path: Path,
) -> None:
    waited = Waited()
    with Loopback(corpus(), {"openalex": [FAULTS["openalex"]["spent"]]}) as served:
        sources = opened(served, tmp_path, "openalex", clock=waited.clock)
        answers = [ask(sources, f"grokking {number}") for number in range(30)]
        assert {one.state for one in answers} == {"spent"}
        assert all("budget of today is used up" in one.why for one in answers)
        assert [one.calls for one in answers] == [1] + [0] * 29
        assert len(served.requests) == 1
        assert waited.waited == 0
        waited.time += SPENT_HOURS - 60
        assert ask(sources).calls == 0
        waited.time += 61
        assert ask(sources).state == "answered"


@pytest.mark.parametrize(
    "fault",
    [
        said(FAULTS["openalex"]["spent"], message="", dailyRemainingUsd=0.0002),
        said(FAULTS["openalex"]["spent"], message="", dailyRemainingUsd=None),
        said(FAULTS["openalex"]["spent"], retryAfter="soon", headers={"Retry-After": "47052"}),
        Fault(status=429, body=FAULTS["openalex"]["spent"].body),
        Fault(
            status=429, headers={"Retry-After": "47052"}, body=b'{"error": "Rate limit exceeded"}'
        ),
        Fault(status=429, headers={"Retry-After": "47052"}, body=PAGE),
        said(FAULTS["openalex"]["spent"], headers={"X-RateLimit-Reset": "1"}),
        said(FAULTS["openalex"]["spent"], headers={"X-RateLimit-Reset": "nan"}),
        said(FAULTS["openalex"]["spent"], retryAfter=10**29),
    ],
)
def test_a_spent_budget_is_known_by_any_of_its_signs(fault: Fault, tmp_path: Path) -> None:
    waited = Waited()
    with Loopback(corpus(), {"openalex": [fault] * 30}) as served:
        sources = opened(served, tmp_path, "openalex", clock=waited.clock)
        assert ask(sources).state == "spent"
        waited.time += 600
        assert ask(sources, "another").state == "spent"
        assert len(served.requests) == 1
    assert waited.waited == 0


@pytest.mark.parametrize("engine", ["semanticscholar", "arxiv"])
def test_a_wait_of_hours_is_not_waited_for_by_any_engine(engine: str, tmp_path: Path) -> None:
    waited = Waited()
    hours = Fault(status=429, headers={"Retry-After": "47052"}, body=b"Rate exceeded.")
    with Loopback(corpus(), {engine: [hours] * 9}) as served:
        sources = opened(served, tmp_path, engine, clock=waited.clock)
        assert [ask(sources, f"grokking {number}").calls for number in range(5)] == [1, 0, 0, 0, 0]
    assert waited.waited == 0


def test_what_is_left_of_the_budget_spares_a_call_that_it_does_not_pay(tmp_path: Path) -> None:
    with Loopback(corpus(), usd=0.002) as served:
        sources = opened(served, tmp_path, "openalex")
        answers = [ask(sources, f"grokking {number}") for number in range(5)]
        assert [one.state for one in answers] == ["answered"] * 2 + ["spent"] * 3
        assert [one.usd for one in answers] == [0.001, 0.001, 0, 0, 0]
        assert len(served.requests) == 2


def test_a_wait_that_is_asked_for_is_kept_within_the_deadline(tmp_path: Path) -> None:
    waited = Waited()
    fault = replace(FAULTS["openalex"]["too fast"], headers={"Retry-After": "7"})
    with Loopback(corpus(), {"openalex": [fault]}) as served:
        assert ask(opened(served, tmp_path, "openalex", clock=waited.clock)).state == "answered"
    assert 7 <= waited.waited < 8


@pytest.mark.parametrize("wait", ["90", "600"])
def test_a_wait_beyond_the_deadline_is_not_begun_and_every_process_knows_of_it(
    wait: str, tmp_path: Path
) -> None:
    waited = Waited()
    fault = replace(FAULTS["openalex"]["too fast"], headers={"Retry-After": wait})
    with Loopback(corpus(), {"openalex": [fault]}) as served:
        sources = opened(served, tmp_path, "openalex", clock=waited.clock)
        assert (ask(sources).state, waited.waited) == ("busy", 0)
        assert (ask(sources, "another").calls, waited.waited) == (0, 0)
        waited.time += float(wait) + 1
        assert ask(sources, "another").state == "answered"


@pytest.mark.parametrize(
    "wait", ["-5", "1e9", "nan", "soon", "9" * 400, "٣", "Wed, 21 Oct 2026 07:28:00 GMT"]
)
def test_a_wait_that_says_nothing_is_the_usual_one(wait: str, tmp_path: Path) -> None:
    waited = Waited()
    plain = Fault(status=429, headers={"Retry-After": wait.encode().decode("latin-1")}, body=b"no")
    with Loopback(corpus(), {"arxiv": [plain]}) as served:
        assert ask(opened(served, tmp_path, "arxiv", clock=waited.clock)).state == "answered"
    assert waited.waited < 10


@pytest.mark.parametrize("engine", ENGINES)
def test_a_service_that_stays_busy_is_left_alone_for_a_minute(engine: str, tmp_path: Path) -> None:
    waited = Waited()
    with Loopback(corpus(), {engine: [Fault(status=503)] * 3}) as served:
        sources = opened(served, tmp_path, engine, clock=waited.clock)
        assert ask(sources).calls == 3
        again = ask(sources, "another")
        assert (again.state, again.calls) == ("busy", 0)
        waited.time += 61
        assert ask(sources, "another").state == "answered"


def test_semantic_scholar_without_data_has_found_nothing(tmp_path: Path) -> None:
    bodies = (b'{"total": 0, "offset": 0}', b'{"total": 0, "offset": 0, "data": []}')
    faults = [Fault(status=200, body=body) for body in bodies]
    with Loopback(corpus(), {"semanticscholar": faults}) as served:
        for _ in bodies:
            answer = ask(opened(served, tmp_path, "semanticscholar", fresh=True))
            assert (answer.state, answer.papers, answer.calls) == ("answered", 0, 1)
    with Loopback(corpus()) as served:
        assert ask(opened(served, tmp_path, "semanticscholar"), "zzzz").state == "answered"
