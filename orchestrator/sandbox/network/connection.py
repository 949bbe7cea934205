"""One connection through the allow-list's proxy: listening, refusal, and a tunnel both ways."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.sanitize import plain_line
from orchestrator.sandbox.network.clienthello import LaterRecords, read_hello
from orchestrator.sandbox.network.decisions import Decision

IDLE_TIMEOUT = 300.0  # seconds without a byte in either direction
_STEP = 1 << 16  # bytes read at once, and the most that waits in one direction
STEP_TIMEOUT = 10.0  # seconds for each step, even if bytes keep coming
_PHRASES = {
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Timeout",
    502: "Bad Gateway",
    503: "Unavailable",
}


CheckBytes = Callable[[bytes], str]
"""Gets what the client sends before it is passed on; returns why it must not be, or ""."""


def listen_unix(path: Path) -> socket.socket:
    """A listening unix socket, for all who have its path. Raises :class:`ControlUnavailable`."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ControlUnavailable(
            "the policy asks for network: the proxy's socket cannot be made",
            where=str(path),
            why=error.strerror or str(error),
            todo="free space, or set TMPDIR to a short path such as /tmp",
        ) from error
    return listener


def run_tunnel(
    client: socket.socket, remote: socket.socket, decision: Decision, host: str, rest: bytes
) -> None:
    """Accept the request, check that TLS names the same host, and only then pass bytes."""
    client.settimeout(STEP_TIMEOUT)
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    until = time.monotonic() + STEP_TIMEOUT
    while (hello := read_hello(rest)) is None:  # which limits its size
        more = receive(client, until)
        if not more:
            decision.why = "no TLS hello came"
            return
        rest += more
    later = LaterRecords(host)
    other = f"TLS for another host, {plain_line(hello.name)}" if hello.name != host else ""
    why = hello.why or other or later.why(rest[hello.end :])
    if not why:
        decision.allowed, decision.why = True, "open until the job ended"
        why = relay(client, remote, rest, later.why, decision.spend)
    decision.why = why


def refuse_client(client: socket.socket, decision: Decision, status: int, why: str) -> None:
    """Record the refusal, and send it to the client in one line."""
    decision.why = why
    line = f"HTTP/1.1 {status} {_PHRASES[status]}: {why}\r\nContent-Length: 0\r\n\r\n"
    with contextlib.suppress(OSError):
        client.settimeout(1.0)
        client.sendall(line.encode("ascii", "replace"))


def receive(sock: socket.socket, until: float) -> bytes | None:
    """Bytes that come before ``until``; b"" at the end of the stream, None after the time."""
    sock.settimeout(max(0.001, until - time.monotonic()))
    try:
        return sock.recv(1 << 12)
    except TimeoutError:
        return None


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
