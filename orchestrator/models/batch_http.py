"""Requests to a vendor's batches over plain HTTP: the key goes to one address, and no redirect is followed."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Protocol

from orchestrator.core.no_redirect import NoRedirect

_SECONDS = 60.0  # of one request
_MOST_BYTES = 64 << 20  # of one answer
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class HttpFailed(Exception):
    """A request without a usable answer; ``status_code`` is None where there was none at all. The text is the
    vendor's, as litellm's errors have it.
    """

    def __init__(self, text: str, status: int | None, headers: Mapping[str, str] = {}) -> None:
        super().__init__(text)
        self.status_code = status
        self.litellm_response_headers = dict(headers)


@dataclass(frozen=True, slots=True)
class BatchState:
    """Where a batch stands: whether it has ended, how many of its requests have, the vendor's word for it."""

    ended: bool
    done: int
    word: str


class BatchVendor(Protocol):
    """How a vendor takes batches. All raise :class:`HttpFailed`."""

    def send(self, bodies: list[dict[str, Any]], headers: Mapping[str, str]) -> str:
        """Hand over requests as the vendor's chat takes them; the id of the batch."""

    def state(self, batch: str) -> BatchState:
        """Where it stands."""

    def cancel(self, batch: str) -> None:
        """Have it ended; what is answered by then is charged and kept."""

    def results(self, batch: str) -> dict[int, dict[str, Any] | HttpFailed]:
        """What came of each request, by its number: an answer in OpenAI's format, or an error."""


_OPENER = urllib.request.build_opener(NoRedirect)


def exchange(
    address: str,
    headers: Mapping[str, str],
    data: bytes | None = None,
    kind: str = "application/json",
) -> bytes:
    """The body of the answer; ``data`` of that content type is posted. Raises :class:`HttpFailed`."""
    sent = {**headers, **({"Content-Type": kind} if data is not None else {})}
    request = urllib.request.Request(address, data, sent)  # noqa: S310 - http or https, as checked
    try:
        with _OPENER.open(request, timeout=_SECONDS) as answer:
            body: bytes = answer.read(_MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(4096).decode("utf-8", "replace")
        raise HttpFailed(text or str(error), error.code, dict(error.headers)) from None
    except (OSError, HTTPException) as error:
        raise HttpFailed(f"{error}: Connection error.", None) from None
    if len(body) > _MOST_BYTES:
        raise HttpFailed(f"its answer has more than {_MOST_BYTES} bytes", None)
    return body


def decoded(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises :class:`HttpFailed` for anything else."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise HttpFailed("its answer is no JSON object", None)
    return value


def decoded_lines(body: bytes) -> list[dict[str, Any]]:
    """JSON objects, one a line. Raises :class:`HttpFailed`."""
    return [decoded(line) for line in body.splitlines() if line.strip()]


def checked_id(value: Mapping[str, Any]) -> str:
    """The id of what the vendor made, safe in a path. Raises :class:`HttpFailed`."""
    found = value.get("id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise HttpFailed("its answer names no id", None)
    return found


def custom_id(number: int) -> str:
    """The name of a request of a batch."""
    return f"request-{number}"


def request_number(line: Mapping[str, Any]) -> int:
    """The number of the request that a line of results is about; -1 for none of ours."""
    name = line.get("custom_id")
    end = name.removeprefix("request-") if isinstance(name, str) else ""
    return int(end) if end.isascii() and end.isdecimal() and len(end) < 4 else -1


def count(value: Any) -> int:
    """A vendor's count; 0 for what is none."""
    return value if isinstance(value, int) and value >= 0 else 0
