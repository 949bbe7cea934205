"""The block ``model``: which models may be asked, where, and what of a failed attempt is told them.

::

    model:
      allow: ["openai/*", "openai/llama*@https://llm.corp.example/v1"]
      feedback: verdict

An entry without an address is the vendor's own service, one with an address that server alone. A name ends in
``*`` to allow all that begin so. Without the block, as with ``any`` and ``tails``, nothing is bounded.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from orchestrator.core.problems import Invalid

ANY_MODEL: Final = "any"
"""The value of ``allow`` that bounds nothing."""
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._:+-]{0,199})*"
_NAME += r"((/|[A-Za-z0-9._:+-])\*|@([0-9]{3,8}|default|latest))?"
_ADDRESS = r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?"
_ENTRY = re.compile(rf"{_NAME}(@{_ADDRESS})?")
_LIKE = (
    'write VENDOR/MODEL, VENDOR/*, or either with @ADDRESS: "openai/*@https://llm.corp.example/v1"'
)


def _allow(value: Any) -> Any:
    if value == ANY_MODEL:
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Invalid("is neither `any` nor a list of models", _LIKE)
    for entry in value:
        if "/" not in entry.partition("@")[0] or not _ENTRY.fullmatch(entry):
            name, at, _ = entry.partition("@")  # an address can hold a password: it is not shown
            raise Invalid(f"{name[:80] + at!r} names no model, or no address of a server", _LIKE)
    return tuple(sorted(entry.rstrip("/") for entry in set(value)))


_LIST = {
    "type": "array",
    "items": {"type": "string", "pattern": f"^{_ENTRY.pattern}$", "examples": ["openai/*"]},
}
_FORM = {"anyOf": [{"const": ANY_MODEL}, _LIST]}
ModelsAllowed = Annotated[
    tuple[str, ...] | Literal["any"],
    BeforeValidator(_allow, json_schema_input_type=Annotated[Any, WithJsonSchema(_FORM)]),
    PlainSerializer(lambda value: value if value == ANY_MODEL else list(value), when_used="json"),
]


class ModelRules(BaseModel):
    """Which models may be asked, and what of a failed attempt is told them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    allow: ModelsAllowed = Field(
        default=ANY_MODEL,
        description="Models that may be asked: `VENDOR/MODEL`, `VENDOR/*`, or either with `@ADDRESS` of a server; or `any`.",
    )
    feedback: Literal["tails", "verdict"] = Field(
        default="tails",
        description="What the next prompt says of a failed attempt: the end of its output (`tails`), or the `verdict` alone.",
    )


NO_RULES: Final = ModelRules()
"""The rules of a policy without the block: they bound nothing."""


def may_be_asked(allowed: tuple[str, ...] | str, name: str, server: str) -> bool:
    """Whether the model of that name may be asked at ``server``, which is empty for its vendor's own."""
    if allowed == ANY_MODEL:
        return True
    return any(_covers(_parts(entry), (name, server)) for entry in allowed)


def allows_no_more(before: Any, after: Any) -> bool:
    """Whether each entry of ``after`` is one of ``before``, or within one."""
    if before == ANY_MODEL:
        return True
    return after != ANY_MODEL and all(
        any(_covers(_parts(old), _parts(new)) for old in before) for new in after
    )


def _parts(entry: str) -> tuple[str, str]:
    """The name of an entry, which may have an @ in it, and the address; empty for the vendor's own."""
    name, at, address = entry.partition("@http")
    return name, f"http{address}" if at else ""


def _covers(entry: tuple[str, str], asked: tuple[str, str]) -> bool:
    """Whether ``entry`` has the address of ``asked``, and its name or a beginning of it."""
    (name, address), (other, where) = entry, asked
    if address.rstrip("/") != where.rstrip("/"):
        return False
    return other.startswith(name[:-1]) if name.endswith("*") else name == other
