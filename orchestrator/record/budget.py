"""The budgets of ideas and runs, and the use that their journals record."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Literal

from orchestrator.core.deadline import FOREVER, MORE_ROOM, Deadline
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.model import Usage
from orchestrator.record.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The use of calls: US dollars where a price is known, tokens, requests, seconds."""

    usd: float = 0.0
    tokens: int = 0
    requests: int = 0
    wall: float = 0.0
    gpu_time: float = 0.0

    @classmethod
    def by(cls, journal: Journal) -> Used:
        """The use that one journal records."""
        total = journal.ledger.total()
        return cls(
            usd=total.usd or 0.0,
            tokens=total.prompt_tokens + total.completion_tokens,
            requests=journal.ledger.requests,
            wall=journal.ledger.seconds,
            gpu_time=journal.ledger.gpu_seconds,
        )

    def __add__(self, more: Used) -> Used:
        names = (field.name for field in fields(self))
        return Used(**{name: getattr(self, name) + getattr(more, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalBudget:
    """The limits of one journal's calls. None: no limit. ``wall`` and ``gpu_time`` in seconds.
    ``of`` is the policy's block; ``before`` is what other journals have used of that block's
    budget; ``around`` is a wider budget that applies too.
    """

    of: Literal["idea", "run"] = "idea"
    usd: float | None = None
    tokens: float | None = None
    requests: float | None = None
    wall: float | None = None
    gpu_time: float | None = None
    before: Used = Used()
    around: JournalBudget | None = None

    def after(self, *others: Used) -> JournalBudget:
        """This budget, less ``others``, which other journals have used of it."""
        return replace(self, before=sum(others, self.before))

    def within(self, wider: JournalBudget) -> JournalBudget:
        """This budget, with ``wider`` applied too."""
        return replace(self, around=wider)

    def admit(self, journal: Journal, ceiling: Usage, *, paid: bool, gpus: int = 0) -> None:
        """Raise :class:`BudgetSpent` if no time is left or the next call could exceed a limit.
        ``ceiling`` is the most that the call can cost; ``gpus`` is how many GPUs it would hold.
        """
        for name, limit, spent, _ in self._times(journal, gpus):
            if spent >= limit:
                raise BudgetSpent(
                    f"no time is left: {spent:g} s of {limit:g} s are used up",
                    where=f"the policy's {name}",
                    todo=MORE_ROOM,
                )
        for name, most, would, unit in self._costs(journal, ceiling) if paid else ():
            if most is not None and would > most:
                raise BudgetSpent(
                    f"the next call could pass the budget: {would:g} of {most:g}{unit}",
                    where=f"the policy's {self.of}.budget.{name}",
                    todo=MORE_ROOM,
                )
        if self.around is not None:
            self.around.admit(journal, ceiling, paid=paid, gpus=gpus)

    def requests_left(self, journal: Journal) -> float:
        """How many HTTP requests the next call may make; infinite where nothing limits them."""
        around = math.inf if self.around is None else self.around.requests_left(journal)
        if self.requests is None:
            return around
        return min(around, self.requests - (self.before + Used.by(journal)).requests)

    def deadline(self, journal: Journal, gpus: int = 0) -> Deadline:
        """When a call that begins now and holds ``gpus`` GPUs has used the remaining time."""
        earliest = FOREVER if self.around is None else self.around.deadline(journal, gpus)
        for name, limit, spent, rate in self._times(journal, gpus):
            earliest = Deadline.after((limit - spent) / rate, name).sooner(earliest)
        return earliest

    def _times(self, journal: Journal, gpus: int) -> Iterator[tuple[str, float, float, int]]:
        """Each limit of time: its key, the limit and the use in seconds, seconds used per second."""
        used = self.before + Used.by(journal)
        if self.wall is not None:
            yield f"{self.of}.wall", self.wall, used.wall, 1
        if gpus and self.gpu_time is not None:
            yield f"{self.of}.gpu_time", self.gpu_time, used.gpu_time, gpus

    def _costs(
        self, journal: Journal, ceiling: Usage
    ) -> tuple[tuple[str, float | None, float, str], ...]:
        """Each limit of cost: its key, the limit, the use after the next call, the unit."""
        used = self.before + Used.by(journal)
        more = ceiling.prompt_tokens + ceiling.completion_tokens
        return (
            ("usd", self.usd, used.usd + (ceiling.usd or 0.0), " US dollars"),
            ("tokens", self.tokens, used.tokens + more, " tokens"),
            ("requests", self.requests, used.requests + 1, " requests"),
        )
