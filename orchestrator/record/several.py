"""Several model calls at once, as one batch of their vendor: recorded as calls of their own, each in its scope.

All are on the disk before the batch is sent, its id before it is waited for. What fails while it is waited for
leaves the calls open: a resumed run collects the batch in place of asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from time import monotonic

from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import AisciError, Interrupted, ModelBusy, ModelFailed
from orchestrator.core.model import Ask, ModelRequest, Reply, Usage
from orchestrator.core.protocols import BatchModel
from orchestrator.record.batch_notes import BatchSent
from orchestrator.record.divergence import was_interrupted
from orchestrator.record.events import Asked, Port
from orchestrator.record.journal import FoundCall, Journal
from orchestrator.record.ledger import total_usage

_MODEL: Port = "model"


@dataclass(frozen=True, slots=True)
class _Open:
    """A call that has no final answer yet: its request, its place, its line, the batch that it is in."""

    ask: Ask
    found: FoundCall
    line: Asked
    batch: str = ""


@dataclass(slots=True, kw_only=True)
class BatchCall:
    """A batch that is asked for through a journal, at ``scope``. ``admit`` may refuse the sum of what goes out,
    ``settle`` receives the sum of what it cost; ``turn`` is held from the one until the requests are recorded.
    """

    journal: Journal
    model: BatchModel
    scope: str
    within: Deadline
    admit: Callable[[Usage], None]
    settle: Callable[[Usage], None]
    turn: AbstractContextManager[object]
    _ends: dict[tuple[str, int], Reply | AisciError] = field(default_factory=dict)

    def replies(self, asks: Sequence[tuple[str, Ask]]) -> tuple[Reply, ...]:
        """The replies to (scope, request), in order. Raises the first error of a request, once all ends are
        recorded, and what went wrong while the batch was sent or waited for.
        """
        found = [
            (ask, self.journal.find(_MODEL, scope, ModelRequest(self.model.name, ask)))
            for scope, ask in asks
        ]
        for _, one in found:
            if self.journal.is_final(one):
                self._ends[one.scope, one.ordinal] = self._recalled(one)
        pending = [(ask, one) for ask, one in found if not self.journal.is_final(one)]
        sent = [one for one in map(self._rejoined, pending) if one]
        known = {(one.found.scope, one.found.ordinal) for one in sent}
        new = [(ask, one) for ask, one in pending if (one.scope, one.ordinal) not in known]
        for batch in dict.fromkeys(one.batch for one in sent):
            self._collect(batch, [one for one in sent if one.batch == batch])
        # What an earlier session's batch has no answer to, for instance because it was cancelled.
        new += [(one.ask, one.found) for one in sent if isinstance(self._end(one.found), ModelBusy)]
        if new:
            out = self._ask(new)
            self._collect(self._send(out), out, booked=True)
        return tuple(self._reply(one) for _, one in found)

    def _recalled(self, found: FoundCall) -> Reply | AisciError:
        try:
            return self.journal.recall(found, Reply)
        except AisciError as error:
            return error

    def _rejoined(self, pending: tuple[Ask, FoundCall]) -> _Open | None:
        """A call that is in a batch already, and whose end was never recorded."""
        ask, found = pending
        batch = self.journal.batches.get((_MODEL, found.scope, found.ordinal), "")
        if not batch or found.recorded is None or found.recorded.end is not None:
            return None
        self.journal.rejoin(found.recorded.asked)
        return _Open(ask, found, found.recorded.asked, batch)

    def _ask(self, new: Sequence[tuple[Ask, FoundCall]]) -> list[_Open]:
        lines = [self.journal.outgoing(found, self.model.batch_ceiling(ask)) for ask, found in new]
        with self.turn:
            self.admit(total_usage(line.ceiling for line in lines))
            asked = [self.journal.append(line) for line in lines]
        return [_Open(ask, found, line) for (ask, found), line in zip(new, asked, strict=True)]

    def _send(self, out: Sequence[_Open]) -> str:
        began = monotonic()
        try:
            batch = self.model.send([one.ask for one in out], self.within)
        except AisciError as error:
            for one in out:
                self.journal.fail(one.line, error, began)
            self.settle(Usage(requests=error.asked if isinstance(error, ModelFailed) else 0))
            raise
        calls = tuple((one.found.scope, one.found.ordinal) for one in out)
        self.journal.note(self.scope, BatchSent(batch=batch, calls=calls), settled=False)
        return batch

    def _collect(self, batch: str, out: Sequence[_Open], *, booked: bool = False) -> None:
        began = monotonic()
        try:
            replies = self.model.collect(batch, [one.ask for one in out], self.within)
        except AisciError as error:
            if isinstance(error, Interrupted) or was_interrupted(error):
                raise Interrupted(
                    "the run was stopped",
                    where=self.scope,
                    why=f"the batch {batch} is at its vendor; what that answers is charged",
                    todo="`aisci resume` collects the replies; none of them is asked or paid again",
                ) from error
            raise
        for one, reply in zip(out, replies, strict=True):
            if isinstance(reply, Reply):
                self.journal.end(one.found, one.line, Reply, reply, began)
            else:
                self.journal.fail(one.line, reply, began)
            self._ends[one.found.scope, one.found.ordinal] = reply
            began = monotonic()  # the time of the batch counts once
        if booked:
            self.settle(total_usage(_costs(replies)))

    def _end(self, found: FoundCall) -> Reply | AisciError:
        return self._ends[found.scope, found.ordinal]

    def _reply(self, found: FoundCall) -> Reply:
        end = self._end(found)
        if isinstance(end, AisciError):
            raise end
        return end


def _costs(replies: Sequence[Reply | ModelFailed]) -> Iterator[Usage]:
    for one in replies:
        yield one.usage if isinstance(one, Reply) else Usage(requests=one.asked)
