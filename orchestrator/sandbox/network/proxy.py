"""The allow-list's proxy: a job's only way out, a unix socket whose other end is held here.

The container has no network, only this socket. For each connection on it the host reads a
CONNECT, looks the name up (once in a job), dials the public address that it found, and then
reads the TLS hello: only if that names the same host does a byte go out. What is allowed is
decided in ``allowlist.py`` and ``clienthello.py``; each decision stands in the job's record.
When the proxy is gone, so is the network: nothing else leads out.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

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
MAX_CONNECTIONS = 10_000  # of one job, refused ones counted; then nothing is served any more
_MOST_DIALLED = 4  # addresses of one answer
_ENDING = 2.0  # seconds that closing waits for threads; they are daemons without sockets then


class Proxy:
    """One job's. It listens once made and serves from ``begin`` to ``close``.

    Args:
        allowed: the policy's entries, such as ``api.example.org:443``.
        path: where the socket is made, for the job's container alone.
        world: how names are looked up and addresses dialled.

    Raises:
        ControlUnavailable: no socket can be made there.
    """

    def __init__(self, allowed: tuple[str, ...], path: Path, world: Dialer) -> None:
        self._allowed, self.path, self._world = allowed, path, world
        self._names, self._ledger = Resolver(world.look_up), DecisionLog()
        self._sockets: set[socket.socket] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = listen_unix(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close; an error that leaves the job without a result says what went out before it."""
        told = self.close()
        if isinstance(error, AisciError) and told:
            error.why = "; ".join(filter(None, (error.why, egress_summary(told))))
        elif error is not None and told:
            error.add_note(egress_summary(told))

    def begin(self) -> None:
        """From now on connections are served, and their times counted."""
        self._ledger.begin()
        self._start(self._accept)

    def close(self) -> tuple[Egress, ...]:
        """End every connection and the socket; return what was asked and what became of it."""
        with self._lock:
            self._closed = True
            for sock in (self._listener, *self._sockets):
                with contextlib.suppress(OSError):  # not connected any more
                    sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)
        until = time.monotonic() + _ENDING
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return self._ledger.told()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        """Raises RuntimeError where this machine gives no more threads."""
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
            self._ledger.open().ended(why)
            self._listener.close()

    def _welcome(self, client: socket.socket) -> None:
        """A thread for a new connection, if there is room for one more."""
        entry = self._ledger.open()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) > MAX_CONCURRENT:  # with the one that this is
            why = f"more than {MAX_CONCURRENT} connections at once"
        elif not self._keep(client):
            why = "the job has ended"
        else:
            try:
                self._start(self._serve, client, entry)
                return
            except RuntimeError:
                why = "this machine gives no more threads"
        refuse_client(client, entry, 503, why)
        self._let_go(client)

    def _keep(self, sock: socket.socket) -> bool:
        """Have a socket ended when the job is; False where it has ended already."""
        with self._lock:
            if not self._closed:
                self._sockets.add(sock)
            return not self._closed

    def _let_go(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.discard(sock)
        sock.close()

    def _serve(self, client: socket.socket, entry: Decision) -> None:
        """One connection, from its first byte to its end."""
        try:
            request, rest = self._request(client)
            entry.host = plain_line(request.target)
            if request.why:
                refuse_client(client, entry, request.status, request.why)
                return
            if not entry.spend(0, 0):
                refuse_client(client, entry, 403, "the job has passed all the bytes that it may")
                return
            host = request.target.rpartition(":")[0]
            world = self._reach(client, entry, host)
            if world is not None:
                try:
                    run_tunnel(client, world, entry, host, rest)
                finally:
                    self._let_go(world)
        except OSError as error:
            entry.ended(f"broken off: {plain_line(error.strerror or error)}")
        finally:
            self._let_go(client)

    def _request(self, client: socket.socket) -> tuple[ConnectRequest, bytes]:
        """The judged request, and what the client has said after it."""
        data, until = b"", time.monotonic() + STEP_TIMEOUT
        while (parts := split_head(data)) is None:
            if is_not_connect(data):
                return judge_request(data.partition(b"\r\n")[0], self._allowed), b""
            if len(data) > MAX_HEAD:
                return ConnectRequest("", 400, f"a request of more than {MAX_HEAD} bytes"), b""
            more = receive(client, until)
            if not more:
                why = "ended" if more is not None else f"took more than {STEP_TIMEOUT:g} s"
                return ConnectRequest("", 408, f"the request {why} before it was whole"), b""
            data += more
        return judge_request(parts[0], self._allowed), parts[1]

    def _reach(self, client: socket.socket, entry: Decision, host: str) -> socket.socket | None:
        """A connection to one of the host's public addresses; None, and said so, without one."""
        name = self._names.get(host)
        why = name.why or "no address answers"
        for address in name.addresses[:_MOST_DIALLED]:
            entry.address = address
            try:
                world = self._world.dial(address)
            except OSError as error:
                why = f"no connection: {plain_line(error.strerror or error)}"
                continue
            if world.getsockname()[0] == world.getpeername()[0]:
                why = "the address is this machine's own"
            elif self._keep(world):
                return world
            else:
                why = "the job has ended"
            world.close()
            if self._closed:
                break
        refuse_client(client, entry, 502, why)
        return None
