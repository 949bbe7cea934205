"""The budget of a calendar month (UTC), over all runs of a user of this machine.

``budget.yaml`` in the user's configuration sets it; one file a month keeps what calls cost. Every process
locks that file, and a call is booked at the most that it can cost before it is made::

    month: {usd: 300, tokens: 200000000, requests: 20000}
"""

from __future__ import annotations

import fcntl
import json
import math
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from orchestrator.core.errors import BadFile, BudgetSpent
from orchestrator.core.files import config_home, data_home, disk_errors
from orchestrator.core.model import Usage
from orchestrator.core.strict_yaml import read, validated
from orchestrator.record.ledger import total_usage

_Most = Annotated[float | None, Field(gt=0, strict=True, allow_inf_nan=False)]
_CORRECT = "correct the line, or move the file away: the month then counts from zero"


class MonthLimits(BaseModel, extra="forbid", frozen=True):
    """The most of a month; None: no limit."""

    usd: _Most = None
    tokens: _Most = None
    requests: _Most = None


class _BudgetFile(BaseModel, extra="forbid", frozen=True):
    month: MonthLimits


def month_limits(path: Path | None = None) -> MonthLimits | None:
    """The user's limits; None where there is no file. Raises :class:`BadFile` with all of its errors."""
    try:
        document = read(path or config_home() / "budget.yaml")
    except BadFile as refused:
        if isinstance(refused.__cause__, FileNotFoundError | NotADirectoryError):
            return None
        raise
    return None if document.data is None else validated(document, _BudgetFile).month


def _today() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Booking:
    """A call that a month's file counts at the most that it can cost, and how many requests it may make."""

    path: Path
    call: str
    requests: float = math.inf

    def settle(self, usage: Usage) -> None:
        """Count what it did cost instead."""
        with _locked(self.path) as handle:
            _append(handle, self.call, usage)


@dataclass(frozen=True, slots=True)
class MonthBudget:
    """The user's limits, and the folder of what each month's calls cost."""

    limits: MonthLimits
    folder: Path
    now: Callable[[], datetime] = _today

    @classmethod
    def of_user(cls) -> MonthBudget | None:
        """Of this user, where one is set. Raises :class:`BadFile`."""
        limits = month_limits()
        return cls(limits, data_home() / "spent") if limits else None

    def book(self, most: Usage) -> Booking:
        """Book a call at the most that it can cost. Raises :class:`BudgetSpent` if the month's budget has
        no room for it, and then books nothing.
        """
        path = self.folder / f"{self.now():%Y-%m}.jsonl"
        with _locked(path) as handle:
            spent = total_usage(_lines(handle, path))
            for name, limit, would, unit in _costs(self.limits, spent, most):
                if limit is not None and would > limit:
                    raise BudgetSpent(
                        f"the next call could pass the month's budget: {would:g} of {limit:g}{unit}",
                        where=f"{config_home() / 'budget.yaml'}: month.{name}",
                        why=f"the runs of this month are counted in {path}",
                        todo="raise it there, or continue next month with `aisci resume`",
                    )
            left = (
                math.inf if self.limits.requests is None else self.limits.requests - spent.requests
            )
            booking = Booking(path, secrets.token_hex(8), left)
            _append(handle, booking.call, replace(most, requests=int(min(most.requests, left))))
        return booking

    def spent(self) -> Usage:
        """What this month's calls cost, as prompt tokens, US dollars and requests; those without an end at
        the most that they can cost.
        """
        path = self.folder / f"{self.now():%Y-%m}.jsonl"
        with _locked(path) as handle:
            return total_usage(_lines(handle, path))


@contextmanager
def _locked(path: Path) -> Iterator[FileIO]:
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b", buffering=0) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle


def _costs(
    limits: MonthLimits, spent: Usage, most: Usage
) -> tuple[tuple[str, float | None, float, str], ...]:
    """Each limit: its key, the most, the use after the next call, the unit."""
    tokens = sum(one.prompt_tokens + one.completion_tokens for one in (spent, most))
    usd = (spent.usd or 0.0) + (most.usd or 0.0)
    return (
        ("usd", limits.usd, usd, " US dollars"),
        ("tokens", limits.tokens, tokens, " tokens"),
        ("requests", limits.requests, spent.requests + 1, " requests"),
    )


def _append(handle: FileIO, call: str, usage: Usage) -> None:
    line: dict[str, Any] = {
        "call": call,
        "usd": usage.usd or 0.0,
        "tokens": usage.prompt_tokens + usage.completion_tokens,
        "requests": max(1, usage.requests),
    }
    handle.write(json.dumps(line).encode() + b"\n")


def _lines(handle: FileIO, path: Path) -> tuple[Usage, ...]:
    """What each call cost, or may cost. Raises :class:`BadFile` for a line that aisci does not write."""
    handle.seek(0)
    calls: dict[str, Usage] = {}
    for number, line in enumerate(handle.read().splitlines(), start=1):
        try:
            said = json.loads(line)
            usage = Usage(
                int(said["tokens"]), 0, float(said["usd"]), requests=int(said["requests"])
            )
            calls[str(said["call"])] = usage
        except (ValueError, KeyError, TypeError) as error:
            where = f"{path}:{number}"
            what = "the record of a month's spending cannot be read"
            raise BadFile(what, where=where, why=str(error), todo=_CORRECT) from None
    return tuple(calls.values())
