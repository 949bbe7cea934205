"""What a job asked of the allow-list's proxy, gathered while it runs and told at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.core.job import Egress

MAX_LISTED = 1000  # decisions one by one; the rest is told as two sums
MAX_SENT = 64 << 20  # bytes that one job may send to the world, all connections together
MAX_RECEIVED = 16 << 30  # bytes that one job may receive


class DecisionLog:
    """One job's decisions in the order of their connections, and its bytes. Thread-safe."""

    def __init__(self) -> None:
        self._entries: list[Decision] = []
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._sent = self._received = 0

    def begin(self) -> None:
        """The job's clock starts."""
        self._began = time.monotonic()

    def open(self) -> Decision:
        """A new connection, not decided yet."""
        entry = Decision(self, round(time.monotonic() - self._began, 3))
        with self._lock:
            self._entries.append(entry)
        return entry

    def spend(self, sent: int, received: int) -> bool:
        """Count bytes; False once the job has had all that it may."""
        with self._lock:
            self._sent += sent
            self._received += received
            return self._sent <= MAX_SENT and self._received <= MAX_RECEIVED

    def told(self) -> tuple[Egress, ...]:
        """Each of the first :data:`MAX_LISTED` decisions, and the sums of the others."""
        with self._lock:
            told = [entry.told() for entry in self._entries]
        rest = told[MAX_LISTED:]
        sums = (_sum(one for one in rest if one.allowed is allowed) for allowed in (True, False))
        return (*told[:MAX_LISTED], *(one for one in sums if one is not None))


@dataclass(slots=True)
class Decision:
    """One connection, as far as it has come. Written by one thread."""

    ledger: DecisionLog
    at: float  # seconds after the job's start
    host: str = ""
    address: str = ""
    allowed: bool = False
    why: str = field(default="the job ended before it was decided")
    sent: int = 0
    received: int = 0

    def allow(self) -> None:
        """Bytes may pass from now on."""
        self.allowed, self.why = True, "open until the job ended"

    def ended(self, why: str) -> None:
        """Refused, or over; ``why`` is empty where both sides had said all."""
        self.why = why

    def spend(self, sent: int, received: int) -> bool:
        self.sent += sent
        self.received += received
        return self.ledger.spend(sent, received)

    def told(self) -> Egress:
        return Egress(
            at=self.at,
            host=self.host,
            address=self.address,
            allowed=self.allowed,
            why=self.why,
            sent=self.sent,
            received=self.received,
        )


def _sum(told: Iterable[Egress]) -> Egress | None:
    """Many decisions as one, or None for none."""
    every = tuple(told)
    if not every:
        return None
    return Egress(
        at=every[0].at,
        host="",
        allowed=every[0].allowed,
        why="the further ones, together",
        sent=sum(one.sent for one in every),
        received=sum(one.received for one in every),
        count=len(every),
    )


def egress_summary(told: tuple[Egress, ...]) -> str:
    """One line over all: how many connections, to whom, how many bytes each way."""
    allowed = [one for one in told if one.allowed]
    hosts = ", ".join(sorted({one.host for one in allowed if one.host}))
    return (
        f"connections until then: {sum(one.count for one in allowed)} allowed"
        + (f" ({hosts})" if hosts else "")
        + f", {sum(one.count for one in told if not one.allowed)} refused; "
        + f"{sum(one.sent for one in told)} bytes sent, "
        + f"{sum(one.received for one in told)} received"
    )
