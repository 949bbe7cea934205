"""Models by name: those that the settings and the user's prices name, and those of a vendor in litellm's list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from orchestrator.api.model_check import ModelCheck, check_model
from orchestrator.api.preferences import settings_held
from orchestrator.core.errors import UnknownName
from orchestrator.core.model import SWEEP
from orchestrator.core.problems import nearest
from orchestrator.models.effort import effort_levels
from orchestrator.models.litellm import (
    PER_COMPLETION,
    PER_PROMPT,
    listed_models,
    takes_parameter,
)
from orchestrator.models.model_end import end_of
from orchestrator.models.price_file import TOKENS_PRICED, priced_names

VENDORS = ("anthropic", "openai", "gemini", "openrouter", "mistral", "deepseek", "xai", "groq")
"""Vendors of language models that people mostly ask; any other of litellm's can be named too."""
_NAMING = ("model", "edit_model", "review_model")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredModel:
    """A model that a setting or the file of prices names; ``known`` is None for the author that is a program."""

    name: str
    origin: str
    known: ModelCheck | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A vendor's model as litellm's list has it: US dollars for a million tokens, tokens, the levels that
    ``--effort`` has there, its end.
    """

    name: str
    input: float | None
    output: float | None
    context: int | None
    pictures: bool
    reasoning: bool
    efforts: tuple[str, ...]
    ends: date | None


def configured_models(environ: Mapping[str, str]) -> tuple[ConfiguredModel, ...]:
    """Each model that is configured here, once. Raises :class:`UserError` for a name that nobody knows."""
    named = {
        str(one.value): f"{one.key} ({one.origin})"
        for one in reversed(settings_held(environ))
        if one.key in _NAMING and one.value
    }
    for name in priced_names():
        named.setdefault(name, "prices.yaml")
    return tuple(
        ConfiguredModel(
            name=name,
            origin=origin,
            known=None if name == SWEEP else check_model(name, offline=True, environ=environ),
        )
        for name, origin in named.items()
    )


def models_of(vendor: str) -> tuple[ListedModel, ...]:
    """A vendor's models that have not ended, by name. Raises :class:`UnknownName`."""
    today = datetime.now(UTC).date()
    found = []
    for name, facts in sorted(listed_models(vendor).items()):
        end = end_of(facts, today)
        if end is None or end.days >= 0:
            context = facts.get("max_input_tokens")
            found.append(
                ListedModel(
                    name=name,
                    input=_million(facts.get(PER_PROMPT)),
                    output=_million(facts.get(PER_COMPLETION)),
                    context=context if isinstance(context, int) else None,
                    pictures=bool(facts.get("supports_vision")),
                    reasoning=bool(facts.get("supports_reasoning")),
                    efforts=effort_levels(facts) if _takes_effort(name, facts) else (),
                    ends=end.on if end else None,
                )
            )
    if not found:
        raise UnknownName(
            "litellm's list has no models of this vendor",
            where=f"{vendor[:100]}/",
            todo=nearest(vendor, VENDORS),
        )
    return tuple(found)


def _takes_effort(name: str, facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("supports_reasoning")) and takes_parameter(name, "reasoning_effort")


def _million(price: object) -> float | None:
    return round(price * TOKENS_PRICED, 6) if isinstance(price, int | float) else None
