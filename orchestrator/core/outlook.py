"""What is known of the work that each idea of a run has left: estimates, by which waiting jobs are ordered.

Stages tell how many runs are still planned. Nothing of it is recorded, and no result depends on it: a wrong
estimate costs time alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean

_TAIL = 1.0
"""Seconds after an idea's last run for each second of its runs, until an idea of this run has ended."""


@dataclass(frozen=True, slots=True)
class WorkLeft:
    """Seconds of work left: ``ideas`` by the scope of each idea in flight; ``to_come`` ideas are to begin
    when others end, each with ``whole`` seconds.
    """

    ideas: Mapping[str, float] = field(default_factory=dict)
    to_come: int = 0
    whole: float = 0.0


@dataclass(slots=True)
class _Told:
    """An idea in flight: ``proposed`` runs, if it said how many; ``runs`` of so many ``seconds`` are planned
    (None: no plan yet); since ``since``.
    """

    proposed: int | None
    runs: int | None = None
    seconds: float = 0.0
    since: float = 0.0


class Outlook:
    """Estimates for the ideas of one run; thread-safe. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._told: dict[str, _Told] = {}
        self._plans: list[
            tuple[int, float]
        ] = []  # each idea's runs and their seconds, as first planned
        self._tails: list[float] = []  # seconds of each idea after its last run
        self._to_come: Sequence[int | None] = ()

    def coming(self, runs: Sequence[int | None]) -> None:
        """These ideas of the run are not begun: each with the runs that it proposed, None where it did not."""
        self._to_come = runs

    @contextmanager
    def flying(self, idea: str, proposed: int | None = None) -> Iterator[None]:
        """The idea of this scope is in flight during the block; see :meth:`begin`."""
        self.begin(idea, proposed)
        try:
            yield
        finally:
            self.end(idea)

    def begin(self, idea: str, proposed: int | None = None) -> None:
        """The idea is in flight; it has ``proposed`` so many runs, if it said how many."""
        with self._lock:
            self._told[idea] = _Told(proposed)

    def end(self, idea: str) -> None:
        """The idea has ended, or has failed."""
        with self._lock:
            told = self._told.pop(idea)
            if told.runs == 0:
                self._tails.append(self._clock() - told.since)

    def expect(self, scope: str, runs: int, seconds: float) -> None:
        """The idea of ``scope`` has ``runs`` left, the one at hand included, each of about ``seconds``."""
        with self._lock:
            told = self._told.get(idea_of(scope))
            if told is not None:
                if told.runs is None:
                    self._plans.append((runs, runs * seconds))
                told.runs, told.seconds, told.since = runs, seconds, self._clock()

    def time_left(self) -> float | None:
        """Seconds until the run ends, if as many ideas stay in flight as now; None before any plan.

        At least as long as the idea with most work takes.
        """
        work = self.work_left()
        if not work.whole or not work.ideas:
            return None
        together = sum(work.ideas.values()) + work.to_come * work.whole
        return max(*work.ideas.values(), together / len(work.ideas))

    def work_left(self) -> WorkLeft:
        """The estimates as of now."""
        with self._lock:
            now, planned = self._clock(), fmean([whole for _, whole in self._plans] or [0.0])
            tail = fmean(self._tails or [_TAIL * planned])
            runs = sum(count for count, _ in self._plans)
            one = sum(whole for _, whole in self._plans) / runs if runs else 0.0

            def whole(proposed: int | None) -> float:
                return tail + (planned if proposed is None else proposed * one)

            def left(told: _Told) -> float:
                if told.runs is None:
                    return whole(told.proposed)
                if told.runs == 0:
                    return max(0.0, tail - (now - told.since))
                return told.runs * told.seconds + tail

            ideas = {name: left(told) for name, told in self._told.items()}
            followers = [whole(proposed) for proposed in self._to_come]
            return WorkLeft(ideas, len(followers), fmean(followers or [planned + tail]))


def idea_of(scope: str) -> str:
    """The scope of the idea that a call's scope is in."""
    return "/".join(scope.split("/")[:2])
