"""Whom a model's name belongs to, and the key that is wanted there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from orchestrator.core.errors import MissingKey, UnknownName, UserError
from orchestrator.core.model import SWEEP
from orchestrator.core.problems import nearest


def provider_of(litellm: Any, name: str) -> str:
    """The provider that litellm asks for that name. Raises :class:`UnknownName`."""
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


def require_key(name: str, provider: str, missing: Sequence[str]) -> None:
    """Raises :class:`MissingKey`, and :class:`UserError` where Google's own package makes the key and is not there."""
    if provider.startswith("vertex_ai") and not (find_spec("google") and find_spec("google.auth")):
        raise UserError(
            f"{name} needs the package google-auth, which is not installed",
            where=f"--model {name}",
            why="litellm asks it for the key of a project in Google's cloud",
            todo="install google-auth beside aisci, or take a model of gemini/… with GEMINI_API_KEY",
        )
    if missing:
        raise MissingKey(
            f"{name} needs a key that is not in the environment",
            where=f"--model {name}",
            why=f"not set: {', '.join(missing)}",
            todo=f"export {missing[0]}=…; aisci never writes it to disk",
        )
