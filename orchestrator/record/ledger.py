"""The cost of a journal's calls: tokens, US dollars, seconds, GPU seconds."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.core.decode import decode
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.job import Job
from orchestrator.core.model import Reply, Usage
from orchestrator.record.events import NESTED, Answered, Asked, CallFailed

CallKey = tuple[str, str, int]


class CostLedger:
    """The sums over one journal, updated with each of its lines. ``seconds`` is the time of all
    calls except model calls inside an edit, which the time of the edit includes. ``gpu_seconds``
    counts each GPU of a job. ``requests`` are those of model calls, at least one each, HTTP repeats
    included. Each call is charged its ceiling until it is answered. Totals are kept, so that a call costs the same time in a long run.
    """

    def __init__(self) -> None:
        self._requests = 0  # of calls with an end
        self._settled = Usage()
        self.seconds = 0.0
        self.gpu_seconds = 0.0
        self._open: dict[CallKey, Usage] = {}  # a model call without an end → its ceiling
        self._gpus: dict[CallKey, int] = {}  # a job → its number of GPUs
        self._lent: dict[
            CallKey, float
        ] = {}  # a job without an end → the GPU seconds that it may use

    def asked(self, line: Asked, request: object) -> None:
        """Add a call that is about to be made; ``request`` is its body."""
        if line.port == "model":
            # A call that a crash left without an end stays charged when it is made again.
            if line.key in self._open:
                self._settle(self._open.pop(line.key))
            self._open[line.key] = line.ceiling
        if line.port == "sandbox":
            limits = decode(Job, request).limits
            self._gpus[line.key] = limits.gpus
            self._lent[line.key] = limits.gpus * limits.wall

    def answered(self, line: Answered, answer: object) -> None:
        """Add the end of a call; ``answer`` is its body."""
        self._time(line)
        if line.port == "model":
            del self._open[line.key]
            self._settle(decode(Reply, answer).usage)

    def failed(self, line: CallFailed) -> None:
        """Add the failure of a call."""
        self._time(line)
        # A vendor may still charge for a request that this program stopped at a limit of time.
        if line.port == "model" and line.error.type != BudgetSpent.__name__:
            del self._open[line.key]
            self._requests += line.requests

    @property
    def requests(self) -> int:
        """Requests of all model calls."""
        return self._requests + sum(max(1, usage.requests) for usage in self._open.values())

    @property
    def gpu_seconds_out(self) -> float:
        """What the jobs without an end may still use of GPUs."""
        return sum(self._lent.values())

    def nothing_out(self) -> None:
        """No job of this journal runs: those without an end are of a process that is gone."""
        self._lent.clear()

    def _time(self, line: Answered | CallFailed) -> None:
        self._lent.pop(line.key, None)
        if not line.scope.endswith(NESTED):
            self.seconds += line.seconds
        self.gpu_seconds += self._gpus.get(line.key, 0) * line.seconds

    def total(self) -> Usage:
        """The cost of all model calls; ``usd`` is None if a price is unknown."""
        return total_usage((self._settled, *self._open.values()))

    def _settle(self, usage: Usage) -> None:
        self._requests += max(1, usage.requests)
        self._settled = total_usage((self._settled, usage))


def total_usage(calls: Iterable[Usage]) -> Usage:
    """The sum of ``calls``; ``usd`` is None if a price is unknown."""
    calls = tuple(calls)
    known = [usage.usd for usage in calls if usage.usd is not None]
    return Usage(
        sum(usage.prompt_tokens for usage in calls),
        sum(usage.completion_tokens for usage in calls),
        sum(known) if len(known) == len(calls) else None,
        sum(usage.cached for usage in calls),
        sum(usage.written for usage in calls),
        sum(usage.requests for usage in calls),
    )
