"""How long a call may still take: what the budgets leave, handed to an edge beside its request.

It is no part of the request: the record knows a call by its request's hash, and time that has
passed must not make it another call.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from orchestrator.core.errors import BudgetSpent

MORE_ROOM = (
    "go on with more room: `aisci resume RUN --fork --policy ./wider.yaml`; "
    "nothing recorded is paid again"
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of this machine's monotonic clock, and the policy's line that set it."""

    at: float
    limit: str

    @classmethod
    def after(cls, seconds: float, limit: str) -> Deadline:
        """The instant that is ``seconds`` from now."""
        return cls(time.monotonic() + seconds, limit)

    @property
    def left(self) -> float:
        """Seconds until then; 0 once it has passed, infinite where nothing limits the call."""
        return max(0.0, self.at - time.monotonic())

    def check(self, where: str) -> None:
        """Raise :class:`BudgetSpent` once the instant has passed."""
        if not self.left:
            raise self.spent(where)

    def spent(self, where: str) -> BudgetSpent:
        """What a call raises that was ended at this instant."""
        return BudgetSpent(
            f"the time of {self.limit} was over while this call was under way",
            where=where,
            why="the host ended it; what it took is charged",
            todo=MORE_ROOM,
        )

    def sooner(self, other: Deadline) -> Deadline:
        """The one that comes first."""
        return self if self.at <= other.at else other


FOREVER = Deadline(math.inf, "")
"""No limit but the request's own."""
