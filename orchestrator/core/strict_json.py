"""JSON from an untrusted sender: finite numbers, short integers, no duplicate keys, limited depth.

The standard library accepts ``NaN`` and ``1e999``, keeps the last of two equal keys, and converts
integers of thousands of digits.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_DIGITS = 30  # of an integer
_SHOWN = 120  # characters of a key, or of a path of keys


class NotStrict(ValueError):
    """Well-formed JSON that is refused."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands for a number that is refused, until its place in the whole is known."""

    why: str


def loads(data: bytes, *, finite: bool = True) -> Any:
    """The value in ``data``, which the caller has bounded. Unless ``finite``, a number may be NaN or
    infinite.

    Raises:
        NotStrict: a number that is not finite or is too long, with its path of keys, or a duplicate
            key.
        ValueError: not UTF-8, not JSON, or nested too deep.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_twins,
            parse_constant=_refused_constant if finite else float,
            parse_float=_finite if finite else float,
            parse_int=_short,
        )
    except RecursionError as error:
        raise NotStrict("it is nested too deep") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ValueError(f"no JSON at {where}: {error.msg}") from error
    _refuse_numbers(value)
    return value


def _refuse_numbers(whole: Any) -> None:
    """Raise :class:`NotStrict` for the first refused number, with its path of keys."""
    keys: list[str] = []
    inside = [_entries([whole])]
    while inside:
        for key, value in inside[-1]:
            if isinstance(value, _Refused):
                at = "".join((*keys[1:], key)).removeprefix(".")[:_SHOWN] if keys else ""
                raise NotStrict(value.why + (f", at {at}" if at else ""))
            if isinstance(value, dict | list):
                keys.append(key)
                inside.append(_entries(value))
                break
        else:
            inside.pop()
            keys[-1:] = []


def _entries(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    """Each part with how a path names it: ``.key`` or ``[3]``."""
    if isinstance(value, dict):
        return ((f".{key}", one) for key, one in value.items())
    return ((f"[{place}]", one) for place, one in enumerate(value))


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twin = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise NotStrict(f"the key {twin[:_SHOWN]!r} occurs twice in one mapping")
    return mapping


def _refused_constant(text: str) -> _Refused:
    return _Refused(f"{text} is not a finite number")


def _finite(text: str) -> float | _Refused:
    number = float(text)
    if not math.isfinite(number):
        return _Refused(f"{text[:MAX_DIGITS]} is too large for a number")
    return number


def _short(text: str) -> int | _Refused:
    if len(text.lstrip("-")) > MAX_DIGITS:
        return _Refused(f"an integer of {len(text)} digits is no result")
    return int(text)
