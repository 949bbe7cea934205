"""``--effort`` on its way: parsed, by purpose, by what a model has, and over the wire to each vendor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.effort import effort_for
from orchestrator.core.errors import UserError
from orchestrator.models.effort import (
    THINKING_AT,
    effort_levels,
    effort_taken,
    parse_effort,
)
from orchestrator.models.said import unlike
from tests.support.vendor_rig import ROOM, SCHEMA, ask, at, at_loopback, opened
from tests.support.vendor_server import TEXT, Refusal, VendorServer

OLD_CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
FIELDS = "additionalModelRequestFields"
CONFIG = "generationConfig.thinkingConfig"


@dataclass(frozen=True, kw_only=True)
class Row:
    """Where a vendor wants the level, and what stands there for ``low`` and for ``high``."""

    model: str
    place: str
    low: object = "low"
    high: object = "high"
    length: str = "max_tokens"
    cold: bool = True  # no temperature goes with it
    schema: bool = True


GPT: dict[str, Any] = {"place": "reasoning_effort", "length": "max_completion_tokens"}
ADAPTIVE: dict[str, Any] = {"place": "output_config.effort"}
BUDGET: dict[str, Any] = {"low": 1024, "high": 4096}
CONVERSE: dict[str, Any] = {"length": "inferenceConfig.maxTokens"}
GEMINI: dict[str, Any] = {
    "place": f"{CONFIG}.thinkingLevel",
    "length": "generationConfig.max_output_tokens",
}
ROWS = [
    Row(model="openai/gpt-6.1-sol", **GPT),
    Row(model="openai/gpt-5.2", **GPT),
    Row(model="azure/gpt-6.1-sol", **GPT),
    Row(model="bedrock/us.openai.gpt-6.1-sol", schema=False, **GPT),
    Row(model="anthropic/claude-opus-5-5", **ADAPTIVE),
    Row(model="anthropic/claude-sonnet-4-6", **ADAPTIVE),
    Row(model="anthropic/claude-sonnet-4-5", place="thinking.budget_tokens", **BUDGET),
    Row(model="bedrock/us.anthropic.claude-opus-5-5", place=f"{FIELDS}.output_config.effort", schema=False, **CONVERSE),
    Row(model=f"bedrock/{OLD_CLAUDE}", place=f"{FIELDS}.thinking.budget_tokens", **BUDGET, **CONVERSE),
    Row(model="vertex_ai/claude-opus-5-5", **ADAPTIVE),
    # Its schema would be the forced call of a tool, which a Claude that thinks refuses.
    Row(model="vertex_ai/claude-sonnet-4-5", place="thinking.budget_tokens", schema=False, **BUDGET),
    Row(model="openrouter/anthropic/claude-opus-5.5", place="reasoning_effort"),
    Row(model="gemini/gemini-3.8-flash", **GEMINI),
    Row(model="vertex_ai/gemini-3.8-flash", **GEMINI),
    Row(model="gemini/gemini-4-argon", cold=False, **GEMINI),
    Row(model="vertex_ai/gemini-2.5-pro", **GEMINI | BUDGET | {"place": f"{CONFIG}.thinkingBudget", "cold": False}),
    Row(model="deepseek/deepseek-v4-pro", place="reasoning_effort", cold=False),
    Row(model="xai/grok-4.7", place="reasoning_effort", cold=False),
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer().running() as vendor:
        yield vendor


@pytest.fixture
def vendors(server: VendorServer, monkeypatch: pytest.MonkeyPatch) -> VendorServer:
    at_loopback(server, monkeypatch)
    server.asked.clear()
    server.refusals.clear()
    return server


@pytest.mark.parametrize("level", ["low", "high"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.model)
def test_each_vendor_gets_the_level_in_its_own_words_with_room_to_think(
    vendors: VendorServer, row: Row, level: str
) -> None:
    model = opened(row.model)
    asked = replace(ask(model), effort=level)
    reply = model.complete(asked, FOREVER)
    (sent,) = (one.body for one in vendors.asked)
    assert at(sent, row.place) == getattr(row, level)
    assert at(sent, row.length) == ROOM + THINKING_AT[level]
    assert ("temperature" not in json.dumps(sent)) is row.cold
    assert ("additionalProperties" in json.dumps(sent)) is row.schema
    assert (reply.text, reply.finish) == (TEXT, "stop"), "what it thinks is no part of its answer"
    assert reply.usage.completion_tokens <= model.ceiling(asked).completion_tokens


@pytest.mark.parametrize(
    "name",
    ["openai/gpt-4o", "azure/my-deployment", "deepseek/deepseek-chat", "hosted_vllm/mine", "ollama/llama3.1"],
)  # fmt: skip
def test_a_model_of_which_no_level_is_known_gets_none(vendors: VendorServer, name: str) -> None:
    model = opened(name)
    plain, asked = ask(model), replace(ask(model), effort="high")
    model.complete(plain, FOREVER)
    model.complete(asked, FOREVER)
    first, second = (one.body for one in vendors.asked)
    assert first == second
    assert model.ceiling(plain) == model.ceiling(asked)


@pytest.mark.usefixtures("vendors")
def test_the_bound_of_a_call_counts_what_may_be_thought() -> None:
    model = opened("openai/gpt-6.1-sol")
    plain, low, high = (
        model.ceiling(replace(ask(model), effort=level)) for level in ("", "low", "high")
    )
    assert plain.completion_tokens == low.completion_tokens < high.completion_tokens
    assert low.usd is not None
    assert high.usd is not None
    assert low.usd < high.usd


def test_a_level_that_the_vendor_refuses_is_left_out_from_then_on(vendors: VendorServer) -> None:
    model = opened("openai/gpt-6.1-sol")
    body = {"error": {"message": "Unsupported value: 'reasoning_effort' does not support 'high' with this model.",
                      "type": "invalid_request_error", "param": "reasoning_effort", "code": "unsupported_value"}}  # fmt: skip
    vendors.refusals.append(Refusal(400, body))
    asked = replace(ask(model), effort="high")
    assert model.complete(asked, FOREVER).usage.requests == 2
    model.complete(asked, FOREVER)
    sent = [one.body.get("reasoning_effort") for one in vendors.asked]
    assert sent == ["high", None, None]
    assert at(vendors.asked[1].body, "response_format.json_schema.schema") == SCHEMA


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("output_config.effort: Extra inputs are not permitted", {"reasoning_effort"}),
        ("Thinking level is not supported for this model.", {"reasoning_effort"}),
        ("thinking.type.enabled is not supported for this model", {"reasoning_effort"}),
        ("'temperature' is not supported when reasoning effort is not none", {"temperature"}),
        ("Thinking may not be enabled when tool_choice forces tool use.", {"response_format"}),
        ("You are thinking too hard about this.", set()),
    ],
)
def test_what_a_refusal_is_about_is_read_in_each_vendors_words(words: str, names: set[str]) -> None:
    assert unlike(words) == names


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (None, ()),
        ("high", (("default", "high"),)),
        ("reviewing=high, medium", (("default", "medium"), ("reviewing", "high"))),
    ],
)
def test_levels_are_for_all_or_for_a_role(text: str | None, pairs: tuple[Any, ...]) -> None:
    assert parse_effort(text) == pairs


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("max", "is no level"),
        ("high,", "is no level"),
        ("reviewer=high", "no role is named"),
        ("fallback=low", "no role is named"),
        ("low,high", "two levels are given for every role"),
    ],
)
def test_what_is_no_level_or_role_is_refused(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        parse_effort(text)


def test_small_questions_get_a_step_less_and_a_role_that_is_named_what_was_named() -> None:
    for_all = {"default": "high"}
    assert effort_for("review.form", for_all) == effort_for("ideas.propose", for_all) == "high"
    assert effort_for("cite.pick", for_all) == effort_for("writeup.queries", for_all) == "medium"
    assert effort_for("cite.pick", {"default": "low"}) == "low"
    assert effort_for("cite.pick", for_all | {"citing": "high"}) == "high"
    assert effort_for("plan.make", {"reviewing": "high"}) == ""
    assert effort_for("plan.make", {}) == ""


def test_a_model_gets_the_highest_level_that_it_has_and_never_more_than_was_asked_for() -> None:
    reasons = {"supports_reasoning": True}
    assert effort_levels({}) == ()
    assert effort_levels(reasons) == ("low", "medium", "high")
    some = effort_levels({**reasons, "reasoning_effort_levels": ["low", "high", "max"]})
    assert effort_taken("medium", some) == "low"
    none_low = effort_levels({**reasons, "supports_low_reasoning_effort": False})
    assert (effort_taken("low", none_low), effort_taken("high", none_low)) == ("", "high")
    assert effort_taken("high", ()) == effort_taken("", some) == ""
