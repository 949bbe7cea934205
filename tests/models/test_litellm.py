"""The model edge against a real HTTP server: retries, refusals, prices, secrets."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import (
    BadFile,
    BudgetSpent,
    MissingKey,
    ModelBusy,
    ModelRefused,
    TooLong,
    UnknownName,
    UserError,
)
from orchestrator.core.model import Ask, Message, Picture, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.secrets import redact
from orchestrator.models.failures import RetryPolicy, RetryTiming
from orchestrator.models.litellm import LitellmModel, open_model
from orchestrator.models.pictures import PICTURE_TOKENS
from orchestrator.models.scripted import ReplyRule, ScriptedModel
from orchestrator.research.loopback.answers import Drip, Drop, Fail, Hang, Raw, ServerAnswer, Stop
from orchestrator.research.loopback.server import ModelServer
from tests.contracts.model import ModelContract

KEY = "sk-test-0123456789abcdef"
ASK = Ask(purpose="ideas.propose", messages=(Message("user", "Say hello."),), max_tokens=100)


class Bench:
    """A model on a server that answers as told, and the pauses that it would have made."""

    def __init__(self, folder: Path, answers: list[ServerAnswer], **patience: Any) -> None:
        self.server = ModelServer(answers, folder / "requests.jsonl")
        self.told: list[str] = []
        self.pauses: list[float] = []
        self.patience = RetryPolicy(**patience)

    def open(self, name: str = "openai/local") -> LanguageModel:
        environ = {"OPENAI_API_BASE": self.server.url, "OPENAI_API_KEY": KEY}
        passed = lambda: float(sum(self.pauses))  # noqa: E731 - the only time that passes here
        world = RetryTiming(
            sleep=self.pauses.append, clock=passed, jitter=lambda: 1.0, tell=self.told.append
        )
        return open_model(name, environ=environ, retry=self.patience, timing=world)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Any]:
    """A function that starts a bench and stops it after the test."""
    from contextlib import ExitStack  # noqa: PLC0415 - one use

    with ExitStack() as stack:

        def start(*answers: ServerAnswer, **patience: Any) -> Bench:
            made = Bench(tmp_path, list(answers), **patience)
            stack.enter_context(made.server.running())
            return made

        yield start


class TestLitellmKeepsTheContract(ModelContract):
    @pytest.fixture
    def model(self, bench: Any) -> LanguageModel:
        opened: LanguageModel = bench("Two. ½ 🙂").open()
        return opened


class TestLitellmWithAPriceKeepsTheContract(ModelContract):
    @pytest.fixture
    def model(self, bench: Any) -> LanguageModel:
        opened: LanguageModel = bench("Two.").open("openai/gpt-4o")
        return opened


class TestScriptedKeepsTheContract(ModelContract):
    @pytest.fixture
    def model(self) -> LanguageModel:
        return open_model("scripted/-", environ={}, replies=[ReplyRule(text="Two.", times=0)])


# --- one call -----------------------------------------------------------------------------


def test_one_call_is_one_request_that_says_what_was_asked(bench: Any) -> None:
    made = bench("Hello.")
    reply = made.open().complete(ASK, FOREVER)
    assert (reply.text, reply.finish, reply.model) == ("Hello.", "stop", "openai/local")
    (request,) = made.server.requests()
    assert request["purpose"] == "ideas.propose"
    assert request["body"]["messages"] == [{"role": "user", "content": "Say hello."}]
    assert request["body"]["max_tokens"] == 100
    assert request["body"]["temperature"] == pytest.approx(0.7)


def test_a_parameter_that_a_new_model_refuses_is_left_out_or_renamed_and_remembered(
    bench: Any,
) -> None:
    """litellm's list cannot know what a model takes that is newer than it."""
    length = "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
    made = bench(
        Fail(400, length + "'max_completion_tokens' instead."),
        Fail(400, "Unsupported value: 'temperature' does not support 0.7 with this model."),
        "Hello.",
        "Again.",
    )
    model = made.open()
    assert (model.complete(ASK, FOREVER).text, model.complete(ASK, FOREVER).text) == (
        "Hello.", "Again.",
    )  # fmt: skip
    bodies = [request["body"] for request in made.server.requests()]
    assert [("max_tokens" in one, "temperature" in one) for one in bodies] == [
        (True, True), (False, True), (False, False), (False, False),
    ]  # fmt: skip
    assert bodies[-1]["max_completion_tokens"] == 100
    assert made.pauses == []


def test_a_conversation_too_long_for_the_model_is_named_as_that(bench: Any) -> None:
    said = "This model's maximum context length is 8192 tokens. However, your messages resulted in "
    made = bench(Fail(400, said + "9000 tokens.", code="context_length_exceeded"))
    with pytest.raises(TooLong, match="too long for openai/local") as caught:
        made.open().complete(ASK, FOREVER)
    assert "larger context" in caught.value.todo


def test_another_bad_request_is_refused_at_once(bench: Any) -> None:
    made = bench(Fail(400, "the temperature of this room is too high"))
    with pytest.raises(ModelRefused):
        made.open().complete(ASK, FOREVER)
    assert len(made.server.requests()) == 1


def test_pictures_go_out_under_their_names_as_they_are_and_count_in_the_ceiling(bench: Any) -> None:
    pictures = (Picture("loss.png", "a" * 64), Picture("acc.png", "b" * 64))
    ask = replace(ASK, messages=(Message("user", "Look.", pictures=pictures),))
    made = bench("I see.")
    model = made.open()
    assert isinstance(model, LitellmModel)
    kept = {"a" * 64: b"\x89PNG one", "b" * 64: b"\x89PNG two"}
    model.reading(kept.__getitem__).complete(ask, FOREVER)
    (request,) = made.server.requests()
    (message,) = request["body"]["messages"]
    assert [part.get("text") or part["image_url"]["url"] for part in message["content"]] == [
        "Look.", "loss.png:", _url(b"\x89PNG one"), "acc.png:", _url(b"\x89PNG two"),
    ]  # fmt: skip
    assert model.ceiling(ask).prompt_tokens > 2 * PICTURE_TOKENS


def _url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def test_a_reply_that_was_cut_off_says_so(bench: Any) -> None:
    assert bench(Stop("half", "length")).open().complete(ASK, FOREVER).finish == "length"


def test_half_a_surrogate_pair_becomes_text_that_can_be_recorded(bench: Any) -> None:
    assert bench("a\ud800b").open().complete(ASK, FOREVER).text == "a?b"


def body(content: object, finish: str = "stop", **more: object) -> Raw:
    message = {"role": "assistant", "content": content, **more}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return Raw(json.dumps({"id": "x", "model": "m", "choices": [choice], "usage": usage}))


@pytest.mark.parametrize(
    ("answer", "finish"),
    [
        (Stop(None, "content_filter"), "content_filter"),
        (Stop(" \n", "stop"), "stop"),
        (body(None, "length", reasoning_content="hm"), "length"),
        (Raw('{"choices": []}'), "nothing"),
    ],
)
def test_an_answer_with_no_text_is_one_that_its_caller_may_ask_for_again(
    bench: Any, answer: ServerAnswer, finish: str
) -> None:
    made = bench(answer)
    reply = made.open().complete(ASK, FOREVER)
    assert (reply.text.strip(), reply.finish) == ("", finish)
    assert len(made.server.requests()) == 1


def test_an_answer_with_no_text_is_charged(bench: Any) -> None:
    prices = {"input_cost_per_token": 1.0, "output_cost_per_token": 2.0}
    environ = {"OPENAI_API_BASE": bench(body(None, "length")).server.url}
    reply = open_model("openai/local", environ=environ, prices=prices).complete(ASK, FOREVER)
    assert reply.usage == Usage(3, 4, 11.0, requests=1)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([{"type": "text", "text": "one "}, {"type": "text", "text": "two"}], "one two"),
        (["one ", "two"], "one two"),
        ([{"type": "thinking", "text": "a draft"}, {"type": "text", "text": "two"}], "two"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "a draft"}]}], ""),
        ([], ""),
        ([{"type": "text", "text": None}, 3, None], ""),
    ],
)
def test_an_answer_in_parts_is_their_text_and_no_failure(
    bench: Any, parts: list[object], text: str
) -> None:
    """litellm takes such a body for a server's error, which would be asked for again and again."""
    made = bench(body(parts, "length"))
    reply = made.open("openai/gpt-4o").complete(ASK, FOREVER)
    assert (reply.text, reply.finish) == (text, "length")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (3, 4)
    assert reply.usage.usd
    assert made.pauses == []


def test_a_body_in_parts_that_is_no_answer_otherwise_is_a_servers_error(bench: Any) -> None:
    wrong = {"choices": [{"message": {"content": ["a"]}}], "usage": {"prompt_tokens": "many"}}
    with pytest.raises(ModelBusy):
        bench(Raw(json.dumps(wrong)), tries=1).open().complete(ASK, FOREVER)


# --- busy: asked again --------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        Fail(429),
        Fail(500),
        Fail(502),
        Fail(503),
        Fail(529),
        Drop(),
        Raw("<html>bad gateway</html>"),
        Raw("{}"),
    ],
    ids=str,
)
def test_a_busy_vendor_is_asked_again_with_longer_pauses(bench: Any, trouble: ServerAnswer) -> None:
    made = bench(trouble, trouble, "Hello.")
    assert made.open().complete(ASK, FOREVER).text == "Hello."
    assert made.pauses == [2.0, 4.0]
    assert len(made.server.requests()) == 3


def test_a_vendor_that_hangs_is_given_up_on_in_time_and_asked_again(bench: Any) -> None:
    made = bench(Hang(2), "Hello.", timeout=0.3)
    assert made.open().complete(ASK, FOREVER).text == "Hello."
    assert len(made.pauses) == 1


def test_a_vendor_that_stays_busy_is_a_transient_error_after_all_tries(bench: Any) -> None:
    made = bench(Fail(503, "overloaded"), tries=4)
    with pytest.raises(ModelBusy, match="asked 4 times") as caught:
        made.open().complete(ASK, FOREVER)
    assert caught.value.transient
    assert "HTTP 503" in caught.value.why
    assert "overloaded" in caught.value.why
    assert len(made.server.requests()) == 4


def test_the_wait_that_the_vendor_asks_for_is_kept(bench: Any) -> None:
    made = bench(Fail(429, headers=(("Retry-After", "33"),)), "Hello.")
    made.open().complete(ASK, FOREVER)
    assert made.pauses == [33.0]


def test_a_wait_beyond_all_patience_is_not_begun(bench: Any) -> None:
    made = bench(Fail(429, headers=(("Retry-After", "86400"),)), "never")
    with pytest.raises(ModelBusy):
        made.open().complete(ASK, FOREVER)
    assert made.pauses == []


def test_a_call_is_bounded_in_time_whatever_the_vendor_does(bench: Any) -> None:
    made = bench(Fail(500), tries=50, longest_pause=8, total=30)
    with pytest.raises(ModelBusy):
        made.open().complete(ASK, FOREVER)
    assert made.pauses == [2, 4, 8, 8, 8]


@pytest.mark.parametrize("answer", [Hang(20.0), Drip(20.0)])
def test_an_answer_that_is_still_under_way_when_the_ideas_time_is_over_is_given_up(
    bench: Any, answer: ServerAnswer
) -> None:
    """A vendor that keeps the line warm with blanks outlasts every time-out between two bytes."""
    made, began = bench(answer), time.monotonic()
    model = made.open()
    with pytest.raises(BudgetSpent, match=r"idea\.wall") as caught:
        model.complete(ASK, Deadline.after(1.0, "idea.wall"))
    assert caught.value.transient
    assert time.monotonic() - began < 20, "given up before the answer was whole"
    assert made.pauses == []


def test_a_pause_longer_than_the_ideas_time_is_not_begun(bench: Any) -> None:
    made = bench(Fail(429, headers=(("Retry-After", "50"),)), "too late")
    with pytest.raises(BudgetSpent, match=r"run\.wall"):
        made.open().complete(ASK, Deadline.after(30.0, "run.wall"))
    assert made.pauses == []


def test_jitter_shortens_a_pause_by_up_to_half(tmp_path: Path) -> None:
    server = ModelServer([Fail(500), "Hello."], tmp_path / "log")
    pauses: list[float] = []
    with server.running():
        world = RetryTiming(sleep=pauses.append, jitter=lambda: 0.0)
        open_model("openai/x", environ={"OPENAI_API_BASE": server.url}, timing=world).complete(
            ASK, FOREVER
        )
    assert pauses == [1.0]


# --- refused: not asked again -------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "todo"),
    [
        (Fail(400, "no such parameter"), "choose another model"),
        (Fail(401, f"Incorrect API key provided: {KEY}"), "check the key"),
        (Fail(403, "not for you"), "account may use"),
        (Fail(404, "no such model"), "check the model's name"),
        (Fail(422, "odd"), "choose another model"),
        (Fail(429, "You exceeded your current quota", "insufficient_quota"), "quota is exhausted"),
        (
            Fail(400, "This model's maximum context length is 8 tokens", "context_length_exceeded"),
            "larger context",
        ),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_a_refusal_is_told_at_once_with_what_to_do(bench: Any, trouble: Fail, todo: str) -> None:
    made = bench(trouble)
    with pytest.raises(ModelRefused, match=todo) as caught:
        made.open().complete(ASK, FOREVER)
    assert caught.value.transient, "resume asks again"
    assert made.pauses == []
    assert len(made.server.requests()) == 1
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# --- secrets ------------------------------------------------------------------------------


def test_a_key_never_leaves_the_edge_in_a_reply(bench: Any) -> None:
    assert (
        bench(f"Your key is {KEY}.").open().complete(ASK, FOREVER).text
        == "Your key is [OPENAI_API_KEY]."
    )


def test_redaction_finds_keys_in_the_spelling_of_urls_and_json() -> None:
    environ = {"SOME_TOKEN": 'a/b+c"d\\e', "HOME": "/root/secret", "DB_PASSWORD": "short"}
    for text in ('a/b+c"d\\e', "a%2Fb%2Bc%22d%5Ce", 'a/b+c\\"d\\\\e'):
        assert redact(f"<{text}>", environ) == "<[SOME_TOKEN]>"
    assert redact("/root/secret short", environ) == "/root/secret short"


def test_a_key_that_contains_another_is_taken_out_whole() -> None:
    environ = {"A_KEY": "secret-1", "B_KEY": "secret-1-and-more"}
    assert redact("secret-1-and-more secret-1", environ) == "[B_KEY] [A_KEY]"


def test_a_use_below_zero_is_charged_as_the_most_that_the_request_could_cost(bench: Any) -> None:
    """Else a server's wrong count would give budget back."""
    model = bench(Stop("Hello.", "stop", written=-5)).open("openai/gpt-4o")
    assert model.complete(ASK, FOREVER).usage == replace(model.ceiling(ASK), requests=1)


@pytest.mark.parametrize("written", [10**9 + 1, 10**30])
def test_an_absurd_use_is_charged_as_the_most_that_the_request_could_cost(
    bench: Any, written: int
) -> None:
    """Else a server's wrong count would spend the whole budget."""
    model = bench(Stop("Hello.", "stop", written=written)).open("openai/gpt-4o")
    assert model.complete(ASK, FOREVER).usage == replace(model.ceiling(ASK), requests=1)


def test_a_line_is_told_before_each_pause_with_the_address_and_the_number_of_tries(
    bench: Any,
) -> None:
    made = bench(Fail(503), Fail(429, headers=(("Retry-After", "30"),)), "Hello.")
    assert made.open().complete(ASK, FOREVER).text == "Hello."
    first, second = made.told
    where = f"waiting for openai/local, step ideas.propose; OPENAI_API_BASE={made.server.url}: "
    assert first.startswith(f"{where}HTTP 503: ")
    assert first.endswith("; asking again in 2 s, try 2 of 8")
    assert second.endswith("; asking again in 30 s, try 3 of 8")


def test_where_no_server_answers_the_address_is_named_while_it_waits_and_at_the_end() -> None:
    """Without the password that it may hold; nothing listens at port 9."""
    told: list[str] = []
    timing = RetryTiming(sleep=lambda _: None, clock=lambda: 0.0, tell=told.append)
    environ = {"OPENAI_API_BASE": "http://me:pass-word@127.0.0.1:9/v1"}
    model = open_model("openai/local", environ=environ, retry=RetryPolicy(tries=2), timing=timing)
    with pytest.raises(ModelBusy) as failed:
        model.complete(ASK, FOREVER)
    address = "OPENAI_API_BASE=http://127.0.0.1:9/v1"
    assert failed.value.where == f"step ideas.propose; {address}"
    assert failed.value.why.startswith("no connection to a server: ")
    assert failed.value.todo.startswith("check that a server answers at this address")
    (line,) = told
    assert address in line
    assert "pass-word" not in f"{line} {failed.value}"


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("openai/local", "OPENAI_BASE_URL"),
        ("ollama/llama3", "OLLAMA_API_BASE"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_BASE"),
    ],
)
def test_the_variable_of_a_wrong_address_is_named_for_every_vendor(
    name: str, variable: str
) -> None:
    with pytest.raises(UserError, match=f"{variable} is not the address of a server") as refused:
        open_model(name, environ={variable: "localhost:8000/v1"})
    assert refused.value.where == f"{variable}=localhost:8000/v1"


@pytest.mark.parametrize(
    "base",
    ["localhost:8000/v1", "http://", "https:///v1", "ftp://host/", "http://h:99999/", " http://h"],
)
def test_what_is_no_address_of_a_server_is_refused_before_any_request(base: str) -> None:
    with pytest.raises(UserError) as refused:
        open_model("openai/local", environ={"OPENAI_API_BASE": base})
    assert "http://" in refused.value.why


# --- prices -------------------------------------------------------------------------------


def test_a_known_model_is_priced_and_its_ceiling_bounds_the_price(bench: Any) -> None:
    model = bench("Hello, " * 20).open("openai/gpt-4o")
    assert isinstance(model, LitellmModel)
    prices = model.prices()
    usage = model.complete(ASK, FOREVER).usage
    expected = usage.prompt_tokens * prices["input_cost_per_token"]
    expected += usage.completion_tokens * prices["output_cost_per_token"]
    assert usage.usd == pytest.approx(expected)
    ceiling = model.ceiling(ASK)
    assert usage.usd is not None
    assert ceiling.usd is not None
    assert 0 < usage.usd < ceiling.usd


def test_an_unknown_price_is_none_and_never_zero(bench: Any) -> None:
    model = bench("Hello.").open()
    assert model.prices() == {}
    assert model.ceiling(ASK).usd is None
    assert model.complete(ASK, FOREVER).usage.usd is None


@pytest.mark.parametrize("name", ["openai/local", "openai/gpt-4o"])
def test_a_stated_or_pinned_price_is_what_is_charged(bench: Any, name: str) -> None:
    """For a model that no list knows, and for one whose listed price has changed since."""
    server = bench("Hello.").server
    environ = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
    prices = {"input_cost_per_token": 2.0, "output_cost_per_token": 3.0}
    model = open_model(name, environ=environ, prices=prices)
    assert isinstance(model, LitellmModel)
    assert model.prices() == prices
    usage, ceiling = model.complete(ASK, FOREVER).usage, model.ceiling(ASK)
    assert usage.usd == pytest.approx(2 * usage.prompt_tokens + 3 * usage.completion_tokens)
    assert ceiling.usd == pytest.approx(2 * ceiling.prompt_tokens + 3 * ceiling.completion_tokens)


def test_a_model_of_ones_own_may_be_stated_to_be_free(bench: Any) -> None:
    environ = {"OPENAI_API_BASE": bench("Hello.").server.url, "OPENAI_API_KEY": KEY}
    prices = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
    model = open_model("openai/local", environ=environ, prices=prices)
    assert (model.complete(ASK, FOREVER).usage.usd, model.ceiling(ASK).usd) == (0.0, 0.0)


def test_an_answer_is_never_asked_to_be_longer_than_the_model_can(bench: Any) -> None:
    made = bench("Hello.")
    model = made.open("openai/gpt-4o")
    long = Ask(purpose="x", messages=ASK.messages, max_tokens=10**6)
    model.complete(long, FOREVER)
    assert made.server.requests()[0]["body"]["max_tokens"] == 16_384
    assert model.ceiling(long).completion_tokens == 16_384


# --- names and keys -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("antropic/claude-sonnet-4-5", "'anthropic'"),
        ("gpt-4oo", "'gpt-4o'"),
        ("no such thing at all", "known: "),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnknownName) as caught:
        open_model(name, environ={})
    assert hint in caught.value.todo
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("name", "key"),
    [("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"), ("openai/gpt-4o", "OPENAI_API_KEY")],
)
def test_a_missing_key_is_named_before_anything_is_asked(
    name: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(key, raising=False)
    with pytest.raises(MissingKey, match=key) as caught:
        open_model(name, environ={})
    assert caught.value.exit_code == 2


def test_a_key_that_is_there_is_enough_and_nobody_is_asked() -> None:
    model = open_model("anthropic/claude-sonnet-4-5", environ={"ANTHROPIC_API_KEY": KEY})
    assert model.name == "anthropic/claude-sonnet-4-5"


@pytest.mark.program
def test_the_built_in_model_needs_no_key_and_no_litellm() -> None:
    code = (
        "import sys; from orchestrator.api.prepare import open_author;"
        "print(open_author('builtin/sweep', environ={}).name, 'litellm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["builtin/sweep", "False"]


@pytest.mark.program
def test_opening_and_asking_prints_nothing_and_reaches_nobody_else(tmp_path: Path) -> None:
    """In a process of its own, with an audit hook on every connection and a `.env` in its way."""
    (tmp_path / ".env").write_text("LEAKED=yes\n")
    server = ModelServer(["Hello."], tmp_path / "log")
    code = """
import os, sys
seen = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        seen.append(str(args[1] if event == "socket.connect" else args[:2]))
sys.addaudithook(hook)
from orchestrator.core.deadline import FOREVER
from orchestrator.models.litellm import open_model
from orchestrator.core.model import Ask
from orchestrator.core.model import Message
model = open_model("openai/gpt-4o", environ=os.environ)
text = model.complete(Ask(purpose="p", messages=(Message("user", "hi"),)), FOREVER).text
assert all("127.0.0.1" in one for one in seen), seen
assert "LEAKED" not in os.environ
print(text, len(seen) > 0)
"""
    with server.running():
        environ = {"PATH": os.environ["PATH"], "OPENAI_API_BASE": server.url}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environ,
        )
    assert (done.stdout, done.stderr) == ("Hello. True\n", "")


# --- scripted -----------------------------------------------------------------------------


def test_a_script_is_followed_by_purpose_and_content_and_then_refuses(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"purpose": "b", "text": "for b"},
        {"purpose": "a", "contains": "second", "text": "for the second a"},
        {"purpose": "a", "text": "for any a"},
        {"text": "for all", "times": 2},
    ]
    path = tmp_path / "replies.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    model = open_model(f"scripted/{path}", environ={})
    assert isinstance(model, ScriptedModel)

    def say(purpose: str, text: str) -> str:
        return model.complete(Ask(purpose=purpose, messages=(Message("user", text),)), FOREVER).text

    assert say("a", "first") == "for any a"
    assert model._used == [0, 0, 1, 0]
    assert say("a", "the second") == "for the second a"
    assert say("c", "x") == say("a", "x") == "for all"
    with pytest.raises(ModelRefused, match="no scripted reply expects this request of 'a'"):
        say("a", "x")
    assert len(model.asks) == 5


def test_a_scripted_error_is_raised() -> None:
    model = ScriptedModel([ReplyRule(text=ModelBusy("so busy")), "then this"])
    with pytest.raises(ModelBusy, match="so busy"):
        model.complete(ASK, FOREVER)
    assert model.complete(ASK, FOREVER).text == "then this"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"purpose": "a"}', "replies.jsonl:2: text"),
        ('{"text": "a", "tmes": 1}', "replies.jsonl:2: tmes"),
        ('{"text": "a", "times": -1}', "replies.jsonl:2: times"),
        ("nonsense", "replies.jsonl:2"),
    ],
)
def test_a_wrong_script_names_its_line_and_key(tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    with pytest.raises(BadFile) as caught:
        open_model(f"scripted/{path}", environ={})
    assert what in str(caught.value)


def test_a_script_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        open_model(f"scripted/{tmp_path}/none.jsonl", environ={})
