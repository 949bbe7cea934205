"""Times that a person types after an option."""

from __future__ import annotations

from orchestrator.core.errors import UserError
from orchestrator.core.problems import Invalid
from orchestrator.core.units import parse_time


def seconds_of(option: str, text: str | None) -> float | None:
    """A time such as ``30d`` in seconds; None where it is not given. Raises :class:`UserError`."""
    try:
        return None if text is None else parse_time(text)
    except Invalid as error:
        raise UserError(
            "this is not a time",
            where=f"{option} {text}",
            why=str(error),
            todo="write a number and a unit, such as 30d",
        ) from error
