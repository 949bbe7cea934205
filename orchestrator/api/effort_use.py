"""What ``--effort`` comes to: the level that each model of a run gets, and the tokens that it is assumed to think."""

from __future__ import annotations

import os
from collections.abc import Iterator

from orchestrator.api.prepare import open_unasked
from orchestrator.core.effort import effort_for
from orchestrator.core.model import DEFAULT_ROLE, ROLES, role_of
from orchestrator.models.effort import effort_taken
from orchestrator.models.litellm import LitellmModel
from orchestrator.research.run_spec import RunSpec

THOUGHT = {"low": 500, "medium": 2000, "high": 5000}
"""Tokens that a model thinks before an answer, by the level that it gets: assumed."""


class EffortUse:
    """The levels of a run's models, read from litellm's map once each."""

    def __init__(self, spec: RunSpec) -> None:
        self._asked = dict(spec.effort)
        self._named = {pin.role: pin.name for pin in spec.roles}
        self._default = spec.model
        names = (spec.model, *self._named.values()) if spec.effort else ()
        self._levels = {name: _levels(name) for name in dict.fromkeys(names)}

    def thought(self, purpose: str) -> float:
        """Tokens that the model thinks before one answer; 0 where no level is sent."""
        level = effort_for(purpose, self._asked)
        taken = effort_taken(level, self._levels.get(self._name(role_of(purpose)), ()))
        return THOUGHT.get(taken, 0)

    def words(self) -> tuple[str, ...]:
        """What was asked for, a line a role, and which models do not get it."""
        asked = (
            f"{level}{'' if role == DEFAULT_ROLE else f' ({role})'}"
            for role, level in self._asked.items()
        )
        return (*asked, *(line.removeprefix("effort: ") for line in self.notices()))

    def notices(self) -> tuple[str, ...]:
        """A line for each model that does not get the level that was asked for."""
        return tuple(dict.fromkeys(self._notices()))

    def _notices(self) -> Iterator[str]:
        for role in (DEFAULT_ROLE, *ROLES):
            level = self._asked.get(role) or self._asked.get(DEFAULT_ROLE, "")
            name = self._name(role)
            levels = self._levels.get(name, ())
            taken = effort_taken(level, levels)
            if not level or taken == level or name.startswith(("builtin/", "scripted/")):
                continue
            has = f"has {', '.join(levels)}" if levels else "has no levels"
            sent = (
                f"{taken} is sent" if taken else "nothing is sent, and its vendor's default holds"
            )
            yield f"effort: {name} {has}; for {level} {sent}"

    def _name(self, role: str) -> str:
        return self._named.get(role, self._default)


def _levels(name: str) -> tuple[str, ...]:
    model = open_unasked(name, environ=os.environ)
    return model.efforts if isinstance(model, LitellmModel) else ()
