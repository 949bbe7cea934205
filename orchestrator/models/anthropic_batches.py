"""Anthropic's Message Batches: requests and results in two exchanges, and each message in OpenAI's format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.models.batch_http import (
    BatchState,
    HttpFailed,
    checked_id,
    count,
    custom_id,
    decoded,
    decoded_lines,
    exchange,
    request_number,
)

_VENDOR = "https://api.anthropic.com"
_SENT_ALONG = ("anthropic-version", "anthropic-beta")
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "stop", "max_tokens": "length"}
_STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnthropicBatches:
    """Implements :class:`orchestrator.models.batch_http.BatchVendor` at the vendor, or at an ``address``."""

    key: str
    address: str = ""

    def send(self, bodies: list[dict[str, Any]], headers: Mapping[str, str]) -> str:
        """Hand over the requests. ``headers`` are those of one of them: they name what of the API is used."""
        along = {name: headers[name] for name in _SENT_ALONG if name in headers}
        requests = [
            {"custom_id": custom_id(number), "params": body} for number, body in enumerate(bodies)
        ]
        data = json.dumps({"requests": requests}).encode()
        return checked_id(decoded(exchange(self._at(""), self._headers | along, data)))

    def state(self, batch: str) -> BatchState:
        """Where it stands."""
        found = decoded(exchange(self._at(f"/{batch}"), self._headers))
        counts = found.get("request_counts") or {}
        done = sum(count(counts.get(name)) for name in counts if name != "processing")
        word = str(found.get("processing_status"))[:40]
        return BatchState(word == "ended", done, word)

    def cancel(self, batch: str) -> None:
        """Have it ended."""
        exchange(self._at(f"/{batch}/cancel"), self._headers, b"")

    def results(self, batch: str) -> dict[int, dict[str, Any] | HttpFailed]:
        """One line a request."""
        body = exchange(self._at(f"/{batch}/results"), self._headers)
        return {
            request_number(line): _result(line.get("result") or {}) for line in decoded_lines(body)
        }

    def _at(self, path: str) -> str:
        base = (self.address or _VENDOR).rstrip("/").removesuffix("/messages").removesuffix("/v1")
        return f"{base}/v1/messages/batches{path}"

    @property
    def _headers(self) -> dict[str, str]:
        return {"x-api-key": self.key, "anthropic-version": "2023-06-01"}


def _result(result: Mapping[str, Any]) -> dict[str, Any] | HttpFailed:
    message = result.get("message")
    if result.get("type") == "succeeded" and isinstance(message, dict):
        return _as_chat(message)
    error = (result.get("error") or {}).get("error") or {}
    text = error.get("message") or f"the request of the batch is {result.get('type')}"
    return HttpFailed(str(text), _STATUS.get(str(error.get("type"))))


def _as_chat(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message in OpenAI's format. What was thought is no part of it; a forced call of a tool is the reply."""
    texts = []
    for part in message.get("content") or ():
        kind = part.get("type") if isinstance(part, dict) else ""
        if kind == "text":
            texts.append(str(part.get("text")))
        if kind == "tool_use":
            texts.append(json.dumps(part.get("input")))
    used = message.get("usage") or {}
    plain, read, written, answer = (
        count(used.get(name))
        for name in (
            "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"
        )
    )  # fmt: skip
    prompt = plain + read + written
    stop = str(message.get("stop_reason"))
    said = {"role": "assistant", "content": "".join(texts)}
    return {
        "id": str(message.get("id")), "object": "chat.completion", "model": str(message.get("model")),
        "choices": [{"index": 0, "message": said, "finish_reason": _FINISH.get(stop, stop)}],
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer,
            "prompt_tokens_details": {"cached_tokens": read}, "cache_creation_input_tokens": written,
        },
    }  # fmt: skip
