"""Signals that stop a command in order: they become Ctrl-C, and its clean-up runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPS = (signal.SIGTERM, signal.SIGHUP)  # a closed terminal stops a run in order, too


@contextmanager
def obeyed() -> Iterator[None]:
    """Within the block, a signal that asks for an end raises :class:`KeyboardInterrupt`."""
    before = [(number, signal.signal(number, _stop)) for number in STOPS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
