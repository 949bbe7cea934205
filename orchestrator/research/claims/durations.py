"""Units of time: what a number's own unit makes of a value that was recorded in another."""

from __future__ import annotations

import re

from orchestrator.research.claims.ledger import KnownMetric
from orchestrator.research.claims.printed import Printed

_SECONDS = {
    "ns": 1e-9, "nanosecond": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "microsecond": 1e-6, "ks": 1e3, "kilosecond": 1e3,
    "day": 86400.0, "d": 86400.0,
    "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0,
    "min": 60.0, "minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
}  # fmt: skip
_AFTER = re.compile(
    r"(?:\s*\+-\s*[\d.]+)?[\s~]*(ns|nanoseconds?|us|µs|μs|microseconds?|ks|ms|msecs?|milliseconds?|s|secs?|seconds?|min|mins|minutes?|h|hrs?|hours?|days?)\b(?![-/])"
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
_TIMED = re.compile(r"time|dur|latenc|wall|clock")
_NEAR = 0.05  # of a value in another unit, which "1 hour" may be of 58 minutes
_USUAL = frozenset({1e-3, 1.0, 60.0, 3600.0, 86400.0})
"""The units in which a time without one may have been recorded."""
_CLOCK = re.compile(r"time\.time\(|perf_counter\(|monotonic\(|process_time\(")
_CONVERTED = re.compile(
    r"\* ?(?:1000|1e3|1_000)|/ ?\(?(?:60|3600|1e-3)|_ns\(|timedelta|elapsed_time\("
)


def in_unit(
    number: Printed, value: float, text: str, metric: KnownMetric, code: str = ""
) -> float | None:
    """A value of a metric in the unit of time behind ``number``; None where it is none of that unit. ``code``: the
    study's, whose clock counts seconds where it converts none.
    """
    said, own = unit_after(number, text), unit_of_metric(metric)
    if said is None or said == own:
        return value
    if own is None:
        if metric.share or _OF_NO_TIME.search(metric.name.lower()):
            return None
        if not _TIMED.search(metric.name.lower()):
            return value  # a number of days, or of what nobody calls a time
        if not _of_seconds(code) and said in _USUAL:
            near = _in_seconds(number, value, said)
            return value if near is None else near
        own = 1.0
    value *= own / said
    if own == said or number.bound in {"above", "below", "at least", "at most"}:
        return value
    return value if abs(abs(value) - abs(number.value)) <= _NEAR * abs(value) else None


def _of_seconds(code: str) -> bool:
    return bool(_CLOCK.search(code)) and not _CONVERTED.search(code)


def _in_seconds(number: Printed, value: float, said: float) -> float | None:
    """A value in the said unit if it was recorded in seconds; None where that is not what the number says."""
    converted = value / said
    return converted if abs(converted - number.value) <= _NEAR * abs(converted) else None
