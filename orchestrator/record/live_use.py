"""What the journals of a run have used of its budget, while several of them are written at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from orchestrator.record.events import Answered, CallFailed, Event
from orchestrator.record.journal import Journal
from orchestrator.record.used import Used


class LiveUse:
    """The use of a run by its journals; thread-safe.

    ``turn`` makes the admission of a call and its line in the journal one step, so that two calls
    never take the same rest of a budget. ``wall`` is elapsed time: where ideas work side by side, the
    sum over their calls would count one second several times.
    """

    def __init__(
        self,
        recorded: Mapping[Path, Used],
        elapsed: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.turn = threading.RLock()
        self._recorded, self._written = dict(recorded), dict[Path, Journal]()
        self._before, self._clock, self._began = elapsed, clock, clock()

    def follow(self, journal: Journal) -> None:
        """Count this journal as it is written from now on."""
        with self.turn:
            self._recorded.pop(journal.path, None)
            self._written[journal.path] = journal
            journal.ledger.nothing_out()

    def gpu_time_out(self, besides: Journal) -> float:
        """GPU seconds that jobs of other journals may still use: they count until a job has its end."""
        with self.turn:
            others = (one for one in self._written.values() if one is not besides)
            return sum(one.ledger.gpu_seconds_out for one in others)

    def total(self) -> Used:
        """The use of all journals."""
        with self.turn:
            written = map(Used.by, self._written.values())
            return sum((*self._recorded.values(), *written), Used())

    @property
    def elapsed(self) -> float:
        """Seconds in which a call was out before this process, and seconds of this process."""
        return self._before + self._clock() - self._began


def time_at_work(lines: Iterable[Event], out: Iterable[tuple[float, float]] = ()) -> float:
    """Seconds in which at least one call of these lines, of any journals, was out; ``out`` are (start, end) of
    calls without an end. Raises ValueError for a time that is none.
    """
    ends = (
        (ended - line.seconds, ended)
        for line in lines
        if isinstance(line, Answered | CallFailed)
        for ended in [datetime.fromisoformat(line.at).timestamp()]
    )
    spans = sorted([*ends, *out])
    total, until = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
