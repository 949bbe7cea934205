"""The administrator's budget of an account: booked at the most before a call or a job, settled after it."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import BudgetSpent
from orchestrator.core.model import Usage
from orchestrator.record.account_ledger import AccountLedger, AccountUse
from orchestrator.record.machine_limits import AccountLimits, limits_here

_HOUR = 3600.0
NEXT_MONTH = (
    "wait for the next month, or ask this machine's administrator to raise it; `aisci resume` then goes on with a "
    "run that was begun"
)


@dataclass(frozen=True, slots=True)
class MachineBooking:
    """Something that counts at its most; ``gpu`` are the GPU seconds that it may use."""

    ledger: AccountLedger
    call: str
    month: str
    gpu: float = 0.0
    requests: float = math.inf

    def settle(self, usage: Usage) -> None:
        """Count what a model call did cost instead."""
        self.settle_use(AccountUse(usd=usage.usd or 0.0))

    def settle_use(self, use: AccountUse) -> None:
        """Count what was used instead."""
        with self.ledger.open() as file:
            self.ledger.append(file, self.call, self.month, use)


@dataclass(frozen=True, slots=True)
class MachineBudget:
    """What this account may use in a month, and the ledger of what it used."""

    limits: AccountLimits
    file: Path
    ledger: AccountLedger

    @classmethod
    def of_account(cls) -> MachineBudget | None:
        """Of this account, where the administrator sets one. Raises :class:`BadFile`."""
        here = limits_here()
        return cls(here.limits, here.file, AccountLedger.at(here.ledger)) if here else None

    def used(self) -> AccountUse:
        """What this month's calls and jobs used; those without an end at their most."""
        with self.ledger.open():
            return self.ledger.used()

    def require_left(self, *, gpus: bool, paid: bool) -> None:
        """Raise :class:`BudgetSpent` where nothing is left of the time of ``gpus``, or for ``paid`` calls."""
        used, limits = self.used(), self.limits
        if paid and limits.usd is not None and used.usd >= limits.usd:
            raise self._spent("usd", f"{used.usd:g} of {limits.usd:g} US dollars are used")
        if gpus and limits.gpu_hours is not None and used.gpu >= limits.gpu_hours * _HOUR:
            hours = f"{used.gpu / _HOUR:.3g} of {limits.gpu_hours:g} GPU hours are used"
            raise self._spent("gpu_hours", hours)

    def book(self, most: Usage) -> MachineBooking:
        """Book a model call at the most that it can cost. Raises :class:`BudgetSpent`, and then books nothing."""
        cost, limit = most.usd or 0.0, self.limits.usd
        with self.ledger.open() as file:
            would = self.ledger.used().usd + cost
            if limit is not None and would > limit:
                what = f"the next call could pass it: {would:g} of {limit:g} US dollars"
                raise self._spent("usd", what)
            booking = MachineBooking(self.ledger, secrets.token_hex(8), self.ledger.month())
            self.ledger.append(file, booking.call, booking.month, AccountUse(usd=cost))
        return booking

    def lend(self, most: float) -> MachineBooking:
        """Book a job that uses ``most`` GPU seconds, or as many as are left. Raises :class:`BudgetSpent`."""
        limit = math.inf if self.limits.gpu_hours is None else self.limits.gpu_hours * _HOUR
        with self.ledger.open() as file:
            used = self.ledger.used().gpu
            if used >= limit:
                hours = f"{used / _HOUR:.3g} of {limit / _HOUR:g} GPU hours are used or lent"
                raise self._spent("gpu_hours", hours)
            gpu = min(most, limit - used)
            booking = MachineBooking(self.ledger, secrets.token_hex(8), self.ledger.month(), gpu)
            self.ledger.append(file, booking.call, booking.month, AccountUse(gpu=gpu))
        return booking

    def key(self, name: str) -> str:
        """The administrator's key, for a message."""
        return f"{self.file}: {name} of this account"

    def _spent(self, name: str, what: str) -> BudgetSpent:
        return BudgetSpent(
            f"this machine's budget for the month is used up: {what}",
            where=self.key(name),
            why=f"all runs of this account in this month (UTC) are counted in {self.ledger.path}",
            todo=NEXT_MONTH,
        )
