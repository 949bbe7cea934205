"""Copies bytes both ways between two sockets, until both are done, silent, or over a limit."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable

IDLE_TIMEOUT = 300.0  # seconds without a byte in either direction
_STEP = 1 << 16  # bytes read at once, and the most that waits in one direction

CheckBytes = Callable[[bytes], str]
"""Gets what the client sends before it is passed on; returns why it must not be, or ""."""


class _Direction:
    """One direction: what was read from its source and not yet written to its end."""

    def __init__(
        self,
        source: socket.socket,
        end: socket.socket,
        waiting: bytes,
        judge: CheckBytes = lambda _: "",
    ) -> None:
        self.source, self.end, self.waiting, self._judge = source, end, waiting, judge
        self.read_all = self.done = False
        self.why = ""

    def step(self, ready: dict[int, int]) -> int:
        """Read if nothing waits, else write; return the number of bytes written."""
        written = 0
        with contextlib.suppress(BlockingIOError):  # no longer ready
            if not self.waiting and not self.read_all and _is(ready, self.source, select.POLLIN):
                self.waiting = self.source.recv(_STEP)
                self.read_all = not self.waiting
                self.why = self._judge(self.waiting)
            elif self.waiting and _is(ready, self.end, select.POLLOUT):
                written = self.end.send(self.waiting)
                self.waiting = self.waiting[written:]
        if self.read_all and not self.done:
            self.done = True
            with contextlib.suppress(OSError):  # that side may have closed already
                self.end.shutdown(socket.SHUT_WR)
        return written


def relay(
    client: socket.socket,
    remote: socket.socket,
    first: bytes,
    judge: CheckBytes,
    spend: Callable[[int, int], bool],
) -> str:
    """Copy bytes until both sides have closed; return why it ended sooner, or "".

    ``first`` is what the client has sent already; it is checked too. ``spend`` counts bytes (sent,
    received), and returns False past the limit. Raises OSError where a side breaks the connection.
    """
    out, back = _Direction(client, remote, first, judge), _Direction(remote, client, b"")
    for sock in (client, remote):
        sock.settimeout(0)
    while not (out.done and back.done):
        poll = select.poll()
        for sock, events in _events(out, back).items():
            poll.register(sock, events)
        ready = dict(poll.poll(IDLE_TIMEOUT * 1000))
        if not ready:
            return f"no byte for {IDLE_TIMEOUT:g} s"
        if not spend(out.step(ready), back.step(ready)):
            return "more bytes than a job may pass"
        if out.why:
            return out.why
    return ""


def _is(ready: dict[int, int], sock: socket.socket, event: int) -> bool:
    """Whether a socket is ready for ``event``, or broken, which the read or write then reports."""
    return bool(ready.get(sock.fileno(), 0) & (event | select.POLLHUP | select.POLLERR))


def _events(out: _Direction, back: _Direction) -> dict[socket.socket, int]:
    """The events to wait for at each socket; a direction with waiting bytes is not read."""
    events: dict[socket.socket, int] = {}
    for direction in (out, back):
        if direction.waiting:
            events[direction.end] = events.get(direction.end, 0) | select.POLLOUT
        elif not direction.read_all:
            events[direction.source] = events.get(direction.source, 0) | select.POLLIN
    return events
