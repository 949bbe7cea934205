"""The budgets of ideas and runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator.core.deadline import FOREVER, MORE_MONEY, MORE_ROOM, Deadline
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.model import Usage
from orchestrator.record.journal import Journal
from orchestrator.record.live_use import LiveUse
from orchestrator.record.used import Used


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalBudget:
    """The limits of one journal's calls. None: no limit. ``wall`` and ``gpu_time`` in seconds.
    ``of`` is the policy's block; ``live`` is what all journals of a run have used of that block's
    budget; ``around`` is a wider budget that applies too.
    """

    of: Literal["idea", "run"] = "idea"
    usd: float | None = None
    tokens: float | None = None
    requests: float | None = None
    wall: float | None = None
    gpu_time: float | None = None
    live: LiveUse | None = None
    around: JournalBudget | None = None

    @property
    def turn(self) -> AbstractContextManager[object]:
        """Held from the admission of a call until its line is written."""
        if self.live is not None:
            return self.live.turn
        return self.around.turn if self.around is not None else nullcontext()

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
                    where=_place(self.of, name),
                    todo=MORE_MONEY if name == "usd" else MORE_ROOM,
                )
        if self.around is not None:
            self.around.admit(journal, ceiling, paid=paid, gpus=gpus)

    def requests_left(self, journal: Journal) -> float:
        """How many HTTP requests the next call may make; infinite where nothing limits them."""
        around = math.inf if self.around is None else self.around.requests_left(journal)
        if self.requests is None:
            return around
        return min(around, self.requests - self._used(journal).requests)

    def deadline(self, journal: Journal, gpus: int = 0) -> Deadline:
        """When a call that begins now and holds ``gpus`` GPUs has used the remaining time."""
        earliest = FOREVER if self.around is None else self.around.deadline(journal, gpus)
        for name, limit, spent, rate in self._times(journal, gpus):
            earliest = Deadline.after((limit - spent) / rate, name).sooner(earliest)
        return earliest

    def _used(self, journal: Journal) -> Used:
        if self.live is None:
            return Used.by(journal)
        return replace(self.live.total(), wall=self.live.elapsed)

    def _times(self, journal: Journal, gpus: int) -> Iterator[tuple[str, float, float, int]]:
        """Each limit of time: its key, the limit and the use in seconds, seconds used per second."""
        used = self._used(journal)
        if self.wall is not None:
            yield f"{self.of}.wall", self.wall, used.wall, 1
        if gpus and self.gpu_time is not None:
            out = self.live.gpu_time_out(journal) if self.live else 0.0
            yield f"{self.of}.gpu_time", self.gpu_time, used.gpu_time + out, gpus

    def _costs(
        self, journal: Journal, ceiling: Usage
    ) -> tuple[tuple[str, float | None, float, str], ...]:
        """Each limit of cost: its key, the limit, the use after the next call, the unit."""
        used = self._used(journal)
        more = ceiling.prompt_tokens + ceiling.completion_tokens
        return (
            ("usd", self.usd, used.usd + (ceiling.usd or 0.0), " US dollars"),
            ("tokens", self.tokens, used.tokens + more, " tokens"),
            ("requests", self.requests, used.requests + 1, " requests"),
        )


def _place(of: str, name: str) -> str:
    key = f"{of}.budget.{name}"
    return f"{key}, of --max-usd or of the policy" if name == "usd" else f"the policy's {key}"
