"""A real HTTP server that speaks OpenAI's chat format, says what it is told, and keeps what it was asked.

For tests without a vendor, aisci's own and its users'::

    with ModelServer(from_model(loopback_author())).running() as server:
        print(server.url)
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from orchestrator.core.sanitize import plain_line
from orchestrator.core.tree import digest
from orchestrator.research.loopback.answers import (
    ChatBody,
    Drip,
    Drop,
    Fail,
    Hang,
    Raw,
    ServerAnswer,
    Stop,
    completion,
    streamed,
)

Script = Callable[[ChatBody], ServerAnswer]
_MOST_BYTES = 256 * 2**20  # of a request, with its pictures
_JSON = "application/json"


class _Said(BaseModel):
    role: str
    content: str | list[dict[str, Any]]


class _Asked(BaseModel):
    """What a request must have; whatever else it has is kept and not read."""

    messages: list[_Said]
    stream: bool = False


@dataclass
class ModelServer:
    """``answers`` are given in turn (the last one again and again), or asked of a function, which gets
    the request's body and the ``purpose`` of its header. With a ``log`` each request is a line of JSON
    there, on disk before it is answered, so that a test can tell what was asked even where everybody else
    was killed. ``tell`` gets a line for each answer.
    """

    answers: Iterable[ServerAnswer] | Script
    log: Path | None = None
    url: str = ""
    tell: Callable[[str], None] = lambda _: None
    flying: int = 0  # requests that wait for their answer, those of a :class:`Hang` left out
    most_flying: int = 0
    _asked: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: Iterator[ServerAnswer] | None = None
    _last: ServerAnswer = field(default_factory=lambda: Fail(500, "the script is empty"))

    def answer(self, body: ChatBody, purpose: str) -> ServerAnswer:
        """The next answer; its request is on disk before this returns."""
        with self._lock:
            asked = {"key": digest(body), "purpose": purpose, "body": body}
            self._asked.append(asked)
            if self.log:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asked) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            if callable(self.answers):
                given = self.answers(body | {"purpose": purpose})
            else:
                self._turns = self._turns or iter(self.answers)
                given = self._last = next(self._turns, self._last)
            self.tell(_line(len(self._asked), body, purpose, given))
            return given

    def take_off(self, number: int) -> None:
        """Count a request that begins (1) or ends (-1)."""
        with self._lock:
            self.flying += number
            self.most_flying = max(self.most_flying, self.flying)

    def requests(self) -> list[dict[str, Any]]:
        """All requests: ``key`` (hash of the body), ``purpose`` and ``body``; no key of a vendor's ever."""
        with self._lock:
            return list(self._asked)

    @contextmanager
    def running(self, port: int = 0) -> Iterator[ModelServer]:
        """Serve on 127.0.0.1 until the block ends; ``url`` is what OPENAI_API_BASE wants. Raises ``OSError``."""
        handler = type("Handler", (_Handler,), {"model": self})
        http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        http.daemon_threads = True
        self.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            http.shutdown()
            thread.join()
            http.server_close()


def _line(number: int, body: ChatBody, purpose: str, answer: ServerAnswer) -> str:
    """What a person reads of a request and its answer."""
    step = plain_line(purpose or "(no purpose)", limit=80)
    if isinstance(answer, str | Stop):
        usage = completion(body, answer)["usage"]
        said = f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
        said += f", {answer.reason}" if isinstance(answer, Stop) else ""
    elif isinstance(answer, Fail):
        said = f"status {answer.status}: {plain_line(answer.message, limit=160)}"
    else:
        said = type(answer).__name__.lower()
    return f"{number} {step}: {said}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "loopback"
    model: ModelServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            super().handle()

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "")
        if not (size.isascii() and size.isdecimal() and int(size) <= _MOST_BYTES):
            self.close_connection = True
            self._give(Fail(411, "a request needs a Content-Length below 256 MiB"), {})
            return
        raw = self.rfile.read(int(size))
        if not self.path.partition("?")[0].endswith("/chat/completions"):
            self._give(Fail(404, f"only POST /v1/chat/completions is served, not {self.path}"), {})
            return
        try:
            _Asked.model_validate_json(raw)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            place = ".".join(map(str, wrong["loc"]))
            self._give(
                Fail(400, f"not a request of OpenAI's chat format: {place} {wrong['msg']}"), {}
            )
            return
        body: ChatBody = json.loads(raw)
        answer = self.model.answer(body, self.headers.get("X-Aisci-Purpose", ""))
        if isinstance(answer, Hang):
            self._give(answer, body)
            return
        self.model.take_off(1)
        try:
            self._give(answer, body)
        finally:
            self.model.take_off(-1)

    def _give(self, answer: ServerAnswer, body: ChatBody) -> None:
        if isinstance(answer, Drip):
            self._drip(answer.seconds)
        elif isinstance(answer, Drop | Hang):
            if isinstance(answer, Hang):
                time.sleep(answer.seconds)
            self.close_connection = True
        elif isinstance(answer, Fail):
            self._send(answer.status, answer.body, _JSON, answer.headers)
        elif isinstance(answer, Raw):
            self._send(200, answer.body, _JSON)
        elif body.get("stream"):
            self._send(200, streamed(completion(body, answer)), "text/event-stream")
        else:
            self._send(200, json.dumps(completion(body, answer)), _JSON)

    def _drip(self, seconds: float) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(int(seconds * 10)):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def _send(
        self, status: int, text: str, kind: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", kind)):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Silent; ``requests`` and ``tell`` say it all."""
