"""What is read from an entry of litellm's map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.errors import UnknownName
from orchestrator.core.model import Ask, Message
from orchestrator.models.bounds import SCHEMA_OVERHEAD, prompt_bound
from orchestrator.models.facts import highest_factor, map_entry, takes_schema, thinks
from orchestrator.models.keys import provider_of

REASONS = {"supports_reasoning": True}
ADAPTIVE = {**REASONS, "supports_adaptive_thinking": True}


@pytest.mark.parametrize(
    ("name", "facts", "room"),
    [
        ("openai/o3", REASONS, True),
        ("gemini/gemini-2.5-pro", REASONS, True),
        ("openai/gpt-5.2", {**REASONS, "default_reasoning_effort": "none"}, False),
        ("anthropic/claude-sonnet-4-5", REASONS, False),
        ("anthropic/claude-sonnet-4-6", {**ADAPTIVE, "supports_legacy_thinking": True}, False),
        ("bedrock/anthropic.claude-opus-5", ADAPTIVE, True),
        ("anthropic/claude-haiku-5-5", {**ADAPTIVE, "thinking_always_on": False}, True),
        ("vertex_ai/claude-opus-5-5", {**ADAPTIVE, "thinking_always_on": True}, True),
        ("anthropic/claude-new", {**REASONS, "thinking_on_by_default": True}, True),
        ("openai/gpt-4o", {}, False),
    ],
)
def test_a_model_that_may_think_unasked_gets_room_for_it(
    name: str, facts: dict[str, Any], *, room: bool
) -> None:
    assert thinks(name, facts) is room


@pytest.mark.parametrize(
    ("name", "facts", "taken"),
    [
        ("openai/gpt-4o", {"supports_response_schema": True}, True),
        ("openai/local", {}, False),
        ("bedrock/anthropic.claude-3-7", {"supports_response_schema": True}, True),
        ("bedrock/anthropic.claude-opus-5", {"supports_response_schema": True, **ADAPTIVE}, False),
        (
            "anthropic/claude-opus-5",
            {
                "supports_response_schema": True,
                "supports_native_structured_output": True,
                **ADAPTIVE,
            },
            True,
        ),
    ],
)
def test_a_schema_goes_where_the_map_knows_of_one_and_to_no_thinking_claude_as_a_forced_tool(
    name: str, facts: dict[str, Any], *, taken: bool
) -> None:
    assert takes_schema(name, facts) is taken


KNOWN = {
    "gpt-4o": {"litellm_provider": "openai"},
    "azure/gpt-4o": {"litellm_provider": "azure"},
    "anthropic.claude-5": {"litellm_provider": "bedrock_converse"},
    "vertex_ai/claude-5": {"litellm_provider": "vertex_ai-anthropic_models"},
    "gemini-2.5": {"litellm_provider": "vertex_ai-language-models"},
    "claude-5-5": {
        "litellm_provider": "anthropic",
        "supports_vision": True,
        "input_cost_per_token": 1.0,
    },
}


@pytest.mark.parametrize(
    ("name", "provider", "key"),
    [
        ("gpt-4o", "openai", "gpt-4o"),
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("azure/gpt-4o", "azure", "azure/gpt-4o"),
        ("bedrock/anthropic.claude-5", "bedrock", "anthropic.claude-5"),
        ("bedrock/invoke/anthropic.claude-5", "bedrock", "anthropic.claude-5"),
        ("vertex_ai/claude-5", "vertex_ai", "vertex_ai/claude-5"),
        ("vertex_ai/gemini-2.5", "vertex_ai", "gemini-2.5"),
    ],
)
def test_an_entry_is_found_under_the_names_that_the_map_gives_a_provider(
    name: str, provider: str, key: str
) -> None:
    assert map_entry(KNOWN, name, provider) == KNOWN[key]


@pytest.mark.parametrize(
    ("name", "provider"),
    [("hosted_vllm/gpt-4o", "hosted_vllm"), ("openai/claude-5-5", "openai"), ("x/y", "x")],
)
def test_a_namesake_at_another_provider_says_nothing(name: str, provider: str) -> None:
    assert map_entry(KNOWN, name, provider) == {}


def test_a_gateways_model_has_its_makers_abilities_and_no_price() -> None:
    name = "openrouter/anthropic/claude-5.5"
    assert map_entry(KNOWN, name, "openrouter") == {"supports_vision": True}


def test_a_regions_uplift_raises_the_most_that_a_model_can_cost() -> None:
    assert highest_factor({}) == 1.0
    facts = {"regional_endpoint_uplift_multiplier": 1.1, "x_uplift_multiplier_eu": "unknown"}
    assert highest_factor(facts) == 1.1


@pytest.mark.parametrize("name", ["github_copilot/gpt-5", "chatgpt/gpt-5"])
def test_a_vendor_that_wants_a_sign_in_is_refused_before_its_name_is_looked_up(name: str) -> None:
    with pytest.raises(UnknownName, match="sign-in in a browser"):
        provider_of(None, name)


def test_a_schema_counts_in_the_bound_of_its_request() -> None:
    plain = Ask(purpose="x", messages=(Message("user", "?"),))
    held = replace(plain, reply_schema='{"type": "object"}')
    more = prompt_bound(held, len) - prompt_bound(plain, len)
    assert more == len(held.reply_schema) + SCHEMA_OVERHEAD
