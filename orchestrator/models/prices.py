"""What a model costs: the price of ``--price``, else the user's file's, else litellm's."""

from __future__ import annotations

import math
from collections.abc import Mapping

from orchestrator.core.errors import UserError
from orchestrator.core.protocols import LanguageModel
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT, LitellmModel
from orchestrator.models.price_file import own_price, own_prices_path

_MILLION = 1e6
_FORM = "--price IN,OUT: US dollars for a million tokens of prompt and of answer, such as 3,15"


def parse_price(price: str | None) -> dict[str, float]:
    """``IN,OUT`` as US dollars per token; empty for None. Raises :class:`UserError`."""
    if price is None:
        return {}
    try:
        numbers = [float(word) for word in price.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 2 or not all(math.isfinite(one) and one >= 0 for one in numbers):
        raise UserError("this is not a price", where=f"--price {price}", todo=_FORM)
    return {PER_PROMPT: numbers[0] / _MILLION, PER_COMPLETION: numbers[1] / _MILLION}


def stated_price(price: str | None, name: str) -> dict[str, float]:
    """What the user says that the model costs: with ``--price``, else in the file of prices; empty for
    neither. Raises :class:`UserError`, and :class:`BadFile` with every error of the file.
    """
    given = parse_price(price)
    if given or name.partition("/")[0] in {"builtin", "scripted"}:
        return given
    return own_price(name)


def prices_of(
    model: LanguageModel, given_prices: Mapping[str, float]
) -> tuple[tuple[str, float], ...]:
    """The prices to pin, in US dollars per token: the given ones, or litellm's. Raises
    :class:`UserError` where a dollar budget could not be enforced.
    """
    if not isinstance(model, LitellmModel):
        if given_prices:
            what = f"{model.name} costs nothing, so it has no price"
            raise UserError(what, where="--price", todo="leave --price out")
        return ()
    prices = given_prices or model.prices()
    if PER_PROMPT not in prices or PER_COMPLETION not in prices:
        raise UserError(
            f"no price is known for {model.name}, so a dollar budget cannot be enforced",
            where=f"--model {model.name}",
            why="the price list of the installed litellm does not have it",
            todo=f"give it with {_FORM}; 0,0 for a free model; or for every run in "
            f"{own_prices_path()}: `{model.name}: {{input: 3, output: 15}}`",
        )
    return tuple(sorted(prices.items()))
