"""A loopback server that answers in each vendor's own format and keeps each request whole.

A request is told by its path, as at the vendors: one server stands for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.loopback_http import served

TEXT = '{"name": "two"}'
"""What every vendor answers."""
THOUGHT = "One is not it."
"""What a vendor thinks aloud before it, where it is asked to."""
PLAIN, CACHED, WRITTEN, ANSWER = 100, 3000, 500, 70
REPORTED = 0.0123  # US dollars, by the one vendor that says them
"""Tokens of the prompt that no cache was used for, those read from and written to one, and the answer's."""


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire; names of headers in lower case."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """An answer that is an error: status, body (text or JSON), headers."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class VendorServer:
    """``refusals`` are answered first, in turn; then each request in the format of its path."""

    refusals: list[Refusal] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[VendorServer]:
        """Serve on 127.0.0.1 until the block ends."""
        with served(_Handler, vendor=self) as self.url:
            yield self


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    vendor: VendorServer

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/token":  # Google's exchange of a service account's signature
            self._send(200, {"access_token": "ya29.token-of-the-test", "expires_in": 3600})
            return
        if (
            self.path == "/api/show"
        ):  # where litellm asks Ollama about a model that it does not know
            self._send(200, {"template": "", "capabilities": ["completion"], "model_info": {}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.vendor.asked.append(Asked(self.path, headers, json.loads(data)))
        if self.vendor.refusals:
            refusal = self.vendor.refusals.pop(0)
            self._send(refusal.status, refusal.body, refusal.headers)
            return
        self._send(200, _answer(self.path, json.loads(data)))

    def _send(self, status: int, body: Any, headers: tuple[tuple[str, str], ...] = ()) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/json")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silent: the requests are kept."""


def _answer(path: str, body: dict[str, Any]) -> dict[str, Any]:
    route = path.partition("?")[0]
    if route.endswith("/converse"):
        return _converse(body)
    if route.endswith(("/messages", ":rawPredict", "/invoke")):
        return _claude(body)
    if route.endswith(":generateContent"):
        return _gemini(body)
    if route.endswith(("/api/chat", "/api/generate")):
        return _ollama(route, body)
    if "deepseek" in str(body.get("model")):
        return _chat(body) | {"usage": _DEEPSEEK}
    return _chat(body)


_PROMPT = PLAIN + CACHED + WRITTEN
_DEEPSEEK = {
    "prompt_tokens": PLAIN + CACHED, "completion_tokens": ANSWER, "total_tokens": PLAIN + CACHED + ANSWER,
    "prompt_tokens_details": {"cached_tokens": CACHED}, "prompt_cache_hit_tokens": CACHED,
    "prompt_cache_miss_tokens": PLAIN, "completion_tokens_details": {"reasoning_tokens": 20},
}  # fmt: skip


def _chat(body: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's format: its counts of the prompt include the cache's."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": TEXT,
        "refusal": None,
        "annotations": [],
    }
    if "thinking" in body:  # DeepSeek's
        message["reasoning_content"] = THOUGHT
    written = (
        {"cache_write_tokens": WRITTEN} if "prompt_cache_breakpoint" in json.dumps(body) else {}
    )
    prompt = PLAIN + CACHED + (WRITTEN if written else 0)
    cost = {"cost": REPORTED, "cost_details": {}} if "usage" in body else {}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body.get("model", "m"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": ANSWER, "total_tokens": prompt + ANSWER,
            "prompt_tokens_details": {"cached_tokens": CACHED, "audio_tokens": 0, **written},
            "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 0},
            **cost,
        },
        "service_tier": "default",
    }  # fmt: skip


def _claude(body: dict[str, Any]) -> dict[str, Any]:
    """Anthropic's format: ``input_tokens`` are those that no cache was used for."""
    content: dict[str, Any] = {"type": "text", "text": TEXT}
    thought = {"type": "thinking", "thinking": THOUGHT, "signature": "sig"}
    thoughts = [thought] if "thinking" in body else []
    stop = "end_turn"
    if body.get("tool_choice", {}).get("type") == "tool":
        named = body["tool_choice"]["name"]
        content = {"type": "tool_use", "id": "toolu_1", "name": named, "input": json.loads(TEXT)}
        stop = "tool_use"
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [*thoughts, content],
        "stop_reason": stop, "stop_sequence": None,
        "usage": {
            "input_tokens": PLAIN, "cache_read_input_tokens": CACHED, "cache_creation_input_tokens": WRITTEN,
            "cache_creation": {"ephemeral_5m_input_tokens": WRITTEN, "ephemeral_1h_input_tokens": 0},
            "output_tokens": ANSWER, "service_tier": "standard",
        },
    }  # fmt: skip


def _converse(body: dict[str, Any]) -> dict[str, Any]:
    """Bedrock's Converse: ``inputTokens`` are those that no cache was used for."""
    thought = {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": "sig"}}}
    thoughts = [thought] if "thinking" in body.get("additionalModelRequestFields", {}) else []
    return {
        "output": {"message": {"role": "assistant", "content": [*thoughts, {"text": TEXT}]}},
        "stopReason": "end_turn",
        "usage": {
            "inputTokens": PLAIN, "outputTokens": ANSWER, "totalTokens": _PROMPT + ANSWER,
            "cacheReadInputTokens": CACHED, "cacheWriteInputTokens": WRITTEN,
        },
        "metrics": {"latencyMs": 5},
    }  # fmt: skip


def _gemini(body: dict[str, Any]) -> dict[str, Any]:
    """Gemini's format: the prompt's count includes the cache's, the candidates' leaves thoughts out."""
    config = body.get("generationConfig", {}).get("thinkingConfig", {})
    thoughts = [{"text": THOUGHT, "thought": True}] if config.get("includeThoughts") else []
    return {
        "candidates": [
            {"content": {"role": "model", "parts": [*thoughts, {"text": TEXT}]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": PLAIN + CACHED, "cachedContentTokenCount": CACHED,
            "candidatesTokenCount": ANSWER - 20, "thoughtsTokenCount": 20,
            "totalTokenCount": PLAIN + CACHED + ANSWER,
        },
        "modelVersion": "gemini", "responseId": "r-1",
    }  # fmt: skip


def _ollama(route: str, body: dict[str, Any]) -> dict[str, Any]:
    said = (
        {"message": {"role": "assistant", "content": TEXT}}
        if route.endswith("chat")
        else {"response": TEXT}
    )
    return {
        "model": body["model"], "created_at": "2026-11-01T00:00:00Z", **said, "done": True, "done_reason": "stop",
        "total_duration": 5, "load_duration": 1, "prompt_eval_count": PLAIN, "eval_count": ANSWER,
    }  # fmt: skip
