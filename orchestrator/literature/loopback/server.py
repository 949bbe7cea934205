"""Servers that answer as OpenAlex, Semantic Scholar, arXiv and Crossref do, on this machine alone.

For tests without a network, aisci's own and its users'::

    with Loopback(papers, {"arxiv": [FAULTS["arxiv"]["too many"]]}) as served:
        print(served.address("arxiv"))
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from orchestrator.core.literature import PaperRef
from orchestrator.literature.loopback.faults import FAULTS, Fault
from orchestrator.literature.loopback.services import PATHS, Services

__all__ = ["FAULTS", "Fault", "Loopback", "Request"]

_DRIP = 0.2  # seconds between two bytes
_MORE = 1000  # bytes that a cut answer lacks


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. ``at`` is monotonic; ``open`` is how many of the engine's were then being
    answered, this one included. The names of ``headers`` are in lower case.
    """

    engine: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    at: float
    open: int


class Loopback:
    """The four services over ``papers``, while the block lasts. ``usd`` is OpenAlex's budget of the day.
    ``keys`` are the keys that engines know: another is refused, and none is needed.
    """

    def __init__(
        self,
        papers: Sequence[PaperRef],
        faults: Mapping[str, Sequence[Fault]] | None = None,
        *,
        usd: float = 1.0,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.stopped = threading.Event()
        self._services = Services(papers, usd, keys or {})
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._open: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._http: _Server | None = None
        self._thread: threading.Thread | None = None
        for engine, ones in (faults or {}).items():
            self.faults(engine, ones)

    def __enter__(self) -> Self:
        self.stopped.clear()
        self._http = _Server(self)
        work = {"poll_interval": 0.02}
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs=work, daemon=True, name="loopback"
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._http is not None
        assert self._thread is not None
        self.stopped.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._http.hang_up()
        self._http = None

    def address(self, engine: str) -> str:
        """The base address of an engine, as its real one is given to aisci."""
        assert self._http is not None, "the loopback serves only within its block"
        return f"http://127.0.0.1:{self._http.server_address[1]}{PATHS[engine]}"

    def faults(self, engine: str, ones: Iterable[Fault]) -> None:
        """Give ``ones`` in place of the engine's next answers, after those that are still to come."""
        if engine not in PATHS:
            raise ValueError(f"no engine {engine!r}: there are {', '.join(PATHS)}")
        with self._lock:
            self._faults[engine].extend(ones)

    def arrived(
        self, engine: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Fault:
        """Note a request and say what it gets; :meth:`answered` ends it."""
        with self._lock:
            self._open[engine] += 1
            now = Request(engine, path, query, headers, time.monotonic(), self._open[engine])
            self.requests.append(now)
            fault = self._faults[engine].popleft() if self._faults[engine] else Fault()
        if fault.status:
            return fault
        base = PATHS[engine]
        right = (
            self._services.answer(engine, path.removeprefix(base), query, headers)
            if path == base or path.startswith(base + "/")
            else Fault(status=404, headers={"Content-Type": "text/plain"}, body=b"Not found")
        )
        return Fault(
            status=right.status, headers={**right.headers, **fault.headers}, body=right.body,
            hang=fault.hang, cut=fault.cut, drip=fault.drip,
        )  # fmt: skip

    def answered(self, engine: str) -> None:
        with self._lock:
            self._open[engine] -= 1


class _Server(ThreadingHTTPServer):
    """Threads that nobody waits for, and connections that can be closed from outside."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, loopback: Loopback) -> None:
        self.loopback = loopback
        self._lines: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._lines.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent where the client has gone."""
        if not self.loopback.stopped.is_set():
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """End every connection, so that no handler waits for its client."""
        with self._lock:
            for line in self._lines:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "loopback"
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            super().handle()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        engine = path.split("/")[1]
        if engine not in PATHS:
            self._send(Fault(status=404, body=b"no such service"))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        loopback = self.server.loopback
        try:
            answer = loopback.arrived(engine, path, query, headers)
            if answer.hang and loopback.stopped.wait(answer.hang):
                self.close_connection = True
                return
            if answer.drip:
                self._send(answer)
        finally:
            loopback.answered(engine)  # before its last byte: the client may ask again at once
        if not answer.drip:
            self._send(answer)

    def _send(self, answer: Fault) -> None:
        size = len(answer.body) * answer.times
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.cut or answer.drip:
            self.close_connection = True
            self.send_header("Connection", "close")
        if not answer.drip:
            self.send_header("Content-Length", str(size + _MORE * answer.cut))
        self.end_headers()
        if answer.drip:
            self._drip(answer.body)
            return
        for _ in range(answer.times):
            self.wfile.write(answer.body)

    def _drip(self, body: bytes) -> None:
        """A byte now and then, blanks once the body has ended, until the client goes."""
        for byte in body:
            self.wfile.write(bytes([byte]))
            if self.server.loopback.stopped.wait(_DRIP):
                return
        while not self.server.loopback.stopped.wait(_DRIP):
            self.wfile.write(b" ")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Silent; ``requests`` says it all."""
