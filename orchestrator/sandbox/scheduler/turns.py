"""Runs of one user that wait for GPUs take them in turn, though each is a process of its own."""

from __future__ import annotations

import os
import time

from orchestrator.sandbox.machine_locks import MachineLocks, TurnMark

_STILL = 5.0
"""Seconds without a sign of life, ten times the pause between two, after which others no longer wait."""


class Turns:
    """Whose turn it is: of the runs that wait, the one that was served longest ago."""

    def __init__(self, locks: MachineLocks) -> None:
        self._locks = locks
        self._mark: TurnMark | None = None

    def wait(self) -> None:
        """This run waits, from now on if it did not."""
        self._mark = self._mark or self._locks.mark("turn-", time.monotonic_ns())

    def leave(self) -> None:
        """It was served, or waits no longer."""
        if self._mark is not None:
            self._locks.unmark(self._mark)
            self._mark = None

    def mine(self) -> bool:
        """Whether no other run waits longer; to be asked again and again while this one waits."""
        mark = self._mark
        if mark is None:
            return True
        os.utime(mark.path)
        since = time.time() - _STILL
        others = self._locks.marks_of_others("turn-")
        return not any(began < mark.number and seen > since for began, seen in others)
