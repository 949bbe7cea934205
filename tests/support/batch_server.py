"""A loopback server of OpenAI's Batch API and of Anthropic's Message Batches, with the plain requests of both.

A batch ends when the test releases it. ``made`` are the batches, in turn: how often each was collected, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.loopback_http import served

PROMPT, ANSWER = 1000, 200
"""Tokens of every request and of every answer."""


@dataclass
class Batch:
    """A batch at the vendor: its requests by name, how often it was looked at and its results were read."""

    requests: dict[str, dict[str, Any]]
    looks: int = 0
    cancelled: bool = False
    read: int = 0


@dataclass
class BatchServer:
    """``answer`` gives the text for a request's body; the requests in ``broken`` (numbers) end in an error.
    A batch that is cancelled has no answer to those that are ``left``. ``refusals`` are the statuses of the next exchanges.
    """

    answer: Callable[[str], str]
    key: str
    released: bool = False
    left: set[int] = field(default_factory=set)
    broken: dict[int, str] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    made: list[Batch] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    plain: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[BatchServer]:
        """Serve on 127.0.0.1 until the block ends."""
        with served(_Handler, server_of=self) as self.url:
            yield self


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: BatchServer

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _handle(self, data: bytes) -> None:
        server = self.server_of
        key = self.headers.get("x-api-key") or self.headers.get("Authorization", "").removeprefix(
            "Bearer "
        )
        if key != server.key:
            server.wrong.append(f"{self.path}: key {key!r}")
        if server.refusals:
            self._send(
                server.refusals.pop(0), json.dumps({"error": {"message": "overloaded"}}).encode()
            )
            return
        path = self.path.partition("?")[0]
        found = self._openai(path, data) if "message" not in path else self._anthropic(path, data)
        self._send(200 if found is not None else 404, found if found is not None else b"{}")

    def _openai(self, path: str, data: bytes) -> bytes | None:
        server = self.server_of
        answer: dict[str, Any] | None = None
        if path == "/v1/chat/completions":
            answer = self._chat(self._plain(data))
        elif path == "/v1/files":
            answer = self._uploaded(data)
        elif path == "/v1/batches":
            asked = json.loads(data)
            assert (asked["endpoint"], asked["completion_window"]) == (
                "/v1/chat/completions",
                "24h",
            )
            lines = map(json.loads, server.files[asked["input_file_id"]].splitlines())
            server.made.append(Batch({one["custom_id"]: one["body"] for one in lines}))
            answer = {
                "id": f"batch_{len(server.made) - 1}",
                "object": "batch",
                "status": "validating",
            }
        elif found := re.fullmatch(r"/v1/batches/batch_(\d+)/cancel", path):
            server.made[int(found[1])].cancelled = True
            answer = {"id": f"batch_{found[1]}", "status": "cancelling"}
        elif found := re.fullmatch(r"/v1/batches/batch_(\d+)", path):
            answer = self._openai_batch(int(found[1]))
        elif found := re.fullmatch(r"/v1/files/(out|err)-(\d+)/content", path):
            return self._openai_file(found[1], int(found[2]))
        return None if answer is None else _bytes(answer)

    def _uploaded(self, data: bytes) -> dict[str, Any]:
        kind = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(kind + data).get_payload()
        assert isinstance(parts, list)
        purpose, file = (part.get_payload(decode=True) for part in parts)  # type: ignore[union-attr]
        assert purpose == b"batch"
        assert isinstance(file, bytes)
        name = f"file-{len(self.server_of.files)}"
        self.server_of.files[name] = file
        return {"id": name, "object": "file", "purpose": "batch"}

    def _openai_batch(self, number: int) -> dict[str, Any]:
        server, batch = self.server_of, self.server_of.made[number]
        batch.looks += 1
        done = len(batch.requests) if server.released or batch.cancelled else 0
        files = {"output_file_id": f"out-{number}", "error_file_id": f"err-{number}"}
        return {
            "id": f"batch_{number}", "object": "batch", "status": ("cancelled" if batch.cancelled else "completed") if done else "in_progress",
            "request_counts": {"total": len(batch.requests), "completed": done, "failed": 0},
            **(files if done else {"output_file_id": None, "error_file_id": None}),
        }  # fmt: skip

    def _openai_file(self, kind: str, number: int) -> bytes:
        batch = self.server_of.made[number]
        batch.read += kind == "out"
        lines = []
        for at, (name, body) in enumerate(batch.requests.items()):
            fault = self.server_of.broken.get(at)
            if batch.cancelled and at in self.server_of.left:
                continue
            if fault and kind == "err":
                error = {"error": {"message": fault, "type": "invalid_request_error"}}
                lines.append({"id": "x", "custom_id": name, "response": {"status_code": 400, "body": error},
                              "error": None})  # fmt: skip
            if not fault and kind == "out":
                response = {"status_code": 200, "request_id": "r", "body": self._chat(body)}
                lines.append({"id": "x", "custom_id": name, "response": response, "error": None})
        return b"".join(_bytes(line) + b"\n" for line in reversed(lines))  # in no order

    def _anthropic(self, path: str, data: bytes) -> bytes | None:
        server = self.server_of
        if self.headers.get("anthropic-version") != "2023-06-01":
            server.wrong.append(f"{path}: no version")
        if path == "/v1/messages":
            return _bytes(self._message(self._plain(data)))
        if path == "/v1/messages/batches":
            requests = {one["custom_id"]: one["params"] for one in json.loads(data)["requests"]}
            if "output_format" in json.dumps(requests) and "structured-outputs" not in str(
                self.headers.get("anthropic-beta")
            ):
                server.wrong.append(f"{path}: a schema without its header")
            server.made.append(Batch(requests))
            return _bytes({"id": f"msgbatch_{len(server.made) - 1}", "type": "message_batch",
                           "processing_status": "in_progress"})  # fmt: skip
        if found := re.fullmatch(r"/v1/messages/batches/msgbatch_(\d+)(/results|/cancel)?", path):
            batch = server.made[int(found[1])]
            if found[2] == "/cancel":
                batch.cancelled = True
                return _bytes({"id": f"msgbatch_{found[1]}", "processing_status": "canceling"})
            if found[2]:
                batch.read += 1
                return self._results(batch)
            batch.looks += 1
            ended = server.released or batch.cancelled
            left = 0 if ended else len(batch.requests)
            counts = {"processing": left, "succeeded": len(batch.requests) - left, "errored": 0}
            return _bytes({"id": f"msgbatch_{found[1]}", "request_counts": counts,
                           "processing_status": "ended" if ended else "in_progress"})  # fmt: skip
        return None

    def _results(self, batch: Batch) -> bytes:
        lines = []
        for at, (name, body) in enumerate(batch.requests.items()):
            fault = self.server_of.broken.get(at)
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": fault}}
            result: dict[str, Any] = {"type": "succeeded", "message": self._message(body)}
            if fault:
                result = {"type": "errored", "error": error}
            if batch.cancelled and at in self.server_of.left:
                result = {"type": "canceled"}
            lines.append({"custom_id": name, "result": result})
        return b"".join(_bytes(line) + b"\n" for line in reversed(lines))  # in no order

    def _plain(self, data: bytes) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(data)
        self.server_of.plain.append(body)
        return body

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        said = {
            "role": "assistant",
            "content": self.server_of.answer(json.dumps(body)),
            "refusal": None,
        }
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": PROMPT, "completion_tokens": ANSWER, "total_tokens": PROMPT + ANSWER},
        }  # fmt: skip

    def _message(self, body: dict[str, Any]) -> dict[str, Any]:
        content = [{"type": "text", "text": self.server_of.answer(json.dumps(body))}]
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"],
            "content": content, "stop_reason": "end_turn", "stop_sequence": None,
            "usage": {"input_tokens": PROMPT, "output_tokens": ANSWER},
        }  # fmt: skip

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silent: what came is kept."""


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()
