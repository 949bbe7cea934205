"""How far a call may still go, passed to a port next to its request; and waiting as long.

It is not part of the request: the record identifies a call by its request's hash, and elapsed
time must not change that hash.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.pool import ThreadPool
from threading import Condition, Event
from typing import TypeVar

from orchestrator.core.errors import BudgetSpent, Interrupted

_T = TypeVar("_T")
_POLL = 0.5  # seconds between checks of what sends no signal, such as the host's free memory
MORE_ROOM = (
    "continue with a larger budget: `aisci resume RUN --fork --policy ./wider.yaml`; "
    "nothing recorded is paid again"
)

MORE_MONEY = (
    "raise it: `aisci resume RUN --max-usd N`, up to what the policy's file allows; above that: "
    "`aisci resume RUN --fork --policy ./wider.yaml`; nothing recorded is paid again"
)
"""For a budget of US dollars, which `--max-usd` may have lowered."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of this machine's monotonic clock, and the policy's key that set it; and how many HTTP
    requests may still be made. Once ``stop`` is set, no time is left.
    """

    at: float
    limit: str
    requests: float = math.inf
    stop: Event | None = None

    @classmethod
    def after(cls, seconds: float, limit: str) -> Deadline:
        """The instant that is ``seconds`` from now."""
        return cls(time.monotonic() + seconds, limit)

    @property
    def left(self) -> float:
        """Seconds until then; 0 once it has passed, infinite where nothing limits the call."""
        return 0.0 if self.stopped else max(0.0, self.at - time.monotonic())

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    def check(self, where: str) -> None:
        """Raise :class:`BudgetSpent` once the instant has passed, :class:`Interrupted` after a stop."""
        if not self.left:
            raise self.spent(where)

    def spent(self, where: str) -> BudgetSpent | Interrupted:
        """The error of a call that was ended at this instant."""
        if self.stopped:
            return Interrupted(
                "the run was stopped", where=where, todo="`aisci resume` continues it"
            )
        return BudgetSpent(
            f"{self.limit} was exceeded during this call",
            where=where,
            why="the host ended the call; its cost so far is charged",
            todo=MORE_ROOM,
        )

    def sooner(self, other: Deadline) -> Deadline:
        """The earlier of the two, and the fewer requests."""
        first = self if self.at <= other.at else other
        requests, stop = min(self.requests, other.requests), self.stop or other.stop
        return replace(first, requests=requests, stop=stop)

    def waiting(self) -> Iterator[float]:
        """Seconds to wait, again and again: short ones, so that a stop is seen; one where nothing can stop it."""
        while self.left:
            yield min(_POLL, self.left) if self.stop is not None else self.left


FOREVER = Deadline(math.inf, "")
"""No limit but the request's own."""


def wait_for(turn: Condition, ready: Callable[[], bool], within: Deadline, where: str) -> None:
    """Wait, holding ``turn``, until ``ready``. Raises :class:`BudgetSpent`, naming ``where``."""
    while not turn.wait_for(ready, timeout=min(_POLL, within.left)):
        within.check(where)


def bounded(work: Callable[[], _T], within: Deadline, where: str) -> _T:
    """The result of ``work``, waiting no longer than ``within``; ``work`` then continues unwatched.

    For libraries whose own time-out restarts with each byte that arrives. Raises
    :class:`BudgetSpent` if ``within`` passed first, and whatever ``work`` raises.
    """
    if within.left == math.inf and within.stop is None:
        return work()
    pool = ThreadPool(1)
    pending = pool.apply_async(work)
    pool.close()
    for seconds in within.waiting():
        with suppress(multiprocessing.TimeoutError):
            return pending.get(seconds)
    raise within.spent(where)
