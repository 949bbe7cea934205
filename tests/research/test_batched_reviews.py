"""Reviews as a batch of their vendor: half price, one record, nothing paid twice after a kill, plain where it must."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import BudgetSpent, Interrupted, ModelBusy, ModelRefused
from orchestrator.core.model import Ask, Message
from orchestrator.models import batching
from orchestrator.models.bounds import batch_prices, cost_of
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import LitellmModel
from orchestrator.models.scripted import ReplyRule, ScriptedModel
from orchestrator.record.absent import absent
from orchestrator.record.batch_notes import BatchSent
from orchestrator.record.budget import JournalBudget
from orchestrator.record.calls import steps
from orchestrator.record.events import Answered, Asked
from orchestrator.record.journal import Mode
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Edges
from tests.research.test_panel import META
from tests.research.test_review import form
from tests.support.batch_rig import batching_edges, ports_of, reviewed
from tests.support.batch_server import ANSWER, PROMPT, BatchServer
from tests.support.places import ROOT
from tests.support.sample import some

KEY = "sk-secret-0123456789abcdef"
MODELS = ["openai/gpt-6.1-sol", "openai/gpt-4o", "anthropic/claude-opus-5-5"]
PANEL = ReviewPin(reviews=3, reflections=1, batch="keep")


def answer(body: str) -> str:
    """A form, better marks at a second look, or the chair's word."""
    if "area chair for a paper" in body:
        return META
    return form(Overall=7 if "Read your review once more" in body else 5)


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(answer, KEY).running() as made:
        yield made


@pytest.fixture(autouse=True)
def _at_the_server(server: BatchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(batching, "FIRST_LOOK", 0.05)


def environment(server: BatchServer) -> dict[str, str]:
    return {"OPENAI_API_BASE": f"{server.url}/v1", "OPENAI_API_KEY": KEY,
            "ANTHROPIC_API_BASE": server.url, "ANTHROPIC_API_KEY": KEY}  # fmt: skip


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.02)


@pytest.mark.parametrize("name", MODELS)
def test_a_panels_forms_are_one_batch_and_its_second_looks_another_at_half_the_price(
    server: BatchServer, tmp_path: Path, name: str
) -> None:
    server.released = True
    ports = ports_of(tmp_path, batching_edges(name), Mode.RECORD)
    reviews, meta = reviewed(ports, PANEL)
    assert [one.overall for one in reviews] == [7, 7, 7]
    assert meta is not None
    assert [len(batch.requests) for batch in server.made] == [3, 3]
    assert len(server.plain) == 1, "the chair alone is asked by itself"
    assert server.wrong == []
    model = LitellmModel(name, os.environ, RetryPolicy(), RetryTiming())
    half = cost_of(batch_prices(model.prices()), PROMPT, ANSWER, 0, 0)
    assert half == pytest.approx(cost_of(model.prices(), PROMPT, ANSWER, 0, 0) / 2)
    *batched, chair = steps(ports.journal)
    assert [step.usage.usd for step in batched] == [pytest.approx(half)] * 6
    assert chair.usage.usd == pytest.approx(2 * half)
    total = ports.journal.ledger.total()
    assert total.usd == pytest.approx(8 * half)
    for step in batched:
        assert step.usage.usd is not None
        assert step.ceiling.usd is not None
        assert step.usage.usd <= step.ceiling.usd
        assert step.ceiling.usd < (model.ceiling(step.model_request.ask).usd or 0)


def test_the_record_of_a_batch_is_that_of_plain_calls_and_replays_without_a_model(
    server: BatchServer, tmp_path: Path
) -> None:
    server.released = True
    name = MODELS[0]
    batched = ports_of(tmp_path / "a", batching_edges(name), Mode.RECORD)
    found = reviewed(batched, PANEL)
    replayed = ports_of(tmp_path / "a", absent(name), Mode.REPLAY)
    assert reviewed(replayed, PANEL) == found
    plain = ports_of(tmp_path / "b", batching_edges(name), Mode.RECORD)
    assert reviewed(plain, replace(PANEL, batch="")) == found
    keys = [
        {
            (line.scope, line.ord): line.request
            for line in ports.journal.events
            if isinstance(line, Asked)
        }
        for ports in (batched, plain)
    ]
    assert keys[0] == keys[1]


@contextmanager
def process(server: BatchServer, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-m", "tests.support.batch_rig", str(folder), name]
    made = subprocess.Popen(argv, cwd=ROOT, env=os.environ | environment(server), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    try:
        yield made
    finally:
        made.kill()
        made.communicate()


@pytest.mark.program
@pytest.mark.sampled
@pytest.mark.parametrize("name", some([MODELS[0], MODELS[2]], 1, "killed"))
def test_a_run_that_is_killed_while_it_waits_collects_its_batch_and_pays_nothing_twice(
    server: BatchServer, tmp_path: Path, name: str
) -> None:
    with process(server, tmp_path, name) as first:
        until(lambda: bool(server.made and server.made[0].looks))
        first.send_signal(signal.SIGKILL)
        first.wait(30)
    record = ports_of(tmp_path, absent(name), Mode.RESUME).journal
    assert [isinstance(line, Answered) for line in record.events].count(True) == 0
    (note,) = record.notes(BatchSent, below="idea")
    assert [scope for scope, _ in note.calls] == [f"idea/x/review/reviewer_{n}" for n in (1, 2, 3)]
    most = record.ledger.total().usd
    server.released = True
    with process(server, tmp_path, name) as second:
        said, _ = second.communicate(timeout=120)
    assert "overall 5 5 5" in said
    assert [len(batch.requests) for batch in server.made] == [3], "no second batch was sent"
    assert server.made[0].read == 1
    after = ports_of(tmp_path, absent(name), Mode.RESUME).journal
    asked = [line for line in after.events if isinstance(line, Asked)]
    assert len(asked) == 4, "three forms and the chair, none asked again"
    assert most is not None
    assert (after.ledger.total().usd or 0) < most
    assert KEY not in (tmp_path / "journal.jsonl").read_text() + said


def test_a_stop_leaves_the_batch_at_its_vendor_and_a_resume_collects_it(
    server: BatchServer, tmp_path: Path
) -> None:
    stop, said = Event(), list[str]()
    ports = ports_of(tmp_path, batching_edges(MODELS[0], said.append), Mode.RECORD)

    def stop_once_told() -> None:
        until(lambda: bool(said))
        stop.set()

    stopper = Thread(target=stop_once_told)
    stopper.start()
    with pytest.raises(Interrupted) as stopped:
        reviewed(replace(ports, stop=stop), PANEL)
    stopper.join()
    assert "batch_0" in stopped.value.why
    assert said[0].startswith(
        "waiting for openai/gpt-6.1-sol, step review.form: batch batch_0, in_progress, 0 of 3"
    )
    server.released = True
    again = ports_of(tmp_path, batching_edges(MODELS[0]), Mode.RESUME)
    reviews, _ = reviewed(again, PANEL)
    assert [one.overall for one in reviews] == [7, 7, 7]
    assert len(server.made) == 2, "the forms once, the second looks once"


@pytest.mark.parametrize("name", [MODELS[0], MODELS[2]])
def test_a_stop_cancels_the_batch_where_a_person_wants_that_and_a_resume_asks_again_what_is_missing(
    server: BatchServer, tmp_path: Path, name: str
) -> None:
    stop, said, server.left = Event(), list[str](), {1}
    ports = ports_of(tmp_path, batching_edges(name, said.append, cancels=True), Mode.RECORD)

    def stop_once_told() -> None:
        until(lambda: bool(said))
        stop.set()

    stopper = Thread(target=stop_once_told)
    stopper.start()
    with pytest.raises(Interrupted):
        reviewed(replace(ports, stop=stop), PANEL)
    stopper.join()
    assert server.made[0].cancelled
    assert said[-1].endswith("is cancelled; what it has answered is charged")
    server.released = True
    reviews, _ = reviewed(ports_of(tmp_path, batching_edges(name), Mode.RESUME), PANEL)
    assert [one.overall for one in reviews] == [7, 7, 7]
    assert [len(batch.requests) for batch in server.made] == [3, 1, 3]


def test_time_that_is_over_leaves_it_open_too_and_another_branch_collects_it(
    server: BatchServer, tmp_path: Path
) -> None:
    short = JournalBudget(wall=1.0)
    ports = ports_of(tmp_path, batching_edges(MODELS[0]), Mode.RECORD, short)
    with pytest.raises(BudgetSpent):
        reviewed(ports, PANEL)
    assert len(server.made) == 1
    server.released = True
    again = ports_of(tmp_path, batching_edges(MODELS[0]), Mode.FORK)
    reviews, _ = reviewed(again, PANEL)
    assert [one.overall for one in reviews] == [7, 7, 7]
    assert len(server.made) == 2
    assert len(steps(again.journal)) == 7, "all of them are calls of the branch"


def test_a_budget_without_room_for_all_of_it_sends_nothing(
    server: BatchServer, tmp_path: Path
) -> None:
    name = MODELS[0]
    ask = Ask(purpose="review.form", messages=(Message("user", "?"),))
    for budget in (JournalBudget(usd=0.01), JournalBudget(requests=2)):
        ports = ports_of(tmp_path / str(budget.usd), batching_edges(name), Mode.RECORD, budget)
        with pytest.raises(BudgetSpent):
            ports.complete_all([("a", ask), ("b", ask), ("c", ask)])
        assert len(ports.journal.events) == 1, "the line with which every journal begins"
    assert server.made == []


def test_one_request_that_fails_is_recorded_beside_the_others_and_alone_asked_again_by_a_resume(
    server: BatchServer, tmp_path: Path
) -> None:
    server.released, server.broken = True, {1: "the image is not readable"}
    for name in (MODELS[0], MODELS[2]):
        ports = ports_of(tmp_path / name, batching_edges(name), Mode.RECORD)
        with pytest.raises(ModelRefused, match="refused the request"):
            reviewed(ports, PANEL)
        ends = [step.error.type if step.error else "" for step in steps(ports.journal)]
        assert ends == ["", "ModelRefused", ""]
    server.broken = {}
    sent = len(server.made)
    again = ports_of(tmp_path / MODELS[0], batching_edges(MODELS[0]), Mode.RESUME)
    reviews, _ = reviewed(again, PANEL)
    assert [one.overall for one in reviews] == [7, 7, 7]
    assert [len(batch.requests) for batch in server.made[sent:]] == [1, 3]


def test_a_vendor_that_is_busy_is_asked_again_and_one_that_says_nothing_is_not_sent_it_twice(
    server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.released, server.refusals = True, [503, 429]
    ports = ports_of(tmp_path / "a", batching_edges(MODELS[2]), Mode.RECORD)
    reviewed(ports, replace(PANEL, reflections=0))
    assert len(server.made) == 1
    monkeypatch.setenv("ANTHROPIC_API_BASE", "http://127.0.0.1:9")
    ports = ports_of(tmp_path / "b", batching_edges(MODELS[2]), Mode.RECORD)
    with pytest.raises(ModelBusy, match="gave no answer"):
        reviewed(ports, PANEL)
    assert {step.error.type for step in steps(ports.journal) if step.error} == {"ModelBusy"}


def test_a_model_without_batches_is_asked_one_after_another(tmp_path: Path) -> None:
    rules = [ReplyRule(purpose="review.form", text=form(), times=3),
             ReplyRule(purpose="review.reflect", text="DONE", times=3),
             ReplyRule(purpose="review.meta", text=META)]  # fmt: skip
    model, none = ScriptedModel(rules, "judge"), absent("judge")
    edges = Edges(model, none.editor, none.sandbox, none.literature)
    reviews, _ = reviewed(ports_of(tmp_path, edges, Mode.RECORD), PANEL)
    assert len(reviews) == 3
    assert [ask.purpose for ask in model.asks[:3]] == ["review.form"] * 3


def test_one_reviewer_is_a_batch_of_one_and_a_bad_form_is_asked_for_again_by_itself(
    server: BatchServer, tmp_path: Path
) -> None:
    bad = iter(["No.", "No."])
    server.released, server.answer = True, lambda body: next(bad, answer(body))
    ports = ports_of(tmp_path, batching_edges(MODELS[0]), Mode.RECORD)
    reviews, meta = reviewed(ports, ReviewPin(reviews=1, reflections=0, batch="keep"))
    assert ([one.overall for one in reviews], meta) == ([5], None)
    assert [len(batch.requests) for batch in server.made] == [1]
    assert len(server.plain) == 2


def test_what_is_sent_is_the_request_that_would_go_out_by_itself(
    server: BatchServer, tmp_path: Path
) -> None:
    server.released = True
    for name in MODELS:
        model = LitellmModel(name, os.environ, RetryPolicy(), RetryTiming())
        ports = ports_of(tmp_path / name, batching_edges(name), Mode.RECORD)
        reviewed(ports, ReviewPin(reviews=1, reflections=0, batch="keep"))
        (step,) = steps(ports.journal)
        model.complete(step.model_request.ask, FOREVER)
        (sent,) = server.made[-1].requests.values()
        assert json.dumps(sent, sort_keys=True) == json.dumps(server.plain[-1], sort_keys=True)
