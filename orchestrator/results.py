"""``final_info.json`` as an experiment left it, read as a hostile sender's bytes.

The form is ``{data set: {"means": {metric: number}, "stderrs": {…}, "final_info_dict": {…}}}``.
Existing templates bend it: ``means`` may be one bare number, or nested; a standard error is
called ``x_stderr`` where its mean is ``x_mean``. Both are brought into one shape here, and what
is no number is listed in :attr:`Results.ignored`, not dropped in silence.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator import BadResults

MAX_BYTES = 2 * 1024 * 1024
MAX_NUMBERS = 5000  # means and standard errors together
MAX_NESTING = 6  # levels below `means`
MAX_NAME = 120  # characters of a data set's or metric's whole name
MAX_DIGITS = 30  # of an integer
BARE = "value"  # the metric's name where `means` is one bare number

_FILE = "final_info.json"
_FORM = 'write {data set: {"means": {metric: number}, "stderrs": {metric: number}}}'


@dataclass(frozen=True, slots=True)
class Dataset:
    """Finite numbers by metric; ``stderrs`` has the metric names of ``means``, and maybe fewer."""

    means: Mapping[str, float]
    stderrs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Results:
    """One run's numbers by data set. ``ignored`` are the paths that held no number."""

    datasets: Mapping[str, Dataset]
    ignored: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric's name, once, in the order of the file."""
        return tuple(dict.fromkeys(m for d in self.datasets.values() for m in d.means))


class _Refused(ValueError):
    """JSON that is well formed and still no result."""


def parse_final_info(data: bytes) -> Results:
    """The results in ``data``. Raises :class:`BadResults`, which says what to write instead."""
    if len(data) > MAX_BYTES:
        raise _bad(
            f"it has {len(data)} bytes, over {MAX_BYTES}", "leave the curves in another file"
        )
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_twins,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except RecursionError as error:
        raise _bad("it is nested too deep", _FORM) from error
    except UnicodeDecodeError as error:
        raise _bad(f"it is not UTF-8 at byte {error.start}", _FORM) from error
    except json.JSONDecodeError as error:
        raise _bad(
            f"no JSON at line {error.lineno} column {error.colno}: {error.msg}", _FORM
        ) from error
    except _Refused as error:
        raise _bad(
            str(error), "write finite numbers under distinct names; leave out what failed"
        ) from error
    if not isinstance(value, dict) or not value:
        raise _bad("it is no mapping of data sets", _FORM)
    ignored: list[str] = []
    return Results({_name(k): _dataset(k, v, ignored) for k, v in _few(value)}, tuple(ignored))


def _dataset(name: str, value: Any, ignored: list[str]) -> Dataset:
    if not isinstance(value, dict) or "means" not in value:
        raise _bad(f"data set {name!r} has no 'means'", _FORM)
    found = list(_numbers("", value["means"], f"{name}.means", ignored, 0))
    means = dict(found)
    if not means:
        raise _bad(f"the 'means' of data set {name!r} hold no number", _FORM)
    if len(means) < len(found):
        raise _bad(f"two 'means' of data set {name!r} have one name once nesting is undone", _FORM)
    errors: dict[str, float] = {}
    for key, number in _numbers("", value.get("stderrs", {}), f"{name}.stderrs", ignored, 0):
        metric = _metric_of(key, means)
        if number < 0:
            raise _bad(f"{name}.stderrs.{key} is negative", "a standard error is 0 or more")
        if metric is None:
            ignored.append(f"{name}.stderrs.{key}")
        else:
            errors[metric] = number
    return Dataset(means, errors)


def _numbers(
    key: str, value: Any, where: str, ignored: list[str], depth: int
) -> Iterator[tuple[str, float]]:
    """The numbers at and below ``value``, nested names joined by dots."""
    if depth > MAX_NESTING:
        raise _bad(f"{where[:MAX_NAME]!r} is nested too deep", _FORM)
    if isinstance(value, dict):
        for part, inner in _few(value):
            name = _name(f"{key}.{part}" if key else part)
            yield from _numbers(name, inner, f"{where}.{part}", ignored, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key or BARE, float(value)
    else:
        ignored.append(where)


def _metric_of(key: str, means: Mapping[str, float]) -> str | None:
    """The mean that the standard error ``key`` belongs to."""
    stem = key.removesuffix("_stderr")
    return next((name for name in (key, stem, f"{stem}_mean") if name in means), None)


def _few(value: dict[str, Any]) -> list[tuple[str, Any]]:
    if len(value) > MAX_NUMBERS:
        raise _bad(f"one mapping has {len(value)} entries, over {MAX_NUMBERS}", _FORM)
    return list(value.items())


def _name(text: str) -> str:
    if not text or len(text) > MAX_NAME or not text.isprintable():
        raise _bad(f"{text[:MAX_NAME]!r} is no name", "use short names of printable characters")
    return text


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twin = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _Refused(f"the key {twin[:MAX_NAME]!r} stands twice in one mapping")
    return mapping


def _no_constant(text: str) -> float:
    raise _Refused(f"{text} is not a finite number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused(f"{text[:MAX_DIGITS]} is too large for a number")
    return number


def _short(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise _Refused(f"an integer of {len(text)} digits is no result")
    return int(text)


def _bad(why: str, todo: str) -> BadResults:
    return BadResults(f"{_FILE} cannot be used", where=_FILE, why=why, todo=todo)
