"""One connection through the allow-list's proxy: listening, tunnel, refusal."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.sanitize import plain_line
from orchestrator.sandbox.network.clienthello import LaterRecords, read_hello
from orchestrator.sandbox.network.decisions import Decision
from orchestrator.sandbox.network.relay import relay

STEP_TIMEOUT = 10.0  # seconds for each step, even if bytes keep coming
_PHRASES = {
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Timeout",
    502: "Bad Gateway",
    503: "Unavailable",
}


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
