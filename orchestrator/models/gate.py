"""Whether a vendor's server can be asked now: one gate per server, for all callers of this process.

A pause that the server asked one caller for holds for all of them. After a call whose last try failed, the server
counts as down: each call makes one request, until one is answered.
"""

from __future__ import annotations


class Gate:
    """The state of one server, shared by the ideas and roles of a run that ask it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._down = False

    def tries(self, most: int) -> int:
        """How many requests a call may make; ``most`` while the server is not down."""
        return 1 if self._down else most

    def closed_for(self, now: float) -> float:
        """Seconds until the server may be asked; ``now`` is a reading of the monotonic clock."""
        return max(0.0, self._until - now)

    def close(self, until: float) -> None:
        """Let nobody ask before ``until``."""
        self._until = max(self._until, until)

    def answered(self) -> None:
        """A request was answered: the server is up."""
        self._until, self._down = 0.0, False

    def gave_up(self) -> None:
        """A call's last try failed: the server is down."""
        self._down = True


_GATES: dict[tuple[str, str], Gate] = {}


def gate_of(provider: str, server: str) -> Gate:
    """The gate of a vendor's server, or of the ``server`` of the user's own at an address."""
    return _GATES.setdefault((provider, server), Gate())
