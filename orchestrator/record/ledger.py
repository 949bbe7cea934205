"""What a journal's calls cost: tokens, dollars, seconds, GPU seconds."""

from __future__ import annotations

from orchestrator.core.decode import decode
from orchestrator.core.errors import BudgetSpent
from orchestrator.core.job import Job
from orchestrator.core.model import Reply, Usage
from orchestrator.record.events import NESTED, Answered, Asked, CallFailed

CallKey = tuple[str, str, int]


class CostLedger:
    """The sums over one journal, updated with each of its lines.

    ``seconds`` is the time of all calls, but for model calls inside an edit, whose time is the
    edit's. ``gpu_seconds`` counts each GPU of a job.
    """

    def __init__(self) -> None:
        self.spent: list[Usage] = []
        """What each model call is charged: its ceiling until it is answered."""
        self.seconds = 0.0
        self.gpu_seconds = 0.0
        self._open: dict[CallKey, int] = {}  # a model call → its place in ``spent``
        self._gpus: dict[CallKey, int] = {}  # a job → how many GPUs it has

    def asked(self, line: Asked, request: object) -> None:
        """A call is about to be made; ``request`` is its body."""
        if line.port == "model":
            self._open[line.key] = len(self.spent)
            self.spent.append(line.ceiling)
        if line.port == "sandbox":
            self._gpus[line.key] = decode(Job, request).limits.gpus

    def answered(self, line: Answered, answer: object) -> None:
        """A call was answered; ``answer`` is its body."""
        self._time(line)
        if line.port == "model":
            self.spent[self._open[line.key]] = decode(Reply, answer).usage

    def failed(self, line: CallFailed) -> None:
        """A call failed. One that a budget's time ended may still be charged by its vendor."""
        self._time(line)
        if line.port == "model" and line.error.type != BudgetSpent.__name__:
            self.spent[self._open[line.key]] = Usage()

    def _time(self, line: Answered | CallFailed) -> None:
        if not line.scope.endswith(NESTED):
            self.seconds += line.seconds
        self.gpu_seconds += self._gpus.get(line.key, 0) * line.seconds

    def total(self) -> Usage:
        """All that the model calls cost; ``usd`` is None where a price is unknown."""
        usd = [usage.usd for usage in self.spent]
        known = [price for price in usd if price is not None]
        return Usage(
            sum(usage.prompt_tokens for usage in self.spent),
            sum(usage.completion_tokens for usage in self.spent),
            sum(known) if len(known) == len(usd) else None,
        )
