"""Whom a model's name belongs to, and the key that is wanted there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.errors import MissingKey, UnknownName
from orchestrator.core.model import SWEEP
from orchestrator.core.problems import nearest

SIGNED_IN = frozenset({"chatgpt", "github_copilot"})
"""Vendors that litellm asks for a sign-in in a browser as soon as one of their names is looked up."""


def provider_of(litellm: Any, name: str) -> str:
    """The provider that litellm asks for that name. Raises :class:`UnknownName`."""
    if name.partition("/")[0] in SIGNED_IN:
        raise UnknownName(
            f"{name[:100]} wants a sign-in in a browser, which aisci does not make",
            where="--model",
            why="its vendor gives no key",
            todo="take a model of a vendor with keys, such as openai/… or anthropic/…",
        )
    try:
        return str(litellm.get_llm_provider(name)[1])
    except litellm.exceptions.BadRequestError:
        vendors = tuple(str(vendor.value) for vendor in litellm.provider_list)
        bare = (model for model in litellm.model_cost if "/" not in model)
        known = vendors if "/" in name else (*bare, SWEEP)
        word = name.partition("/")[0]
        raise UnknownName(
            f"no model is named {name[:100]!r}",
            where="--model",
            why="a name is VENDOR/MODEL, such as anthropic/… or openai/…, or it is builtin/sweep; "
            "`aisci doctor --model NAME` says what is known of one",
            todo=nearest(word, known),
        ) from None


def missing_keys(litellm: Any, name: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that the vendor wants and that are not set."""
    keys = litellm.validate_environment(name)
    if keys["keys_in_environment"]:
        return ()
    return tuple(key for key in keys["missing_keys"] if not environ.get(key))


def require_key(name: str, missing: Sequence[str], *, listed: bool = True) -> None:
    """Raises :class:`MissingKey`. A model of OpenAI's format that litellm does not list may be on a server of the
    user's own: then its address is missing.
    """
    if missing and not listed and missing[0] == "OPENAI_API_KEY":
        raise MissingKey(
            f"{name} is no listed model of OpenAI's, and no server of your own is named",
            where=f"--model {name}",
            why="not set: OPENAI_API_BASE, and OPENAI_API_KEY",
            todo="for a server of your own: export OPENAI_API_BASE=http://HOST:PORT/v1; "
            "for a model of OpenAI's own: its name as OpenAI writes it, and the key",
        )
    if missing:
        raise MissingKey(
            f"{name} needs a key that is not in the environment",
            where=f"--model {name}",
            why=f"not set: {', '.join(missing)}",
            todo=f"export {missing[0]}=…; aisci never writes it to disk",
        )
