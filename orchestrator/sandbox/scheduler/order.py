"""The order of waiting jobs: a pure function of what waits and of the work that each idea has left.

The idea with the longest work left goes first: it decides when the run ends. Ideas that have not begun
count too. Each takes the place of one that ends, so the ideas that will end first carry the work of those
that follow them; by their own work alone they would wait longest, and the run's last ideas would begin late.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestrator.core.outlook import WorkLeft, idea_of

Need = TypeVar("Need")

MOST_PASSED = 96
"""Jobs that may go before one that asked earlier: three for each of 32 ideas in flight."""


@dataclass(slots=True)
class Waiting(Generic[Need]):
    """A job that waits: it was the ``number``-th to ask, and ``passed`` later ones went before it."""

    number: int
    scope: str
    need: Need
    passed: int = 0


def in_order(waiting: Iterable[Waiting[Need]], left: WorkLeft) -> list[Waiting[Need]]:
    """The jobs, the next one first. Where nothing is known they keep the order in which they asked; one
    that was passed too often goes before all others.
    """
    urgency = with_followers(left)

    def key(job: Waiting[Need]) -> tuple[bool, float, int]:
        overdue = job.passed >= MOST_PASSED
        work = 0.0 if overdue else urgency.get(idea_of(job.scope), left.whole)
        return (not overdue, -work, job.number)

    return sorted(waiting, key=key)


def with_followers(left: WorkLeft) -> dict[str, float]:
    """Seconds of work by the scope of each idea in flight, with the ideas that will follow in its place."""
    places = [(seconds, idea) for idea, seconds in left.ideas.items()]
    heapq.heapify(places)
    for _ in range(left.to_come if places else 0):
        seconds, idea = places[0]
        heapq.heapreplace(places, (seconds + left.whole, idea))
    return {idea: seconds for seconds, idea in places}
