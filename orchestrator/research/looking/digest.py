"""Curves in numbers: lists of numbers in a JSON file that a run left, each at a few places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from orchestrator.core.strict_json import loads

_PLACES = 8  # of one curve
_CURVES = 24  # of one file
_LEAST = 4  # numbers: fewer are no curve
_DEPTH = 5


def curves_in(data: bytes) -> list[dict[str, Any]]:
    """The curves of one length and number together: how many lists each is (one per seed, mostly), their length, up to
    eight places, evenly spaced, with the first and the last, and by path the means over the lists at these places.
    Nothing for what is no JSON.
    """
    try:
        value = loads(data, finite=False)
    except ValueError:
        return []
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for path, lists in islice(_curves(value, "", 0), _CURVES):
        points = len(lists[0])
        places = sorted({round(n * (points - 1) / (_PLACES - 1)) for n in range(_PLACES)})
        alike = found.setdefault(
            (len(lists), points),
            {"lists": len(lists), "points": points, "at": places, "means": {}},
        )
        alike["means"][path] = [
            _short(sum(one[place] for one in lists) / len(lists)) for place in places
        ]
    return [*found.values()]


def _curves(value: Any, path: str, depth: int) -> Iterator[tuple[str, list[list[float]]]]:
    if isinstance(value, dict) and depth < _DEPTH:
        for key, one in value.items():
            yield from _curves(one, f"{path}.{key[:60]}" if path else key[:60], depth + 1)
    elif _is_curve(value):
        yield path, [value]
    elif _are_curves(value):
        yield path, value


def _are_curves(value: Any) -> bool:
    """Whether these are curves of one length, such as one per seed."""
    alike = isinstance(value, list) and bool(value) and all(map(_is_curve, value))
    return alike and len({len(one) for one in value}) == 1


def _is_curve(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= _LEAST
        and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
    )


def _short(value: float) -> float | str:
    return float(f"{value:.4g}") if value - value == 0 else str(value)
