"""What a job asked of the allow-list's proxy: collected while it runs, reported at its end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from orchestrator.core.job import Egress

MAX_LISTED = 1000  # decisions listed one by one; the rest as two sums
MAX_SENT = 64 << 20  # bytes that one job may send, over all connections
MAX_RECEIVED = 16 << 30  # bytes that one job may receive


class DecisionLog:
    """One job's decisions in the order of its connections, and its bytes. Thread-safe."""

    def __init__(self) -> None:
        self._decisions: list[Decision] = []
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._sent = self._received = 0

    def begin(self) -> None:
        """Start the job's clock."""
        self._began = time.monotonic()

    def open(self) -> Decision:
        """Add a new connection, not decided yet."""
        decision = Decision(self, round(time.monotonic() - self._began, 3))
        with self._lock:
            self._decisions.append(decision)
        return decision

    def spend(self, sent: int, received: int) -> bool:
        """Count bytes; False once the job has passed a limit."""
        with self._lock:
            self._sent += sent
            self._received += received
            return self._sent <= MAX_SENT and self._received <= MAX_RECEIVED

    def report(self) -> tuple[Egress, ...]:
        """Each of the first :data:`MAX_LISTED` decisions, and the others as at most two sums."""
        with self._lock:
            every = [decision.report() for decision in self._decisions]
        listed, rest = every[:MAX_LISTED], every[MAX_LISTED:]
        for allowed in (True, False):
            some = [one for one in rest if one.allowed is allowed]
            sent, received = sum(one.sent for one in some), sum(one.received for one in some)
            if some:
                listed.append(
                    Egress(
                        at=some[0].at,
                        host="",
                        allowed=allowed,
                        sent=sent,
                        received=received,
                        why="the further ones, together",
                        count=len(some),
                    )
                )
        return tuple(listed)


@dataclass(slots=True)
class Decision:
    """One connection and its state. Written by one thread."""

    log: DecisionLog
    at: float  # seconds after the job's start
    host: str = ""
    address: str = ""
    allowed: bool = False
    why: str = "the job ended before it was decided"  # empty where both sides have closed
    sent: int = 0
    received: int = 0

    def spend(self, sent: int, received: int) -> bool:
        self.sent += sent
        self.received += received
        return self.log.spend(sent, received)

    def report(self) -> Egress:
        return Egress(at=self.at, host=self.host, address=self.address, allowed=self.allowed,
                      why=self.why, sent=self.sent, received=self.received)  # fmt: skip


def egress_summary(every: tuple[Egress, ...]) -> str:
    """All decisions in one line: how many connections, to which hosts, how many bytes each way."""
    allowed = [one for one in every if one.allowed]
    hosts = ", ".join(sorted({one.host for one in allowed if one.host}))
    refused = sum(one.count for one in every if not one.allowed)
    return (
        f"connections until then: {sum(one.count for one in allowed)} allowed"
        + (f" ({hosts})" if hosts else "")
        + f", {refused} refused; {sum(one.sent for one in every)} bytes sent, "
        f"{sum(one.received for one in every)} received"
    )
