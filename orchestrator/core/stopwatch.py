"""A clock that can stand still: one thread stops it, another reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def utc_now() -> str:
    """The time as in every record: ISO 8601, UTC, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Stopwatch:
    """Starts when it is made, and pauses within :meth:`stopped`."""

    def __init__(self) -> None:
        # One value, replaced whole: another thread never reads half of a change.
        self._state: tuple[float, float | None] = time.monotonic(), None

    @property
    def elapsed(self) -> float:
        """Seconds that it has run."""
        began, still_since = self._state
        return (time.monotonic() if still_since is None else still_since) - began

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stand still until the end of the block."""
        began, since = self._state[0], time.monotonic()
        self._state = began, since
        try:
            yield
        finally:
            self._state = began + time.monotonic() - since, None
