"""Waiting for one's turn, or for an answer, for no longer than the budgets leave time."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from threading import Condition
from typing import TypeVar

from orchestrator.core.deadline import Deadline

T = TypeVar("T")

_LOOK = 1.0  # seconds between looks at what nobody announces, such as the host's free memory


def wait_for(turn: Condition, ready: Callable[[], bool], within: Deadline, where: str) -> None:
    """Wait, holding ``turn``, until ``ready``.

    Raises:
        BudgetSpent: ``within`` is over; ``where`` says who waited.
    """
    while not turn.wait_for(ready, timeout=min(_LOOK, within.left)):
        within.check(where)


def bounded(work: Callable[[], T], within: Deadline, where: str) -> T:
    """Do ``work``, but wait for it no longer than ``within``; then it is left to itself.

    For libraries whose own time-out starts anew with each byte that arrives.

    Raises:
        BudgetSpent: ``within`` was over first. And whatever ``work`` raises.
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
