"""Bytes both ways between two sockets, until both are done, one is silent, or it is too much."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable

IDLE_TIMEOUT = 300.0  # seconds in which not one byte passes either way
_STEP = 1 << 16  # bytes read at once, and the most that waits on its way in one direction

CheckBytes = Callable[[bytes], str]
"""Told what the client sends, before it goes on; why it must not, or nothing."""

CountBytes = Callable[[int, int], bool]
"""Told bytes (sent to the world, received from it); False once that is more than allowed."""


class _Direction:
    """One direction: what was read at its source and not written to its end yet."""

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
        """Read if there is room, write what waits; the bytes written."""
        written = 0
        with contextlib.suppress(BlockingIOError):  # ready a moment ago, and not any more
            if not self.waiting and not self.read_all and _is(ready, self.source, select.POLLIN):
                self.waiting = self.source.recv(_STEP)
                self.read_all = not self.waiting
                self.why = self._judge(self.waiting)
            elif self.waiting and _is(ready, self.end, select.POLLOUT):
                written = self.end.send(self.waiting)
                self.waiting = self.waiting[written:]
        if self.read_all and not self.done:
            self.done = True
            with contextlib.suppress(OSError):  # that side may have gone before it was told
                self.end.shutdown(socket.SHUT_WR)
        return written


def relay(
    client: socket.socket, world: socket.socket, first: bytes, judge: CheckBytes, spend: CountBytes
) -> str:
    """Pass bytes until both sides have said all; return why it ended sooner, or nothing.

    ``first`` is what the client has sent already, and is judged. Raises OSError where a side
    breaks off.
    """
    out, back = _Direction(client, world, first, judge), _Direction(world, client, b"")
    for sock in (client, world):
        sock.settimeout(0)
    while not (out.done and back.done):
        poll = select.poll()
        for sock, events in _wanted(out, back).items():
            poll.register(sock, events)
        ready = dict(poll.poll(IDLE_TIMEOUT * 1000))
        if not ready:
            return f"nothing passed for {IDLE_TIMEOUT:g} s"
        if not spend(out.step(ready), back.step(ready)):
            return "more bytes than a job may pass"
        if out.why:
            return out.why
    return ""


def _is(ready: dict[int, int], sock: socket.socket, event: int) -> bool:
    """Whether a socket is ready for that, or broken, which reading or writing then tells."""
    return bool(ready.get(sock.fileno(), 0) & (event | select.POLLHUP | select.POLLERR))


def _wanted(out: _Direction, back: _Direction) -> dict[socket.socket, int]:
    """What to wait for at each socket; a full direction is not read."""
    wanted: dict[socket.socket, int] = {}
    for way in (out, back):
        if way.waiting:
            wanted[way.end] = wanted.get(way.end, 0) | select.POLLOUT
        elif not way.read_all:
            wanted[way.source] = wanted.get(way.source, 0) | select.POLLIN
    return wanted
