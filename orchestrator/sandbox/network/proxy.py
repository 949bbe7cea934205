"""The allow-list's proxy: a job's only network access, a unix socket that the host serves.

The container has no network, only this socket. For each connection on it the host reads a
CONNECT request, resolves the name (once per job), dials a public address of it, and then reads
the TLS hello: only if that names the same host are bytes sent. What is allowed is decided in
``allowlist.py`` and ``clienthello.py``; each decision is recorded. When the proxy has ended,
the job has no network.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.core.errors import AisciError
from orchestrator.core.job import Egress
from orchestrator.core.sanitize import plain_line
from orchestrator.sandbox.network.allowlist import (
    MAX_HEAD,
    ConnectRequest,
    is_not_connect,
    judge_request,
    split_head,
)
from orchestrator.sandbox.network.connection import (
    STEP_TIMEOUT,
    listen_unix,
    receive,
    refuse_client,
    run_tunnel,
)
from orchestrator.sandbox.network.decisions import Decision, DecisionLog, egress_summary
from orchestrator.sandbox.network.dial import Dialer, Resolver

MAX_CONCURRENT = 64  # connections
MAX_CONNECTIONS = 10_000  # of one job, including refused ones; then none is served any more
_MOST_DIALLED = 4  # addresses of one answer
_ENDING = 2.0  # seconds that closing waits for the threads, which have no sockets then


class Proxy(contextlib.AbstractContextManager["Proxy", None]):
    """One job's proxy. It listens once created and serves from ``begin`` to ``close``.

    ``allowed`` are the policy's entries, such as ``api.example.org:443``; the socket at ``path`` is
    for the job's container alone. Raises :class:`ControlUnavailable` if none can be created there.
    """

    def __init__(self, allowed: tuple[str, ...], path: Path, dialer: Dialer) -> None:
        self._allowed, self.path, self._dialer = allowed, path, dialer
        self._names, self._log = Resolver(dialer.look_up), DecisionLog()
        self._sockets: set[socket.socket] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = listen_unix(path)

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        """Close; an error that leaves the job without a result reports the traffic before it."""
        egress = self.close()
        if isinstance(error, AisciError) and egress:
            error.why = "; ".join(filter(None, (error.why, egress_summary(egress))))
        elif error is not None and egress:
            error.add_note(egress_summary(egress))

    def begin(self) -> None:
        """Start serving connections, and the clock of their times."""
        self._log.begin()
        self._start(self._accept)

    def close(self) -> tuple[Egress, ...]:
        """End every connection and the socket; return every decision."""
        with self._lock:
            self._closed = True
            for sock in (self._listener, *self._sockets):
                with contextlib.suppress(OSError):  # already closed
                    sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)
        until = time.monotonic() + _ENDING
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return self._log.report()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        """Raises RuntimeError if this machine has no more threads."""
        thread = threading.Thread(target=target, args=args, name="egress", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        why = f"more than {MAX_CONNECTIONS} connections of one job"
        for _ in range(MAX_CONNECTIONS):
            try:
                client = self._listener.accept()[0]
            except OSError as error:
                why = f"the proxy ended: {error.strerror}"
                break
            self._welcome(client)
        if not self._closed:
            self._log.open().why = why
            self._listener.close()

    def _welcome(self, client: socket.socket) -> None:
        """Serve a new connection in its own thread, or refuse it."""
        decision = self._log.open()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) > MAX_CONCURRENT:  # the accepting thread is one of them
            why = f"more than {MAX_CONCURRENT} connections at once"
        elif not self._track(client):
            why = "the job has ended"
        else:
            try:
                self._start(self._serve, client, decision)
                return
            except RuntimeError:
                why = "this machine has no more threads"
        refuse_client(client, decision, 503, why)
        self._close_socket(client)

    def _track(self, sock: socket.socket) -> bool:
        """Register a socket to be closed at the job's end; False if the job has ended already."""
        with self._lock:
            if not self._closed:
                self._sockets.add(sock)
            return not self._closed

    def _close_socket(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.discard(sock)
        sock.close()

    def _serve(self, client: socket.socket, decision: Decision) -> None:
        """One connection, from its first byte to its end."""
        try:
            request, rest = self._request(client)
            decision.host = plain_line(request.target)
            if request.why:
                refuse_client(client, decision, request.status, request.why)
                return
            if not decision.spend(0, 0):
                refuse_client(client, decision, 403, "the job has passed its limit of bytes")
                return
            host = request.target.rpartition(":")[0]
            if (remote := self._reach(client, decision, host)) is not None:
                try:
                    run_tunnel(client, remote, decision, host, rest)
                finally:
                    self._close_socket(remote)
        except OSError as error:
            decision.why = f"connection broken: {plain_line(error.strerror or error)}"
        finally:
            self._close_socket(client)

    def _request(self, client: socket.socket) -> tuple[ConnectRequest, bytes]:
        """The judged request, and what the client has sent after it."""
        data, until = b"", time.monotonic() + STEP_TIMEOUT
        while (parts := split_head(data)) is None:
            if is_not_connect(data):
                return judge_request(data.partition(b"\r\n")[0], self._allowed), b""
            if len(data) > MAX_HEAD:
                return ConnectRequest("", 400, f"a request of more than {MAX_HEAD} bytes"), b""
            more = receive(client, until)
            if not more:
                why = "ended" if more is not None else f"took more than {STEP_TIMEOUT:g} s"
                return ConnectRequest("", 408, f"the request {why} before it was complete"), b""
            data += more
        return judge_request(parts[0], self._allowed), parts[1]

    def _reach(self, client: socket.socket, decision: Decision, host: str) -> socket.socket | None:
        """A connection to one of the host's public addresses; None, after a refusal, without one."""
        name = self._names.get(host)
        why = name.why or "no address answers"
        for address in name.addresses[:_MOST_DIALLED]:
            decision.address = address
            try:
                remote = self._dialer.dial(address)
            except OSError as error:
                why = f"no connection: {plain_line(error.strerror or error)}"
                continue
            if remote.getsockname()[0] == remote.getpeername()[0]:
                why = "the address belongs to this machine"
            elif self._track(remote):
                return remote
            else:
                why = "the job has ended"
            remote.close()
            if self._closed:
                break
        refuse_client(client, decision, 502, why)
        return None
