"""Failed requests: how long an adapter retries, what litellm's errors mean, and which are none.

An error is busy (ask again later) or refused (asking again will not help).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.errors import KeyRefused, ModelBusy, ModelFailed, ModelRefused, TooLong
from orchestrator.core.sanitize import plain, plain_line
from orchestrator.core.secrets import redact
from orchestrator.models.address import ServerAddress
from orchestrator.models.said import (
    is_filtered,
    is_out_of_memory,
    is_quota,
    is_too_long,
    is_unpaid,
    said_delay,
    unlike,
    vendors_words,
)

_QUOTA = "the account's quota is exhausted: raise it with the vendor, then `aisci resume`"
_UNREACHED = "Connection error."  # the end of what the vendors' client says without an answer
_REMEDIES = {
    401: "check the key in the environment, then `aisci resume`",
    402: "the account has no money left: pay the vendor, then `aisci resume`",
    403: "check what the key's account may use, then `aisci resume`",
    404: "check the model's name",
    429: _QUOTA,
}
_OF_THE_KEY = frozenset({401, 402, 403})


def _silent(_line: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Retry limits, in seconds except for ``tries``. Each pause doubles, up to ``longest_pause``.
    ``timeout`` bounds one request. No request starts once ``total`` would have passed before it: a
    call takes at most ``total + timeout``.
    """

    tries: int = 8
    timeout: float = 600.0
    first_pause: float = 2.0
    longest_pause: float = 120.0
    total: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTiming:
    """How a model is waited for: sleeping, the monotonic clock, the jitter's random fraction (0–1),
    and who is told a line before each pause.
    """

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    tell: Callable[[str], None] = _silent


def translate_failure(
    error: Exception,
    model: str,
    purpose: str,
    tries: int,
    environ: Mapping[str, str],
    server: ServerAddress | None = None,
) -> ModelFailed:
    """The error to raise for litellm's ``error``: short, printable, without secrets of ``environ``.

    It names the ``server`` of the user's own that was asked.
    """
    status = getattr(error, "status_code", None)
    text = redact(str(error), environ).partition("Traceback")[0].strip()
    said = f"HTTP {status}: " if status else ""
    if text.endswith(_UNREACHED):  # for which litellm makes up a status
        said = "no connection to a server: "
    why = said + plain(vendors_words(text), limit=600)
    where = f"step {purpose}" + (f"; {redact(str(server), environ)}" if server else "")
    later = "`aisci resume` continues from here later; no recorded reply is paid for again"
    if _is_busy(status, text):
        unreached = "no connection" in said
        check = (
            "check that a server answers at this address"
            if unreached
            else "see what the server logs"
        )
        return ModelBusy(
            f"{model} gave no answer" + (f", asked {tries} times" if tries > 1 else ""),
            where=where,
            why=why,
            todo=f"{check}; {later}" if server else later,
        )
    if status in _OF_THE_KEY or is_quota(text) or is_unpaid(text):
        todo = _REMEDIES[402] if is_unpaid(text) else _REMEDIES.get(status or 429, _QUOTA)
        return KeyRefused(f"{model} refused the key", where=where, why=why, todo=todo)
    if type(error).__name__ == "ContextWindowExceededError" or is_too_long(text):
        todo = "choose a model with a larger context, then `aisci resume`"
        return TooLong(f"the request is too long for {model}", where=where, why=why, todo=todo)
    todo = _remedy(status, text)
    return ModelRefused(f"{model} refused the request", where=where, why=why, todo=todo)


def _remedy(status: int | None, text: str) -> str:
    """What to do about a refusal that neither the key nor the length explains."""
    if is_out_of_memory(text):
        return "its server has too little memory: choose a smaller model or a shorter context there"
    if is_filtered(text):
        return "the vendor's filter of contents stopped it: choose another model"
    return _REMEDIES.get(status or 0, "choose another model, if the request looks correct to you")


def refused_parameters(error: Exception) -> frozenset[str]:
    """The parameters, of those that can be left out or renamed, that a vendor says a model does not take."""
    return unlike(str(error)) if getattr(error, "status_code", None) == 400 else frozenset()


def waiting_line(model: str, failure: ModelFailed, pause: float, next_try: int, tries: int) -> str:
    """What a person reads while a busy model is waited for."""
    why = plain_line(failure.why, limit=160)
    again = f"asking again in {pause:.0f} s, try {next_try} of {tries}"
    return f"waiting for {model}, {failure.where}: {why}; {again}"


def retry_after(error: Exception) -> float:
    """Seconds that a vendor asks to wait: in a Retry-After header, or in its text; 0 where in neither."""
    headers = getattr(error, "litellm_response_headers", None) or {}
    text = str(headers.get("retry-after", ""))
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return float(text)
    return said_delay(str(error)) if getattr(error, "status_code", None) == 429 else 0.0


def joined_parts(raw: Any) -> dict[str, Any] | None:
    """The body of an answer whose text comes in parts, with the text in one; None for any other."""
    try:
        body: dict[str, Any] = json.loads(raw)
        message = body["choices"][0]["message"]
        parts = message["content"]
    except (TypeError, ValueError, LookupError):
        return None
    if not isinstance(parts, list):
        return None
    texts = [
        part.get("text") if isinstance(part, dict) and part.get("type", "text") == "text" else part
        for part in parts
    ]
    message["content"] = "".join(text for text in texts if isinstance(text, str))
    return body


def _is_busy(status: int | None, text: str) -> bool:
    """Whether asking again may help: not for what waiting does not change, whatever its status."""
    if is_quota(text) or is_unpaid(text) or is_out_of_memory(text):
        return False
    if status == 429 and is_too_long(text):
        return False
    return status is None or status in {408, 409, 424, 425, 429} or status >= 500
