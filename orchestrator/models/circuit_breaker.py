"""A circuit breaker per vendor's server, shared by all callers of this process.

If the server asks one caller to wait, all wait. When the last retry of a call fails, the breaker opens: each call
then makes one request, without retries, until a request succeeds and closes it.
"""

from __future__ import annotations


class CircuitBreaker:
    """The state of one server, shared by the ideas and roles of a run that ask it."""

    def __init__(self) -> None:
        self._not_before = 0.0
        self._open = False

    def tries(self, most: int) -> int:
        """How many requests a call may make; ``most`` while the breaker is closed."""
        return 1 if self._open else most

    def wait_at(self, now: float) -> float:
        """Seconds until the next request may go; ``now`` is a reading of the monotonic clock."""
        return max(0.0, self._not_before - now)

    def wait_until(self, at: float) -> None:
        """Send no request before ``at``."""
        self._not_before = max(self._not_before, at)

    def succeeded(self) -> None:
        """Close the breaker: a request was answered."""
        self._not_before, self._open = 0.0, False

    def failed(self) -> None:
        """Open the breaker: the last retry of a call failed."""
        self._open = True


_BREAKERS: dict[tuple[str, str], CircuitBreaker] = {}


def breaker_of(provider: str, server: str) -> CircuitBreaker:
    """The breaker of a vendor's server, or of the ``server`` of the user's own at an address."""
    return _BREAKERS.setdefault((provider, server), CircuitBreaker())
