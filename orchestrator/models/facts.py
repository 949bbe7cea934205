"""What litellm's map of models says of one: its entry, and what follows from the entry.

The map is litellm's own file; an entry holds prices, limits and flags. A flag that is absent says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FAMILY = {"bedrock_converse": "bedrock"}
"""Providers of entries that are asked under another provider's name."""
_ROUTES = ("converse/", "invoke/")  # how Bedrock is asked; no part of a model's name
_OF_A_SELLER = ("cost", "litellm_provider", "deprecation_date", "multiplier", "pricing")
"""Parts of the keys that say nothing of a model that somebody else sells."""
_GATEWAYS = frozenset({"openrouter"})
_BATCHES = frozenset({"openai", "anthropic"})


def map_entry(known: Mapping[str, Any], name: str, provider: str) -> dict[str, Any]:
    """The entry of the model ``name`` at ``provider``; empty if the map has none.

    A gateway's model has what is known of its maker's, without prices.
    """
    bare = name.removeprefix(f"{provider}/")
    for route in _ROUTES:
        bare = bare.removeprefix(route)
    for key in (name, bare):
        found = known.get(key) or {}
        if provider in {(at := found.get("litellm_provider", "")), _family(at)}:
            return dict(found)
    if provider not in _GATEWAYS:
        return {}
    maker, _, its = bare.partition("/")
    made = map_entry(known, its, maker) or map_entry(known, its.replace(".", "-"), maker)
    return {k: v for k, v in made.items() if not any(part in k for part in _OF_A_SELLER)}


def _family(provider: str) -> str:
    """``vertex_ai`` for ``vertex_ai-anthropic_models``, ``bedrock`` for ``bedrock_converse``."""
    return _FAMILY.get(provider, provider.partition("-")[0])


def thinks(name: str, facts: Mapping[str, Any]) -> bool:
    """Whether a model may think without being asked to; Claude up to 4.6 does not."""
    if facts.get("thinking_always_on"):
        return True
    if "thinking_on_by_default" in facts:
        return bool(facts["thinking_on_by_default"])
    if not facts.get("supports_reasoning") or facts.get("default_reasoning_effort") == "none":
        return False
    asked_to = facts.get("supports_legacy_thinking") or not facts.get("supports_adaptive_thinking")
    return not (_is_claude(name) and asked_to)


def takes_schema(name: str, facts: Mapping[str, Any], *, asked_to_think: bool = False) -> bool:
    """Whether a reply can be held to a schema. litellm makes a forced call of a tool where Claude has nothing of
    its own for that, and a Claude that thinks refuses to be forced.
    """
    if not facts.get("supports_response_schema"):
        return False
    native = facts.get("supports_native_structured_output") or facts.get("supports_forced_tool_use")
    thinking = asked_to_think or thinks(name, facts)
    return bool(native) or not (_is_claude(name) and thinking)


def takes_batches_at(provider: str, facts: Mapping[str, Any]) -> bool:
    """Whether a model's requests can go out as a batch, by a vendor whose form of that is known here."""
    priced = "input_cost_per_token_batches" in facts and facts.get("mode") == "chat"
    return provider in _BATCHES and priced


def takes_sampling(facts: Mapping[str, Any]) -> bool:
    """Whether a temperature may be sent; an unknown model is asked with one."""
    return facts.get("supports_sampling_params") is not False


def highest_factor(facts: Mapping[str, Any]) -> float:
    """The most by which a region makes a model dearer than its prices say."""
    factors = [one for key, one in facts.items() if "uplift_multiplier" in key]
    return max([1.0, *(float(one) for one in factors if isinstance(one, int | float))])


def _is_claude(name: str) -> bool:
    return "claude" in name.lower()
