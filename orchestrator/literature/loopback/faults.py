"""Answers that services give in place of the right one: every refusal that was seen, ready by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

SPENT_HOURS = 47_052
"""Seconds until midnight UTC, as OpenAlex said them once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is sent in place of the next answer; status 0 leaves the right answer as it is.

    It comes after ``hang`` seconds. ``cut``: more bytes are promised than come. ``drip``: one byte every
    0.2 s until the client goes. ``body`` is sent ``times`` times.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    times: int = 1
    hang: float = 0.0
    cut: bool = False
    drip: bool = False


def rate_headers(limit: int, left: int, used: int, *, seconds: int = SPENT_HOURS) -> dict[str, str]:
    """OpenAlex's headers; ``limit``, ``left`` and ``used`` are credits of $0.0001."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(seconds),
        "X-RateLimit-Credits-Used": str(used),
        "X-RateLimit-Credits-Required": str(used),
        "X-RateLimit-Limit-USD": _usd(limit),
        "X-RateLimit-Remaining-USD": _usd(left),
        "X-RateLimit-Cost-USD": _usd(used),
        "X-RateLimit-Cost-Required-USD": _usd(used),
        "X-RateLimit-Onetime-Remaining": "0",
    }


def _usd(credit: int) -> str:
    return f"{credit / 10_000:g}"


def said(status: int, body: Mapping[str, Any], **headers: str) -> Fault:
    """An answer in JSON; ``Retry_After`` names the header Retry-After."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    text = json.dumps(body).encode()
    return Fault(status=status, headers={"Content-Type": "application/json"} | names, body=text)


def spent(limit: int = 1000, left: int = 0, cost: int = 10) -> Fault:
    """OpenAlex's answer once the budget of the day does not pay for a request."""
    why = (
        f"Insufficient budget. This request costs ${_usd(cost)} but you only have ${_usd(left)} "
        "remaining. Resets at midnight UTC. Need more? Use an API key."
    )
    body = {
        "error": "Rate limit exceeded",
        "message": why,
        "retryAfter": SPENT_HOURS,
        "costUsd": cost / 10_000,
        "dailyRemainingUsd": left / 10_000,
    }
    rates = rate_headers(limit, left, 0) | {"X-RateLimit-Credits-Required": str(cost)}
    rates["X-RateLimit-Cost-Required-USD"] = _usd(cost)
    plain = said(429, body, Retry_After=str(SPENT_HOURS))
    return Fault(status=429, headers={**plain.headers, **rates}, body=plain.body)


def in_text(status: int, body: str, kind: str = "text/plain") -> Fault:
    return Fault(status=status, headers={"Content-Type": kind}, body=body.encode())


def _openalex() -> dict[str, Fault]:
    fast = {"error": "Rate limit exceeded", "message": "Too many requests per second."}
    quick = said(429, fast, Retry_After="1")
    key = {"error": "Invalid API key", "message": "The API key that you sent is not valid."}
    field_ = {"error": "Invalid filter", "message": "Unknown filter field: wrong"}
    return {
        "spent": spent(),
        "too fast": Fault(
            status=429, headers={**quick.headers, **rate_headers(1000, 900, 0)}, body=quick.body
        ),
        "bad key": said(401, key),
        "slow down": said(403, {"error": "Forbidden", "message": "Please slow down."}),
        "invalid filter": said(400, field_),
        "invalid parameters": said(
            400, {"error": "Invalid query parameters error.", "message": "wrong is not valid"}
        ),
        "not found": said(404, {"error": "Not found", "message": "This work does not exist."}),
        "error": said(500, {"error": "Internal server error", "message": "Something went wrong."}),
    }


def _semanticscholar() -> dict[str, Fault]:
    many = (
        "Too Many Requests. Please wait and try again or apply for a key for higher rate limits. "
        "https://www.semanticscholar.org/product/api#api-key-form"
    )
    return {
        "bad key": said(403, {"message": "Forbidden"}),
        "too many": said(429, {"message": many, "code": "429"}),
        "invalid fields": said(400, {"error": "Unrecognized or unsupported fields: [unknown]"}),
        "not found": said(404, {"error": "Paper with id 0 not found"}),
        "error": said(500, {"message": "Internal Server Error"}),
        "time-out": said(504, {"message": "Endpoint request timed out"}),
    }


def _arxiv() -> dict[str, Fault]:
    feed = (
        "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry>"
        "<id>https://arxiv.org/api/errors#incorrect_id_format_for_wrong</id><title>Error</title>"
        "<summary>incorrect id format for wrong</summary></entry></feed>\n"
    )
    return {
        "too many": in_text(429, "Rate exceeded."),
        "too many, as if right": in_text(200, "Rate exceeded.\n"),
        "unavailable": in_text(503, "Service Unavailable"),
        "bad id": in_text(400, feed, "application/atom+xml; charset=utf-8"),
        "not acceptable": in_text(406, "Not Acceptable"),
    }


def _any() -> dict[str, Fault]:
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    page = "<!doctype html><html><body><h1>Down for maintenance</h1></body></html>"
    elsewhere = {"Location": "http://elsewhere.invalid/works"}
    doctype = f'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a0 "ha">{bomb}]><feed>&a9;</feed>'
    return {
        "maintenance": in_text(200, page, "text/html"),
        "broken JSON": in_text(
            200, '{"meta": {"count": 3}, "results": [{"id": "W', "application/json"
        ),
        "broken XML": in_text(
            200, "<?xml version='1.0'?><feed><entry><title>Half", "application/xml"
        ),
        "entities": in_text(200, doctype, "application/atom+xml"),
        "huge": Fault(status=200, body=b" " * 1024, times=10 * 1024),
        "empty": Fault(status=200),
        "elsewhere": Fault(status=301, headers=elsewhere),
        "cut": Fault(cut=True),
        "drip": Fault(drip=True),
        "slow": Fault(hang=30.0),
    }


def _crossref() -> dict[str, Fault]:
    many = "<html><head><title>429 Too Many Requests</title></head><body></body></html>"
    return {
        "too many": in_text(429, many, "text/html"),
        "not found": in_text(404, "Resource not found."),
    }


FAULTS: Mapping[str, Mapping[str, Fault]] = MappingProxyType(
    {
        "openalex": _openalex(),
        "semanticscholar": _semanticscholar(),
        "arxiv": _arxiv(),
        "crossref": _crossref(),
        "any": _any(),
    }
)
"""The faults of each engine by name; those under ``any`` can happen to all."""
