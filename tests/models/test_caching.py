"""A vendor's cache: markers where they are wanted, and what was read from it counted and priced."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.model import Ask, Message, Picture, Usage
from orchestrator.models.bounds import MARGIN, cost_of, highest_price, prompt_bound
from orchestrator.models.caching import MOST_MARKS, marked_places, wants_marks
from orchestrator.models.litellm import LitellmModel, open_model
from orchestrator.record.ledger import total_usage
from orchestrator.research.loopback.server import ModelServer

KEY = "sk-ant-test-0123456789abcdef"
USED = {"input_tokens": 10, "cache_read_input_tokens": 3000, "cache_creation_input_tokens": 500,
        "output_tokens": 7}  # fmt: skip
CLAUDE = "anthropic/claude-sonnet-4-5"


@contextmanager
def anthropic() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server of the Messages format: its address, and the requests that came."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
                    "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn",
                    "stop_sequence": None, "usage": USED}  # fmt: skip
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def conversation(turns: int) -> Ask:
    """A request that repeats a growing conversation, each turn the end of a prefix."""
    said: list[Message] = []
    for number in range(turns):
        said += [Message("user", f"Task {number}.", cache=True), Message("assistant", "Done.")]
    return Ask(purpose="writeup.setup", messages=tuple(said[:-1]))


def marks(request: dict[str, Any]) -> list[int]:
    """The messages of a request that end in a marker."""
    return [
        at
        for at, message in enumerate(request["messages"])
        if isinstance(message["content"], list) and "cache_control" in message["content"][-1]
    ]


def test_claude_is_told_where_a_prefix_ends_and_its_cache_is_counted_and_priced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with anthropic() as (address, asked):
        monkeypatch.setenv("ANTHROPIC_API_BASE", address)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        model = open_model(CLAUDE, environ={"ANTHROPIC_API_KEY": KEY})
        assert isinstance(model, LitellmModel)
        ask = conversation(6)
        usage = model.complete(ask, FOREVER).usage
    assert marks(asked[0]) == [0, 6, 8, 10], "the first, and the last three"
    assert (usage.prompt_tokens, usage.cached, usage.written) == (3510, 3000, 500)
    prices = model.prices()
    plain = 10 * prices["input_cost_per_token"] + 7 * prices["output_cost_per_token"]
    kept = 3000 * prices["cache_read_input_token_cost"]
    made = 500 * prices["cache_creation_input_token_cost"]
    assert usage.usd == pytest.approx(plain + kept + made)


def test_a_price_of_ones_own_counts_the_cache_too(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"input_cost_per_token": 1.0, "output_cost_per_token": 2.0,
           "cache_read_input_token_cost": 0.1}  # fmt: skip
    with anthropic() as (address, _):
        monkeypatch.setenv("ANTHROPIC_API_BASE", address)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        model = open_model(CLAUDE, environ={"ANTHROPIC_API_KEY": KEY}, prices=own)
        usage = model.complete(conversation(1), FOREVER).usage
    assert usage.usd == pytest.approx(10 + 0.1 * 3000 + 500 + 2 * 7)


def test_a_vendor_that_caches_by_itself_gets_no_marker(tmp_path: Path) -> None:
    server = ModelServer(["Yes."], tmp_path / "log")
    with server.running():
        environ = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": "sk-test-0123456789"}
        open_model("openai/gpt-4o", environ=environ).complete(conversation(3), FOREVER)
        (request,) = server.requests()
    assert marks(request["body"]) == []
    assert "cache_control" not in json.dumps(request["body"])


SAID_IN_A_ROW = Ask(
    purpose="doubt.read",
    messages=(
        Message("user", "All facts.", cache=True, pictures=(Picture("a.png", "0" * 64),)),
        Message("user", "Task 1."),
        Message("assistant", "Done."),
        Message("user", "Task 2."),
    ),
)


def test_what_one_side_says_in_a_row_is_one_turn_with_the_mark_inside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Servers refuse turns that do not alternate; the same facts before another task are in the cache."""
    with anthropic() as (address, asked):
        monkeypatch.setenv("ANTHROPIC_API_BASE", address)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        model = open_model(CLAUDE, environ={"ANTHROPIC_API_KEY": KEY})
        assert isinstance(model, LitellmModel)
        model.reading(lambda _: b"PNG").complete(SAID_IN_A_ROW, FOREVER)
    messages = asked[0]["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]
    facts, name, picture, task = messages[0]["content"]
    assert (facts["text"], name["text"], task["text"]) == ("All facts.", "a.png:", "Task 1.")
    assert "cache_control" in picture
    assert not any("cache_control" in one for one in (facts, name, task))


def test_texts_in_a_row_are_one_text_where_nothing_is_marked(tmp_path: Path) -> None:
    server = ModelServer(["Yes."], tmp_path / "log")
    with server.running():
        environ = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": "sk-test-0123456789"}
        facts, *others = SAID_IN_A_ROW.messages
        ask = replace(SAID_IN_A_ROW, messages=(replace(facts, pictures=()), *others))
        open_model("openai/gpt-4o", environ=environ).complete(ask, FOREVER)
        (request,) = server.requests()
    said = [(one["role"], one["content"]) for one in request["body"]["messages"]]
    assert said == [
        ("user", "All facts.\n\nTask 1."),
        ("assistant", "Done."),
        ("user", "Task 2."),
    ]


@pytest.mark.parametrize(
    ("name", "provider", "wanted"),
    [
        ("anthropic/claude-opus-5", "anthropic", True),
        ("bedrock/anthropic.claude-sonnet-4-5", "bedrock", True),
        ("vertex_ai/claude-sonnet-4-5", "vertex_ai", True),
        ("openrouter/anthropic/claude-sonnet-4-5", "openrouter", True),
        ("openrouter/openai/gpt-5", "openrouter", False),
        ("openai/gpt-5", "openai", False),
        ("openai/claude-by-a-proxy", "openai", False),
        ("gemini/gemini-2.5-pro", "gemini", False),
        ("deepseek/deepseek-chat", "deepseek", False),
        ("bedrock/meta.llama3", "bedrock", False),
    ],
)
def test_markers_go_to_whoever_serves_claude_and_to_nobody_else(
    name: str, provider: str, *, wanted: bool
) -> None:
    assert wants_marks(name, provider, {}) is wanted


def test_no_request_has_more_markers_than_a_vendor_takes() -> None:
    for turns in range(1, 12):
        places = marked_places(conversation(turns).messages)
        assert len(places) <= MOST_MARKS
        assert {0, 2 * turns - 2} <= places, "the first and the newest end are among them"


# --- bounds -------------------------------------------------------------------------------

TIERS = {
    "input_cost_per_token": 1.0, "output_cost_per_token": 5.0, "input_cost_per_token_above_200k_tokens": 2.0,
    "output_cost_per_token_above_200k_tokens": 7.5, "input_cost_per_token_priority": 9.0,
    "input_cost_per_token_batches": 0.5, "output_cost_per_token_flex": 2.5,
    "cache_creation_input_token_cost": 1.25, "cache_creation_input_token_cost_above_1hr": 2.0,
    "input_cost_per_audio_token": 40.0, "output_cost_per_image_token": 30.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "prompt", "marked", "price"),
    [
        ("input", 1000, False, 1.0),
        ("input", 1000, True, 1.25),
        ("input", 200_001, False, 2.0),
        ("output", 1000, False, 5.0),
        ("output", 300_000, False, 7.5),
    ],
)
def test_only_the_tier_and_the_cache_that_are_asked_for_bound_the_price(
    kind: str, prompt: int, price: float, *, marked: bool
) -> None:
    assert highest_price(TIERS, kind, prompt, marked=marked) == price


def test_an_unknown_price_has_no_bound() -> None:
    assert highest_price({}, "input", 5) is None


@pytest.mark.parametrize(
    "text", ["words of a paper " * 500, "aaaa" * 20_000, "数学" * 3000, "\x00\ud800" * 50, ""]
)
def test_the_bound_is_never_above_the_bytes_and_near_a_tokenizers_count(text: str) -> None:
    model = open_model("openai/gpt-4o", environ={"OPENAI_API_KEY": "sk-test-0123456789"})
    assert isinstance(model, LitellmModel)
    ask = Ask(purpose="x", messages=(Message("user", text),))
    bound = prompt_bound(ask, model._count)
    assert bound <= len(text.encode("utf-8", "replace")) + 16
    whole = model._count(text[:4000]) * -(-len(text) // 4000)
    assert bound <= MARGIN * whole + 32


def test_a_prompt_of_prose_is_bounded_by_less_than_half_its_bytes() -> None:
    text = (
        "The validation accuracy of the smaller network rises later than that of the larger. " * 200
    )
    model = open_model("openai/gpt-4o", environ={"OPENAI_API_KEY": "sk-test-0123456789"})
    ask = Ask(purpose="x", messages=(Message("user", text),))
    assert model.ceiling(ask).prompt_tokens < len(text) / 2
    seen = Ask(
        purpose="x", messages=(Message("user", text, pictures=(Picture("a.png", "0" * 64),)),)
    )
    assert model.ceiling(seen).prompt_tokens > 40_000


def test_costs_without_prices_of_a_cache_are_those_of_plain_tokens() -> None:
    plain = {"input_cost_per_token": 2.0, "output_cost_per_token": 3.0}
    assert cost_of(plain, 100, 10, 60, 30) == pytest.approx(2 * 100 + 3 * 10)
    assert total_usage([Usage(1, 2, 0.5, 1, 0), Usage(3, 4, 0.5, 1, 2)]) == Usage(4, 6, 1.0, 2, 2)
