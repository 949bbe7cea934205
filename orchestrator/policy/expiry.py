"""Exceptions whose last day is over, or near."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from orchestrator.core.units import time_text
from orchestrator.policy.exceptions import ExceptionOf
from orchestrator.policy.lint import LintRow


def of_exceptions(
    exceeds: Mapping[str, ExceptionOf], today: date, within: float | None = None
) -> Iterator[LintRow]:
    """The exceptions that are over, or end ``within`` so many seconds."""
    for key, one in exceeds.items():
        last = one.last_day
        if last is None:
            continue
        if last < today:
            todo = "remove what it allowed, or have it approved again with a later `until`"
            what = f"this exception is over: its last day was {last}"
            yield LintRow(f"exceeds.{key}", what, todo, "expired")
        elif within is not None and last <= today + timedelta(seconds=within):
            what = f"this exception ends on {last}, within {time_text(within)}"
            todo = "have it approved again with a later `until`, or plan to do without it"
            yield LintRow(f"exceeds.{key}", what, todo, "expires-soon")
