"""What a service's answers without papers mean: busy for a moment, spent for today, refused, unreadable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core.literature import EngineState
from orchestrator.core.strict_json import loads
from orchestrator.literature.engines.http import Answer

_SAID = 2000  # characters that are looked at of a service's own words
_LONG = 600.0  # seconds; who asks for more is not busy but has closed for the day


class ServiceRefusal(Exception):
    """A service's answer that holds no papers. ``wait`` is what it asked for, in seconds."""

    def __init__(self, state: EngineState, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.state, self.why, self.wait = state, why, wait


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """The seconds that ``Retry-After`` asks for; None if it does not say (a date is not read)."""
    value = headers.get("retry-after", "").strip()
    return float(value) if re.fullmatch(r"\d{1,7}(?:\.\d{1,3})?", value) else None


def busy(why: str, headers: Mapping[str, str]) -> ServiceRefusal:
    """A refusal for a while; a wait of hours means that the day's budget is spent."""
    wait = wait_asked(headers)
    return ServiceRefusal("spent" if wait is not None and wait > _LONG else "busy", why, wait)


def unavailable(answer: Answer) -> ServiceRefusal:
    """What a status outside of a service's own format means."""
    said = f"it answered with status {answer.status}"
    if answer.status in {408, 425, 429, 500, 502, 503, 504}:
        return busy(said, answer.headers)
    return ServiceRefusal("refused", said)


def whole_words(text: str) -> str:
    """A service's own words, cut between two of them: a key in them is there whole or not at all."""
    return text if len(text) <= _SAID else " ".join(text[:_SAID].split()[:-1])


def is_html(answer: Answer) -> bool:
    return answer.body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def maintenance() -> ServiceRefusal:
    return ServiceRefusal(
        "unreadable", "it answered with a web page, as while it is being maintained"
    )


def json_object(answer: Answer, refused: Callable[[Answer], ServiceRefusal]) -> Mapping[str, Any]:
    """The JSON object of an answer. Raises what ``refused`` makes of another status,
    :class:`ServiceRefusal` for a web page, ValueError for no JSON object.
    """
    if answer.status != 200:
        raise refused(answer)
    if is_html(answer):
        raise maintenance()
    value = loads(answer.body)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - what the engine expects
    return value
