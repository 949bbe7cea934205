"""A run of many ideas on a simulated clock: the order of waiting jobs is the program's, the durations are made.

A new idea begins as one ends, as in ``research/in_flight.py``: the one that proposes most runs, or the next one.
An idea thinks, waits for a GPU, holds it for one run, thinks again, and after its last run thinks longest.
"""

from __future__ import annotations

import heapq
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import fmean

from orchestrator.core.outlook import Outlook, WorkLeft
from orchestrator.core.research import Idea
from orchestrator.research.idea_sources import ListedIdeas
from orchestrator.sandbox.scheduler.line import Line
from tests.support import played

IDEAS, GPUS = 50, 8
MOST_RUNS = 5  # of an idea
HEAD, TAIL = 0.12, 0.73
"""The parts of an idea's model time before its first run and after its last: by the tokens of the answers in
``orchestrator/research/estimate/recorded.json``.
"""
RECORDED = ("nanoGPT_lite", "operand_order", "averaged_weights")
"""Kept studies, of whose finished runs no longest time cut any."""


@dataclass(frozen=True, slots=True)
class MadeIdea:
    """Seconds of ``thinking`` before each of its ``runs``, and then of its ``tail``."""

    thinking: tuple[float, ...]
    runs: tuple[float, ...]
    tail: float

    @property
    def head(self) -> float:
        return self.thinking[0]

    @property
    def whole(self) -> float:
        return sum(self.thinking) + sum(self.runs) + self.tail

    def after(self, done: int) -> float:
        """Seconds left once it waits for a GPU with so many runs behind it."""
        return sum(self.runs[done:]) + sum(self.thinking[done + 1 :]) + self.tail


@cache
def recorded_runs() -> tuple[float, ...]:
    """The time of each recorded run, in means of its study."""
    found: list[float] = []
    for name in RECORDED:
        jobs = played.load(name)["jobs"].items()
        seconds = [job["seconds"] for place, job in jobs if re.search(r"/run_\d+/", place)]
        found += [one / fmean(seconds) for one in seconds]
    return tuple(found)


def workload(seed: int, model_per_gpu: float, fewest: int) -> list[MadeIdea]:
    """The ideas of one run, of ``fewest`` to five runs; each has ``model_per_gpu`` seconds of model time for
    a second of its runs.
    """
    made, ideas = random.Random(seed), list[MadeIdea]()
    for _ in range(IDEAS):
        runs = tuple(made.choices(recorded_runs(), k=made.randint(fewest, MOST_RUNS)))
        model = model_per_gpu * sum(runs)
        between = model * (1 - HEAD - TAIL) / (len(runs) - 1)
        ideas.append(MadeIdea((model * HEAD, *[between] * (len(runs) - 1)), runs, model * TAIL))
    return ideas


def plain_bound(ideas: Sequence[MadeIdea]) -> float:
    """No order ends a run before this: all GPU work on all GPUs, or the longest idea."""
    return max(sum(sum(one.runs) for one in ideas) / GPUS, *(one.whole for one in ideas))


def bound(ideas: Sequence[MadeIdea]) -> float:
    """A closer one: of any set of ideas, the GPUs begin after its shortest head, and its shortest tail
    follows. For each such pair the largest set is the one to look at.
    """
    best = plain_bound(ideas)
    for head in {one.head for one in ideas}:
        for tail in {one.tail for one in ideas}:
            among = [sum(one.runs) for one in ideas if one.head >= head and one.tail >= tail]
            if among:
                best = max(best, head + sum(among) / GPUS + tail)
    return best


def least(ideas: Sequence[MadeIdea], in_flight: int) -> float:
    """Where so many ideas are in flight and they begin in their order, no order of jobs ends the run before: one begins
    when enough of those before it have ended, each of which lasts its own time at least.
    """
    ends, best = list[float](), bound(ideas)
    for number, one in enumerate(ideas):
        begins = sorted(ends)[number - in_flight] if number >= in_flight else 0.0
        ends.append(begins + one.whole)
        best = max(best, ends[-1])
    return best


def with_bound_gpus(ideas: Sequence[MadeIdea]) -> float:
    """The makespan where an idea holds its GPU from its first second to its last."""
    free_at = [0.0] * GPUS
    for one in ideas:
        heapq.heapreplace(free_at, free_at[0] + one.whole)
    return max(free_at)


@dataclass(slots=True)
class _Flight:
    """An idea in flight: ``done`` runs; what it does ends at ``until``; then it ``leaves`` seconds of work."""

    done: int
    until: float
    leaves: float


@dataclass(slots=True)
class Simulation:
    """One run. ``told`` orders by the program's own estimates; else ``off`` is by how much the estimate of
    an idea's whole work may be wrong, and ``followers`` whether ideas to come count; None: first come, first
    served. Where they are ``proposed``, each idea says how many runs it takes, wrong by ``off`` too.
    """

    ideas: Sequence[MadeIdea]
    in_flight: int
    off: float | None = None
    told: bool = False
    followers: bool = True
    seed: int = 0
    proposed: bool = True
    now: float = 0.0
    _begun: set[int] = field(default_factory=set)
    _source: ListedIdeas = field(init=False)
    _order: Iterator[Idea] = field(init=False)
    _flights: dict[int, _Flight] = field(default_factory=dict)
    _events: list[tuple[float, int, int, Callable[[int], None]]] = field(default_factory=list)
    _count: int = 0
    _free: int = GPUS

    def makespan(self) -> float:
        """Seconds until the last idea has ended."""
        outlook, made = Outlook(lambda: self.now), random.Random(f"off {self.seed}")
        off = self.off or 0.0
        factors = [made.uniform(1 - off, 1 + off) for _ in self.ideas]
        mean = fmean(one.whole for one in self.ideas)
        says = self.proposed and (self.told or self.off is not None)
        listed = tuple(
            _idea(number, round(factors[number] * len(one.runs)) if says else None)
            for number, one in enumerate(self.ideas)
        )
        self._source = ListedIdeas(listed, whole=True, parallel=self.in_flight)
        self._order = self._source.after(())

        def known() -> WorkLeft:
            left = {
                _scope(number): factors[number] * (max(0.0, one.until - self.now) + one.leaves)
                for number, one in self._flights.items()
            }
            rest = [
                factors[number] * one.whole
                for number, one in enumerate(self.ideas)
                if number not in self._begun
            ]
            whole = fmean(rest) if says and rest else mean
            return WorkLeft(left, self.followers * len(rest), whole)

        order = outlook.work_left if self.told else WorkLeft if self.off is None else known
        line = Line[int](order)
        self._fly(outlook, line)
        while self._events:
            self.now, _, number, then = heapq.heappop(self._events)
            then(number)
            if not self._events or self._events[0][0] > self.now:
                self._lend(outlook, line)
        return self.now

    def _at(
        self, seconds: float, number: int, done: int, leaves: float, then: Callable[[int], None]
    ) -> None:
        """The idea does something for so many seconds, and ``then`` the next thing."""
        self._flights[number] = _Flight(done, self.now + seconds, leaves)
        heapq.heappush(self._events, (self.now + seconds, self._count, number, then))
        self._count += 1

    def _fly(self, outlook: Outlook, line: Line[int]) -> None:
        while len(self._flights) < self.in_flight and len(self._begun) < len(self.ideas):
            idea = next(self._order)
            number = int(idea.name)
            self._begun.add(number)
            begun = {self._source.ideas[one].id for one in self._begun}
            outlook.coming(self._source.to_come(begun))
            outlook.begin(_scope(number), idea.runs)
            self._think(number, 0, outlook, line)

    def _think(self, number: int, done: int, outlook: Outlook, line: Line[int]) -> None:
        """Before run ``done``, or after the last one."""
        one = self.ideas[number]

        def ended(number: int) -> None:
            outlook.end(_scope(number))
            del self._flights[number]
            self._fly(outlook, line)

        def asks(number: int) -> None:
            if not done:  # the plan is made
                outlook.expect(_scope(number), len(one.runs), 1.0)
            line.join(_scope(number), number)

        if done < len(one.runs):
            self._at(one.thinking[done], number, done, one.after(done), asks)
        else:
            self._at(one.tail, number, done, 0.0, ended)

    def _lend(self, outlook: Outlook, line: Line[int]) -> None:
        while self._free and len(line):
            job = line.in_order()[0]
            line.leave(job, served=True)
            self._free -= 1
            one, done = self.ideas[job.need], self._flights[job.need].done

            def returns(number: int, one: MadeIdea = one, done: int = done) -> None:
                self._free += 1
                seconds = fmean((1.0, *one.runs[: done + 1]))
                outlook.expect(_scope(number), len(one.runs) - done - 1, seconds)
                self._think(number, done + 1, outlook, line)

            left = one.after(done) - one.runs[done]
            self._at(one.runs[done], job.need, done, left, returns)


def _idea(number: int, runs: int | None) -> Idea:
    return Idea(name=str(number), title="", experiment="", runs=runs)


def _scope(number: int) -> str:
    return f"idea/{number}"
