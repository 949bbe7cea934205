"""What is known of a model and whether it answers, against a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from orchestrator.api import model_check
from orchestrator.api.effort_use import EffortUse
from orchestrator.api.known_models import models_of
from orchestrator.api.model_check import ModelCheck, TrialCall, check_model
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.core.errors import BadFile, UnknownName, UserError
from orchestrator.models.price_file import own_prices_path
from orchestrator.research.loopback.answers import Drip, Fail, Hang, ServerAnswer, Stop
from orchestrator.research.loopback.server import ModelServer
from tests.support import run_rig as rig

KEY = "sk-test-0123456789abcdef"
Serve = Callable[..., ModelServer]


@pytest.fixture(autouse=True)
def _a_new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No price file, and no key in the process."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("OPENAI_API_KEY", "OPENAI_API_BASE", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*answers: ServerAnswer) -> ModelServer:
            server = ModelServer(list(answers), tmp_path / "requests.jsonl")
            return stack.enter_context(server.running())

        yield start


def checked(server: ModelServer, name: str = "openai/gpt-4o") -> ModelCheck:
    return check_model(name, environ={"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY})


def call(found: ModelCheck) -> TrialCall:
    assert found.call is not None
    return found.call


def test_one_short_question_is_asked_and_its_time_tokens_and_cost_are_told(serve: Serve) -> None:
    server = serve("ready")
    found = checked(server)
    (request,) = server.requests()
    assert request["body"]["messages"][0]["content"] == "Answer with the one word: ready"
    assert request["body"]["max_tokens"] == 64
    made = call(found)
    assert made.answered
    assert (made.prompt_tokens, made.completion_tokens) == (7, 1)
    assert made.usd == pytest.approx(7 * 2.5e-6 + 1e-5)
    assert 0 < made.seconds < 60
    assert (found.key, found.variables) == ("present", ("OPENAI_API_KEY",))
    assert found.server == f"OPENAI_API_BASE={server.url}"
    assert KEY not in json.dumps(asdict(found), default=str)


def test_a_model_that_reasons_has_room_to_do_so(serve: Serve) -> None:
    server = serve("ready")
    assert checked(server, "openai/o3").reasoning
    body = server.requests()[0]["body"]
    assert max(body.get("max_tokens", 0), body.get("max_completion_tokens", 0)) >= 1024


def test_what_the_list_says_is_told_without_a_call_and_without_a_key() -> None:
    found = check_model("openai/gpt-4o", offline=True, environ={})
    assert (found.listed, found.provider, found.server) == (True, "openai", "")
    assert (found.key, found.variables) == ("missing", ("OPENAI_API_KEY",))
    assert (found.context, found.longest_answer) == (128_000, 16_384)
    assert (found.pictures, found.reasoning, found.reply_schema) == (True, False, True)
    assert (found.caching, found.temperature) == (True, True)
    price = found.price
    assert (price.origin, price.input, price.output, price.cached) == ("list", 2.5, 10.0, 1.25)
    assert price.written is None
    assert found.efforts == ()
    assert found.batches
    assert not check_model("gemini/gemini-3.8-flash", offline=True, environ={}).batches
    assert found.call is None


def test_the_levels_of_effort_are_those_of_the_list() -> None:
    levels = [check_model(name, offline=True, environ={}).efforts
              for name in ("openai/gpt-6.1-sol", "openai/gpt-5.5-pro", "anthropic/claude-opus-5-5")]  # fmt: skip
    assert levels == [("low", "medium", "high"), ("medium", "high"), ("low", "medium", "high")]
    listed = {one.name: one for one in models_of("openai")}
    assert listed["openai/gpt-5.5-pro"].efforts == ("medium", "high")
    assert listed["openai/gpt-4o"].efforts == ()


def test_a_run_says_which_of_its_models_does_not_get_the_level_that_was_asked_for(
    tmp_path: Path,
) -> None:
    request = replace(wanted(tmp_path, "openai/gpt-6.1-sol"), effort="low",
                      roles=(("reviewing", "openai/gpt-4o"), ("ideas", "openai/gpt-5.5-pro")))  # fmt: skip
    setup = prepare(request, to_start=False).setup
    assert EffortUse(setup).notices() == (
        "effort: openai/gpt-5.5-pro has medium, high; for low nothing is sent, and its vendor's default holds",
        "effort: openai/gpt-4o has no levels; for low nothing is sent, and its vendor's default holds",
    )
    assert EffortUse(replace(setup, effort=())).notices() == ()


def test_a_missing_key_is_told_beside_the_facts_and_nothing_is_asked() -> None:
    found = check_model("anthropic/claude-opus-5", environ={})
    assert found.pictures
    assert found.price.written == pytest.approx(6.25)
    assert not call(found).answered
    assert call(found).why == "not set: ANTHROPIC_API_KEY"


def test_a_model_that_no_list_knows_is_asked_and_its_price_is_none(serve: Serve) -> None:
    server = serve("ready")
    found = check_model("openai/mine", environ={"OPENAI_API_BASE": server.url})
    assert (found.listed, found.price.origin, found.price.input) == (False, "none", None)
    assert (found.key, found.variables) == ("not needed", ())
    assert (found.context, found.pictures, found.ends, found.days_left) == (None,) * 4
    assert call(found).answered
    assert call(found).usd is None


def test_a_price_of_ones_own_counts_and_is_told_as_such(serve: Serve) -> None:
    own_prices_path().parent.mkdir(parents=True)
    own_prices_path().write_text("openai/gpt-4o: {input: 1000000, output: 2000000, cached: 0.5}\n")
    found = checked(serve("ready"))
    price = found.price
    assert (price.origin, price.input, price.cached, price.written) == ("file", 1e6, 0.5, None)
    assert call(found).usd == pytest.approx(7 + 2)
    assert found.listed
    own_prices_path().write_text("openai/gpt-4o: {}\n")
    with pytest.raises(BadFile, match="2 errors"):
        check_model("openai/gpt-4o", offline=True, environ={})


@pytest.mark.parametrize(
    ("answer", "what", "why", "todo"),
    [
        (Fail(401, f"Incorrect API key provided: {KEY}"), "refused the key", "HTTP 401", "check the key in the environment"),
        (Fail(404, "no such model"), "refused the request", "no such model", "check the model's name"),
        (Fail(429, "You exceeded your current quota"), "refused the key", "quota", "raise it with the vendor"),
        (Fail(503, "overloaded"), "gave no answer", "overloaded", "try it again later"),
        (Fail(429, "slow", headers=(("Retry-After", "86400"),)), "gave no answer", "slow", "try it again later"),
        (Stop(None, "length"), "answered with no text", "'length'", "more room"),
    ],
    ids=["key", "name", "quota", "busy", "wait", "empty"],
)  # fmt: skip
def test_a_call_that_fails_says_what_why_and_what_to_do_and_is_not_repeated(
    answer: ServerAnswer, what: str, why: str, todo: str, serve: Serve
) -> None:
    server = serve(answer)
    made = call(checked(server))
    assert not made.answered
    assert what in made.what
    assert why in made.why
    assert todo in made.todo
    assert "resume" not in made.todo, "there is no run"
    assert len(server.requests()) == 1
    assert KEY not in str(made)


@pytest.mark.parametrize("answer", [Hang(10.0), Drip(10.0)])
def test_a_server_that_keeps_the_line_is_given_up_in_time(
    answer: ServerAnswer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_check, "CHECK_SECONDS", 5.5)  # half a second for the request itself
    made = call(checked(serve(answer)))
    assert not made.answered
    assert made.seconds < 8
    assert "gave no answer" in made.what


def test_a_server_that_is_not_there_is_an_answer_too() -> None:
    environ = {"OPENAI_API_BASE": "http://me:pass-word@127.0.0.1:9/v1"}
    found = check_model("openai/mine", environ=environ)
    assert call(found).why.startswith("no connection to a server")
    assert call(found).todo == "check that a server answers at this address"
    assert found.server == "OPENAI_API_BASE=http://127.0.0.1:9/v1"
    assert "pass-word" not in str(found)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("antropic/x", UnknownName, "no model is named"),
        ("builtin/swep", UnknownName, "no author is named"),
        ("builtin/sweep", UserError, "asks no vendor"),
        ("scripted/none.jsonl", BadFile, "cannot be read"),
    ],
)
def test_a_name_that_is_no_vendors_model_is_refused(
    name: str, error: type[UserError], said: str
) -> None:
    with pytest.raises(error, match=said) as refused:
        check_model(name, environ={})
    assert refused.value.exit_code == 2


# --- what a run takes from it -------------------------------------------------------------


def wanted(tmp_path: Path, model: str) -> RunRequest:
    return RunRequest(template=rig.QUICK, scale="smoke", policy=rig.POLICY, model=model,
                      results=tmp_path)  # fmt: skip


def test_a_run_pins_the_price_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    own_prices_path().parent.mkdir(parents=True)
    own_prices_path().write_text("openai/mine: {input: 1, output: 2}\n")
    pinned = dict(prepare(wanted(tmp_path, "openai/mine")).setup.prices)
    assert pinned == pytest.approx({"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6})


def test_a_run_with_a_model_that_has_ended_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (line,) = prepare(wanted(tmp_path, "openai/gpt-4-1106-preview")).model_ends
    assert line.startswith("model: openai/gpt-4-1106-preview ended on 2026-10-23, ")
    assert prepare(wanted(tmp_path, "openai/gpt-4o")).model_ends == ()
    assert prepare(wanted(tmp_path, "builtin/sweep")).model_ends == ()
