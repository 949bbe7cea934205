"""Prices of one's own: ``prices.yaml`` in the user's configuration, a mapping of models to prices.

For models that litellm's list does not have, and for those whose price it has wrong::

    openai/my-model: {input: 3, output: 15, cached: 0.3, written: 3.75}
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, RootModel

from orchestrator.core.errors import BadFile
from orchestrator.core.files import config_home
from orchestrator.core.strict_yaml import read, validated
from orchestrator.models.litellm import PER_COMPLETION, PER_PROMPT

PER_CACHED, PER_WRITTEN = "cache_read_input_token_cost", "cache_creation_input_token_cost"
TOKENS_PRICED = 1e6
"""How many tokens a price in the file, and in what people read, is for."""

_Dollars = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class _OwnPrice(BaseModel, extra="forbid", frozen=True):
    """US dollars for a million tokens: of the prompt, of the answer, read from and written to a cache."""

    input: _Dollars
    output: _Dollars
    cached: Annotated[float | None, Field(ge=0, strict=True, allow_inf_nan=False)] = None
    written: Annotated[float | None, Field(ge=0, strict=True, allow_inf_nan=False)] = None


class _OwnPrices(RootModel[dict[str, _OwnPrice]], frozen=True):
    """The whole file: a model's name, as ``--model`` has it, and its price."""


def own_prices_path() -> Path:
    """``$XDG_CONFIG_HOME/aisci/prices.yaml``."""
    return config_home() / "prices.yaml"


def own_price(name: str, path: Path | None = None) -> dict[str, float]:
    """US dollars per token of that model, as :meth:`LitellmModel.charge` takes them; empty where there is
    no file, or no such name in it. Raises :class:`BadFile` with every error of the file.
    """
    price = _own_prices(path).get(name)
    if price is None:
        return {}
    named = {
        PER_PROMPT: price.input,
        PER_COMPLETION: price.output,
        PER_CACHED: price.cached,
        PER_WRITTEN: price.written,
    }
    return {key: value / TOKENS_PRICED for key, value in named.items() if value is not None}


def priced_names(path: Path | None = None) -> tuple[str, ...]:
    """The models that the file names. Raises :class:`BadFile`."""
    return tuple(_own_prices(path))


def _own_prices(path: Path | None) -> dict[str, _OwnPrice]:
    try:
        document = read(path or own_prices_path())
    except BadFile as refused:
        if isinstance(refused.__cause__, FileNotFoundError | NotADirectoryError):
            return {}
        raise
    if document.data is None:  # every line is a comment
        return {}
    return validated(document, _OwnPrices).root
