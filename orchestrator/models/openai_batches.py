"""OpenAI's Batch API: a file of requests, a batch of it, a file of answers and one of errors."""

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

_VENDOR = "https://api.openai.com/v1"
_ENDS = frozenset({"completed", "failed", "expired", "cancelled"})
_BORDER = "aisci-f2b0c9"  # no request of a batch holds it outside a JSON text


@dataclass(frozen=True, slots=True)
class OpenaiBatches:
    """Implements :class:`orchestrator.models.batch_http.BatchVendor` at the vendor, or at an ``address``."""

    key: str
    address: str = ""

    def send(self, bodies: list[dict[str, Any]], headers: Mapping[str, str]) -> str:  # noqa: ARG002 - the vendors' signature
        """Upload the requests, then make a batch of them."""
        lines = [
            {"custom_id": custom_id(number), "method": "POST", "url": "/v1/chat/completions",
             "body": _plain(body)}
            for number, body in enumerate(bodies)
        ]  # fmt: skip
        text = "".join(json.dumps(line) + "\n" for line in lines)
        kind = f"multipart/form-data; boundary={_BORDER}"
        file = checked_id(decoded(exchange(self._at("files"), self._headers, _form(text), kind)))
        made = {
            "input_file_id": file,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        }
        data = json.dumps(made).encode()
        return checked_id(decoded(exchange(self._at("batches"), self._headers, data)))

    def state(self, batch: str) -> BatchState:
        """Where it stands."""
        found = self._batch(batch)
        counts = found.get("request_counts") or {}
        done = count(counts.get("completed")) + count(counts.get("failed"))
        word = str(found.get("status"))[:40]
        return BatchState(word in _ENDS, done, word)

    def cancel(self, batch: str) -> None:
        """Have it ended."""
        exchange(self._at(f"batches/{batch}/cancel"), self._headers, b"")

    def results(self, batch: str) -> dict[int, dict[str, Any] | HttpFailed]:
        """The lines of the files that it left; a request without a line has what the batch says of itself."""
        found = self._batch(batch)
        results: dict[int, dict[str, Any] | HttpFailed] = {}
        for name in ("output_file_id", "error_file_id"):
            if found.get(name):
                file = checked_id({"id": found[name]})
                body = exchange(self._at(f"files/{file}/content"), self._headers)
                results |= {request_number(line): _result(line) for line in decoded_lines(body)}
        if found.get("status") == "failed":
            results[-1] = HttpFailed(json.dumps(found.get("errors")), 400)
        return results

    def _batch(self, batch: str) -> dict[str, Any]:
        return decoded(exchange(self._at(f"batches/{batch}"), self._headers))

    def _at(self, path: str) -> str:
        return f"{(self.address or _VENDOR).rstrip('/')}/{path}"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body on the wire: what litellm hands to OpenAI's client apart is part of it there."""
    return {key: value for key, value in body.items() if key != "extra_body"} | (
        body.get("extra_body") or {}
    )


def _form(text: str) -> bytes:
    file = 'form-data; name="file"; filename="requests.jsonl"\r\nContent-Type: application/jsonl'
    parts = (('form-data; name="purpose"', "batch"), (file, text))
    whole = "".join(
        f"--{_BORDER}\r\nContent-Disposition: {head}\r\n\r\n{body}\r\n" for head, body in parts
    )
    return f"{whole}--{_BORDER}--\r\n".encode()


def _result(line: Mapping[str, Any]) -> dict[str, Any] | HttpFailed:
    response, error = line.get("response"), line.get("error")
    if isinstance(response, dict) and response.get("status_code") == 200:
        body = response.get("body")
        return body if isinstance(body, dict) else HttpFailed("an answer without a body", None)
    if isinstance(response, dict):
        status = response.get("status_code")
        return HttpFailed(
            json.dumps(response.get("body")), status if isinstance(status, int) else None
        )
    return HttpFailed(json.dumps(error), None)
