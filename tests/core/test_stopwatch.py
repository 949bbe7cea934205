"""Time that a clock stood still is not counted."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from orchestrator.core.stopwatch import Stopwatch


def test_a_clock_that_stands_still_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Stopwatch()
    now[0] += 5
    with clock.stopped():
        now[0] += 1000
        assert clock.elapsed == 5
    now[0] += 2
    with suppress(ValueError), clock.stopped():
        now[0] += 50
        raise ValueError("the model failed")
    now[0] += 1
    assert clock.elapsed == 8
