"""What a model costs: litellm's own price, or the one that a person states."""

from __future__ import annotations

import math

from orchestrator.core.errors import UserError
from orchestrator.core.protocols import LanguageModel
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT, LitellmModel

_MILLION = 1e6
_FORM = "--price IN,OUT: US dollars for a million tokens of prompt and of answer, such as 3,15"


def stated(price: str | None) -> dict[str, float]:
    """``IN,OUT`` as prices per token; empty where none was stated. Raises :class:`UserError`."""
    if price is None:
        return {}
    try:
        numbers = [float(word) for word in price.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 2 or not all(math.isfinite(one) and one >= 0 for one in numbers):
        raise UserError("this is no price", where=f"--price {price}", todo=_FORM)
    return {PER_PROMPT: numbers[0] / _MILLION, PER_COMPLETION: numbers[1] / _MILLION}


def prices_of(model: LanguageModel, price: str | None) -> tuple[tuple[str, float], ...]:
    """The prices to pin. Raises :class:`UserError` where a budget in dollars could not hold."""
    if not isinstance(model, LitellmModel):
        if price is not None:
            raise UserError(f"{model.name} costs nothing", where=f"--price {price}")
        return ()
    prices = stated(price) or model.prices()
    if PER_PROMPT not in prices or PER_COMPLETION not in prices:
        raise UserError(
            f"nobody here knows what {model.name} costs, so a budget in dollars would not hold",
            where=f"--model {model.name}",
            why="the price list of the litellm version that is installed does not have it",
            todo=f"say it with {_FORM}; 0,0 for a model of your own that is free",
        )
    return tuple(sorted(prices.items()))
