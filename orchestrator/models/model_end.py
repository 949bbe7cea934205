"""When a vendor stops serving a model, by the list of the installed litellm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

SOON = 30  # days before its end in which a run says so


@dataclass(frozen=True, slots=True)
class ModelEnd:
    """The day of a model's end, and how many days are left; below zero once it is past."""

    on: date
    days: int


def end_of(facts: Mapping[str, Any], today: date) -> ModelEnd | None:
    """The end that litellm's entry of a model names; None where it names none."""
    try:
        on = date.fromisoformat(str(facts.get("deprecation_date")))
    except ValueError:
        return None
    return ModelEnd(on, (on - today).days)


def end_notice(name: str, facts: Mapping[str, Any], today: date) -> str:
    """What the start of a run says of a model that ends soon or has ended; empty for any other."""
    end = end_of(facts, today)
    if end is None or end.days > SOON:
        return ""
    if end.days < 0:
        return f"model: {name} ended on {end.on}, {_days(-end.days)} ago; its vendor may refuse it"
    left = f"in {_days(end.days)}" if end.days else "today"
    return f"model: {name} ends on {end.on}, {left}; a resume after that day could be refused"


def _days(number: int) -> str:
    return f"{number} day" + "s" * (number != 1)
