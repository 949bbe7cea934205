"""``--effort``: how much a model is to think, in the levels that its entry of litellm's map has.

Nothing is sent unless it is asked for, and never more than was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core.effort import EFFORTS
from orchestrator.core.errors import UserError
from orchestrator.core.model import DEFAULT_ROLE, FALLBACK, ROLES
from orchestrator.core.problems import nearest

THINKING = 8192
"""Tokens for thinking, in addition to the answer's: vendors count both against one limit."""
THINKING_AT = {"low": THINKING, "medium": THINKING, "high": 2 * THINKING}
"""The same where a level is sent; more than any budget of tokens that litellm makes of a level."""
_FORM = "write --effort LEVEL, or ROLE=LEVEL with commas: medium,reviewing=high"
_OWN_ROLES = tuple(role for role in ROLES if role != FALLBACK)


def parse_effort(text: str | None) -> tuple[tuple[str, str], ...]:
    """(role, level) of ``medium,reviewing=high``; a level alone is for every other role. Raises
    :class:`UserError`.
    """
    found: dict[str, str] = {}
    for part in text.split(",") if text else ():
        role, equals, level = (word.strip() for word in part.rpartition("="))
        role = role if equals else DEFAULT_ROLE
        if level not in EFFORTS:
            why = f"the levels are: {', '.join(EFFORTS)}"
            raise UserError(f"{level[:40]!r} is no level", where=_where(text), why=why, todo=_FORM)
        if role != DEFAULT_ROLE and role not in _OWN_ROLES:
            why = f"the roles are: {', '.join(_OWN_ROLES)}"
            todo = nearest(role, _OWN_ROLES)
            raise UserError(
                f"no role is named {role[:40]!r}", where=_where(text), why=why, todo=todo
            )
        if role in found:
            whose = "every role" if role == DEFAULT_ROLE else f"the role {role!r}"
            raise UserError(f"two levels are given for {whose}", where=_where(text), todo=_FORM)
        found[role] = level
    return tuple(sorted(found.items()))


def effort_levels(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The levels of :data:`EFFORTS` that a model has, by its entry in litellm's map; a flag that is absent says
    nothing.
    """
    if not facts.get("supports_reasoning"):
        return ()
    named = facts.get("reasoning_effort_levels")
    return tuple(
        level
        for level in EFFORTS
        if (named is None or level in named)
        and facts.get(f"supports_{level}_reasoning_effort") is not False
    )


def effort_taken(asked: str, levels: tuple[str, ...]) -> str:
    """The highest of ``levels`` that is not above the one that was asked for; empty where none is."""
    if not asked:
        return ""
    below = EFFORTS[: EFFORTS.index(asked) + 1]
    return next((level for level in reversed(below) if level in levels), "")


def _where(text: str | None) -> str:
    return f"--effort {(text or '')[:80]}"
