"""The most that a request can cost: tokens by a tokenizer with a margin, prices by the tier asked for.

A byte is at least a token's length, but three or four bytes are usual: with bytes alone, the last dollars of a
budget could not be used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from orchestrator.core.model import Ask
from orchestrator.models.pictures import PICTURE_TOKENS

MARGIN = 1.5
"""Tokens of a vendor's tokenizer per token of the one that counts here; those known need up to 1.35."""
MESSAGE_OVERHEAD = 16
"""Tokens that a vendor's chat format may add to each message; the known formats add 3 to 8."""
SCHEMA_OVERHEAD = 512
"""Tokens that a vendor may add to tell the model of the reply's schema, or of the tool that stands for it."""
_PIECE = (
    4000  # characters counted at once: a tokenizer's time grows with the square of a word's length
)
_TIER = re.compile(r"_above_(\d{1,6})k_tokens$")

CountTokens = Callable[[str], int]
"""How many tokens a text has, by some tokenizer."""


def prompt_bound(ask: Ask, count: CountTokens) -> int:
    """The most tokens that the messages of a request have."""
    total = len(ask.reply_schema.encode()) + SCHEMA_OVERHEAD if ask.reply_schema else 0
    for message in ask.messages:
        text = message.content
        pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
        counted = int(MARGIN * sum(count(piece) for piece in pieces)) + 1
        total += min(len(text.encode("utf-8", "replace")), counted) + MESSAGE_OVERHEAD
        total += sum(PICTURE_TOKENS + len(one.name.encode()) for one in message.pictures)
    return total


def highest_price(
    prices: Mapping[str, float], kind: str, prompt: int, *, marked: bool = False
) -> float | None:
    """The highest price of an ``input`` or ``output`` token of a request with so many prompt tokens; None
    where none is known. ``marked``: parts of it are written to the vendor's cache for five minutes.

    Tiers that are never asked for (flex, priority, batch, an hour's cache) do not count.
    """
    if f"{kind}_cost_per_token" not in prices:
        return None
    names = [f"{kind}_cost_per_token"]
    if kind == "input" and marked:
        names.append("cache_creation_input_token_cost")
    if kind == "output":
        names.append("output_cost_per_reasoning_token")
    return max(price for name in names for price in _at(prices, name, prompt))


def _at(prices: Mapping[str, float], name: str, prompt: int) -> list[float]:
    """The price of that name, and those of its tiers that so long a prompt reaches."""
    found = [prices[name]] if name in prices else []
    for key, price in prices.items():
        tier = _TIER.search(key)
        if tier and key == name + tier[0] and prompt > int(tier[1]) * 1000:
            found.append(price)
    return found


def batch_prices(prices: Mapping[str, float]) -> dict[str, float]:
    """The prices of a request in a batch: those that the vendor's list has for it, else half."""
    end = "_batches"
    return {
        key: prices.get(key + end, price / 2)
        for key, price in prices.items()
        if not key.endswith(end)
    }


def cost_of(
    prices: Mapping[str, float], prompt: int, answer: int, cached: int, written: int
) -> float:
    """US dollars of a request's tokens; ``prompt`` includes those read from and written to the cache."""
    per_prompt, per_answer = prices["input_cost_per_token"], prices["output_cost_per_token"]
    per_cached = prices.get("cache_read_input_token_cost", per_prompt)
    per_written = prices.get("cache_creation_input_token_cost", per_prompt)
    plain = max(0, prompt - cached - written)
    return plain * per_prompt + cached * per_cached + written * per_written + answer * per_answer
