"""The jobs that wait for the same thing: room, or a GPU."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import Condition
from typing import Generic

from orchestrator.core.deadline import Deadline, wait_for
from orchestrator.core.outlook import WorkLeft
from orchestrator.sandbox.scheduler.order import Need, Waiting, in_order


class Line(Generic[Need]):
    """Jobs that wait, each with what it needs. Not thread-safe: its owner changes it within a lock.

    ``work_left`` tells what is known of each idea; without it, first come, first served.
    """

    def __init__(self, work_left: Callable[[], WorkLeft] = WorkLeft) -> None:
        self._work_left, self._numbers = work_left, count()
        self._waiting: list[Waiting[Need]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, scope: str, need: Need) -> Waiting[Need]:
        """Wait from now on; ``scope`` is the job's."""
        job = Waiting(next(self._numbers), scope, need)
        self._waiting.append(job)
        return job

    def leave(self, job: Waiting[Need], *, served: bool) -> None:
        """Wait no longer; a job that was served may have passed others."""
        self._waiting.remove(job)
        for one in self._waiting:
            one.passed += served and one.number < job.number

    def in_order(self) -> list[Waiting[Need]]:
        """The jobs, the next one first, by what is known now."""
        return in_order(self._waiting, self._work_left())

    def wait(
        self,
        turn: Condition,
        need: Need,
        ready: Callable[[list[Need]], bool],
        within: Deadline,
        where: str,
    ) -> None:
        """Wait, holding ``turn``, until ``ready``, which is told what the jobs need that go first.

        Raises :class:`BudgetSpent` after ``within``, :class:`Interrupted` after a stop.
        """
        job, served = self.join(where, need), False

        def its_turn() -> bool:
            order = self.in_order()
            return ready([one.need for one in order[: order.index(job)]])

        try:
            wait_for(turn, its_turn, within, where)
            served = True
        finally:
            self.leave(job, served=served)
            turn.notify_all()  # what goes first now may go ahead
