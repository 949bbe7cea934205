"""The budgets over all runs that hold an account: its own of the month, and the administrator's.

A :class:`MeteredSandbox` counts the GPU time of jobs in the latter.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.job import Job, JobResult
from orchestrator.core.model import Usage
from orchestrator.core.protocols import Sandbox
from orchestrator.record.account_ledger import AccountUse
from orchestrator.record.machine_budget import NEXT_MONTH, MachineBudget
from orchestrator.record.month import MonthBudget


class Booked(Protocol):
    """A model call that counts at its most, and how many requests it may make."""

    @property
    def requests(self) -> float: ...

    def settle(self, usage: Usage) -> None:
        """Count what it did cost instead."""


class SpendingBudget(Protocol):
    """A budget over all runs."""

    def book(self, most: Usage) -> Booked:
        """Book a model call at the most that it can cost. Raises :class:`BudgetSpent`, and books nothing then."""


@dataclass(frozen=True, slots=True)
class _Bookings:
    parts: tuple[Booked, ...]

    @property
    def requests(self) -> float:
        return min((one.requests for one in self.parts), default=math.inf)

    def settle(self, usage: Usage) -> None:
        for one in self.parts:
            one.settle(usage)


@dataclass(frozen=True, slots=True)
class BothBudgets:
    """Several budgets, the first one booked first; all of them have to have room."""

    parts: tuple[SpendingBudget, ...]

    def book(self, most: Usage) -> Booked:
        booked: list[Booked] = []
        try:
            booked.extend(part.book(most) for part in self.parts)
        except BudgetSpent:
            _Bookings(tuple(booked)).settle(Usage())
            raise
        return _Bookings(tuple(booked))


def account_spending() -> SpendingBudget | None:
    """What holds this account; None where nothing does. Raises :class:`BadFile`."""
    both: tuple[SpendingBudget | None, ...] = MachineBudget.of_account(), MonthBudget.of_user()
    parts = tuple(one for one in both if one is not None)
    return BothBudgets(parts) if parts else None


class MeteredSandbox:
    """A sandbox whose jobs on GPUs are counted in the machine's budget, and end with it."""

    def __init__(self, inner: Sandbox, budget: MachineBudget) -> None:
        self._inner, self._budget = inner, budget

    def run(self, job: Job, within: Deadline = FOREVER) -> JobResult:
        """As the inner one. Raises :class:`BudgetSpent` where no GPU time is left."""
        gpus = job.limits.gpus
        if not gpus:
            return self._inner.run(job, within)
        booking = self._budget.lend(gpus * min(job.limits.wall, within.left))
        key = self._budget.key("gpu_hours")
        until = within.sooner(Deadline.after(booking.gpu / gpus, key))
        began, spent = time.monotonic(), booking.gpu
        try:
            result = self._inner.run(job, until)
            spent = gpus * result.attestation.peaks.wall
        except BudgetSpent as error:
            spent = min(spent, gpus * (time.monotonic() - began))
            if key in error.what:
                error.todo = NEXT_MONTH
            raise
        except BaseException:  # it may have held the GPUs all the time
            spent = min(spent, gpus * (time.monotonic() - began))
            raise
        finally:
            booking.settle_use(AccountUse(gpu=spent))
        return result


def account_meter() -> Callable[[Sandbox], Sandbox]:
    """What puts a sandbox within the machine's budget of this account, if there is one. Raises :class:`BadFile`."""
    budget = MachineBudget.of_account()
    return lambda sandbox: sandbox if budget is None else MeteredSandbox(sandbox, budget)


def require_budget_left(*, gpus: bool, paid: bool) -> None:
    """Raise :class:`BudgetSpent` where this month's budget of the machine has nothing left of what is needed: time
    of ``gpus``, or dollars for ``paid`` calls.
    """
    budget = MachineBudget.of_account()
    if budget is not None:
        budget.require_left(gpus=gpus, paid=paid)
