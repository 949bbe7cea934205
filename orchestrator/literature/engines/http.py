"""One HTTP request to a literature service: bounded in time and size, and never led elsewhere.

The standard library's client uses the environment's proxies and certificates. A key travels in a header,
so a redirect is followed to the same host alone.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from orchestrator import __version__
from orchestrator.core.deadline import Deadline, bounded
from orchestrator.core.errors import BudgetSpent

MOST_ANSWER = 8 << 20  # of an answer
_STEP = 1 << 16
_REDIRECTS = 3
_GRACE = 0.5  # seconds that a request has to end by itself once its time is up


class NoAnswer(Exception):
    """Nothing usable came; ``why`` has no address and no key in it."""

    def __init__(self, why: str, *, late: bool = False, large: bool = False) -> None:
        super().__init__(why)
        self.why, self.late, self.large = why, late, large


@dataclass(frozen=True, slots=True)
class Call:
    """A GET request; ``headers`` may hold a key and are never shown."""

    address: str
    parameters: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        return f"{self.address}?{urlencode(self.parameters)}" if self.parameters else self.address


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever the status; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(call: Call, seconds: float) -> Answer:
    """The answer within ``seconds``, counted over everything: a byte now and then does not stop the
    clock. Raises :class:`NoAnswer`.
    """
    # Looking up a name, and connecting to each of its addresses in turn, have no time-out in common.
    within = Deadline.after(max(seconds, 0.0) + _GRACE, "request")
    try:
        return bounded(lambda: _got(call, seconds), within, "")
    except BudgetSpent:
        raise NoAnswer("no answer in time", late=True) from None


def _got(call: Call, seconds: float) -> Answer:
    until = time.monotonic() + seconds
    line = _Line()
    opener = urllib.request.build_opener(_Http(line), _Https(line), _SameHost(call.address))
    headers = {
        "User-Agent": f"aisci/{__version__}", "Accept-Encoding": "identity", **call.headers
    }  # fmt: skip
    request = urllib.request.Request(call.url, headers=headers)  # noqa: S310 - addresses are checked to be http and https
    try:
        with line.closed_after(seconds):
            try:
                answer = opener.open(request, timeout=max(seconds, 0.01))
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                names = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, names, _body(answer, until))
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() >= until or isinstance(error, TimeoutError)
        raise NoAnswer(_said(error), late=late) from None  # its text may hold the address


def _body(answer: Any, until: float) -> bytes:
    parts, size = [], 0
    while data := answer.read1(_STEP):
        parts.append(data)
        size += len(data)
        if size > MOST_ANSWER:
            raise NoAnswer(f"the answer has more than {MOST_ANSWER >> 20} MiB", large=True)
        if time.monotonic() >= until:
            raise NoAnswer("the answer did not end in time", late=True)
    if time.monotonic() >= until:  # the timer has closed the connection, which looks like an end
        raise NoAnswer("the answer did not end in time", late=True)
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and size < int(length):
        raise NoAnswer(f"the connection was cut after {size:,} of {int(length):,} bytes")
    return b"".join(parts)


def _said(error: Exception) -> str:
    """An error of the connection, in words without an address."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, socket.gaierror):
        return "its name is not known here: no network, or no resolver"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    if isinstance(error, http.client.HTTPException):
        return "the connection was cut"
    return "its address, or the key's header, is not one that HTTP can carry"


class _Line:
    """The socket of a request, which a timer closes: time-outs of sockets begin again with each byte."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.closed = False

    def opened(self, line: socket.socket) -> None:
        self.socket = line
        if self.closed:
            raise TimeoutError

    @contextmanager
    def closed_after(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._close)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _close(self) -> None:
        self.closed = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


def _watched(kind: type[http.client.HTTPConnection], line: _Line) -> Any:
    class Watched(kind):  # type: ignore[misc,valid-type]  # a base that is chosen at run time
        def connect(self) -> None:
            super().connect()
            line.opened(self.sock)

    return Watched


class _Http(urllib.request.HTTPHandler):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_watched(http.client.HTTPConnection, self._line), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_watched(http.client.HTTPSConnection, self._line), req)


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect, as of a merged entity, within the host that was asked."""

    max_redirections = _REDIRECTS

    def __init__(self, address: str) -> None:
        self._asked = _host(address)

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if _host(newurl) != self._asked:
            fp.close()
            raise NoAnswer(f"it leads to another host: {urlsplit(newurl).hostname or ''}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _host(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()
