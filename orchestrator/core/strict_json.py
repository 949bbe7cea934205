"""JSON from an untrusted sender: finite numbers, short integers, no duplicate keys, limited depth.

The standard library accepts ``NaN`` and ``1e999``, keeps the last of two equal keys, and converts
integers of thousands of digits.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

MAX_DIGITS = 30  # of an integer
_SHOWN = 120  # characters of a key


class NotStrict(ValueError):
    """Well-formed JSON that is refused."""


def loads(data: bytes, *, finite: bool = True) -> Any:
    """The value in ``data``, which the caller has bounded. Unless ``finite``, a number may be NaN or
    infinite.

    Raises:
        NotStrict: a number that is not finite or is too long, or a duplicate key.
        ValueError: not UTF-8, not JSON, or nested too deep.
    """
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_twins,
            parse_constant=_no_constant if finite else float,
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


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twin = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise NotStrict(f"the key {twin[:_SHOWN]!r} occurs twice in one mapping")
    return mapping


def _no_constant(text: str) -> float:
    raise NotStrict(f"{text} is not a finite number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotStrict(f"{text[:MAX_DIGITS]} is too large for a number")
    return number


def _short(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise NotStrict(f"an integer of {len(text)} digits is no result")
    return int(text)
