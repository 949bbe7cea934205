"""Wait for a turn or an answer, but never past a deadline."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from threading import Condition
from typing import TypeVar

from orchestrator.core.deadline import Deadline

_T = TypeVar("_T")

_POLL = 1.0  # seconds between checks of what sends no signal, such as the host's free memory


def wait_for(turn: Condition, ready: Callable[[], bool], within: Deadline, where: str) -> None:
    """Wait, holding ``turn``, until ``ready``.

    Raises:
        BudgetSpent: ``within`` passed; ``where`` names the waiter.
    """
    while not turn.wait_for(ready, timeout=min(_POLL, within.left)):
        within.check(where)


def bounded(work: Callable[[], _T], within: Deadline, where: str) -> _T:
    """The result of ``work``, waiting no longer than ``within``; ``work`` then continues unwatched.

    For libraries whose own time-out restarts with each byte that arrives.

    Raises:
        BudgetSpent: ``within`` passed first. Also whatever ``work`` raises.
    """
    if within.left == math.inf:
        return work()
    pool = ThreadPool(1)
    pending = pool.apply_async(work)
    pool.close()
    try:
        return pending.get(within.left)
    except multiprocessing.TimeoutError:
        raise within.spent(where) from None
