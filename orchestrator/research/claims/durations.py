"""Units of time: what a number's own unit makes of a value that was recorded in another."""

from __future__ import annotations

import re

from orchestrator.research.claims.ledger import KnownMetric
from orchestrator.research.claims.printed import Printed

_SECONDS = {
    "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0,
    "min": 60.0, "minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
}  # fmt: skip
_AFTER = re.compile(
    r"(?:\s*\+-\s*[\d.]+)?[\s~]*(ms|msecs?|milliseconds?|s|secs?|seconds?|min|mins|minutes?|h|hrs?|hours?)\b(?![-/])"
)
_IN_NAMES = ("ms", "msec", "sec", "secs", "second", "seconds", "minutes", "hours")


def unit_after(number: Printed, text: str) -> float | None:
    """The seconds of the unit of time right behind a number; None without one."""
    match = _AFTER.match(text, number.end)
    return _seconds(match[1]) if match else None


def _seconds(word: str) -> float | None:
    return _SECONDS.get(word, _SECONDS.get(word.removesuffix("s")))


def unit_of_metric(metric: KnownMetric) -> float | None:
    """The seconds of the unit in which a metric was recorded, where its unit or its name says it."""
    if metric.unit:
        return _seconds(metric.unit.split(" ")[0].lower())
    parts = [part for part in re.split(r"[_\W]+", metric.name.lower()) if part in _IN_NAMES]
    return _seconds(parts[-1]) if parts else None


_OF_NO_TIME = re.compile(r"loss|acc|perplexity")
_NEAR = 0.05  # of a value in another unit, which "1 hour" may be of 58 minutes


def in_unit(number: Printed, value: float, text: str, metric: KnownMetric) -> float | None:
    """A value of a metric in the unit of time behind ``number``; None where it is none of that unit."""
    said, own = unit_after(number, text), unit_of_metric(metric)
    if said is None or said == own:
        return value
    if own is None:
        return None if metric.share or _OF_NO_TIME.search(metric.name.lower()) else value
    value *= own / said
    return value if abs(abs(value) - abs(number.value)) <= _NEAR * abs(value) else None
