"""A real HTTP server that speaks the OpenAI chat format, says what it is told, and keeps a log.

Each request is one line of JSON in the log, on disk before it is answered, so that a test can
tell what was asked even where everybody else was killed. Started by a test, or on its own::

    python -m tests.support.model_server --port 0 --log requests.jsonl --script sweep
"""

from __future__ import annotations

import argparse
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

from orchestrator.api.prepare import open_author
from orchestrator.core.deadline import FOREVER
from orchestrator.core.model import SWEEP, Ask, Message
from orchestrator.core.protocols import LanguageModel
from orchestrator.core.tree import digest


@dataclass(frozen=True)
class Fail:
    """An HTTP error, with the body and headers of a vendor's."""

    status: int
    message: str = "made to fail"
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Raw:
    """A reply's body as it is: no JSON, an empty choice, another shape."""

    body: str


@dataclass(frozen=True)
class Drop:
    """The connection is closed with no answer."""


@dataclass(frozen=True)
class Hang:
    """No answer for so many seconds, then the connection is closed."""

    seconds: float


@dataclass(frozen=True)
class Drip:
    """Blanks for so many seconds, one every tenth: no time-out between two bytes ever ends it."""

    seconds: float


@dataclass(frozen=True)
class Stop:
    """A reply that ended for another reason than ``stop``."""

    text: str | None
    reason: str
    written: int | None = None  # the tokens that it is said to have, if not the real number


Answer = str | Fail | Raw | Drop | Hang | Drip | Stop
Script = Callable[[dict[str, Any]], Answer]


@dataclass
class ModelServer:
    """``answers`` are given in turn (the last one again and again), or asked of a function."""

    answers: Iterable[Answer] | Script
    log: Path
    url: str = ""
    flying: int = 0  # requests that wait for their answer, those of a :class:`Hang` left out
    most_flying: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: Iterator[Answer] | None = None
    _last: Answer = field(default_factory=lambda: Fail(500, "the script is empty"))

    def answer(self, body: dict[str, Any], purpose: str) -> Answer:
        """The next answer; its request is on disk before this returns."""
        with self._lock:
            line = {"key": digest(body), "purpose": purpose, "body": body}
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
            if callable(self.answers):
                return self.answers(body | {"purpose": purpose})
            if self._turns is None:
                self._turns = iter(self.answers)
            self._last = next(self._turns, self._last)
            return self._last

    def take_off(self, number: int) -> None:
        """Count a request that begins (1) or ends (-1)."""
        with self._lock:
            self.flying += number
            self.most_flying = max(self.most_flying, self.flying)

    def requests(self) -> list[dict[str, Any]]:
        """The log: ``key`` (hash of the body), ``purpose`` and ``body``; no key ever."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    @contextmanager
    def running(self, port: int = 0) -> Iterator[ModelServer]:
        """Serve on 127.0.0.1 until the block ends; ``url`` is what OPENAI_API_BASE wants."""
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelServer

    def _drip(self, seconds: float) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError):  # nobody listens any more
            for _ in range(int(seconds * 10)):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.model.answer(body, self.headers.get("X-Aisci-Purpose", ""))
        if isinstance(answer, Hang):
            self._give(answer, body)
            return
        self.model.take_off(1)
        try:
            self._give(answer, body)
        finally:
            self.model.take_off(-1)

    def _give(self, answer: Answer, body: dict[str, Any]) -> None:
        if isinstance(answer, Drip):
            self._drip(answer.seconds)
            return
        if isinstance(answer, Drop | Hang):
            if isinstance(answer, Hang):
                time.sleep(answer.seconds)
            self.close_connection = True
            return
        if isinstance(answer, Fail):
            error = {"message": answer.message, "type": "error", "code": answer.code}
            self._send(answer.status, json.dumps({"error": error}), answer.headers)
            return
        self._send(200, answer.body if isinstance(answer, Raw) else completion(body, answer))

    def _send(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/json")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Silent; the log file says it all."""


def completion(body: dict[str, Any], answer: str | Stop) -> str:
    """A chat completion in the OpenAI format; a token is counted as four characters."""
    text = answer if isinstance(answer, str) else answer.text
    prompt = sum(len(str(message["content"])) for message in body["messages"]) // 4
    told = None if isinstance(answer, str) else answer.written
    written = len(text or "") // 4 if told is None else told
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop" if isinstance(answer, str) else answer.reason,
                    "message": {"role": "assistant", "content": text},
                }
            ],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": written,
                "total_tokens": prompt + written,
            },
        }
    )


def from_model(model: LanguageModel) -> Script:
    """Answer as ``model`` would, told of the purpose by a header."""

    def script(body: dict[str, Any]) -> Answer:
        messages = tuple(Message(one["role"], one["content"]) for one in body["messages"])
        return model.complete(Ask(purpose=body["purpose"], messages=messages), FOREVER).text

    return script


def main() -> None:
    """Serve until the process is stopped; the first line of output is the URL."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--script", required=True, help="`sweep`, or a file of scripted replies")
    options = parser.parse_args()
    name = SWEEP if options.script == "sweep" else f"scripted/{options.script}"
    model = open_author(name, environ={})
    with ModelServer(from_model(model), options.log).running(options.port) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
