"""A bounded look into a JSON, CSV or text file that a run left: a place in it, in words and numbers.

The file is a container's output: parsed strictly, never unpickled or decoded as a picture.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import islice
from typing import Any

from orchestrator.core.files import plain_lines
from orchestrator.core.sanitize import plain_line
from orchestrator.core.strict_json import loads

LOOKED_BYTES = 8 << 20  # of a file that is looked into
_VALUES = 60  # numbers of one list that are shown, evenly spaced
_KEYS = 60
_ROWS = 8  # of a table, or parts of a list of lists
_TEXT = 1500  # characters
_SMALL = 2000  # characters of a list that is shown whole


def look_into(path: str, data: bytes, at: str) -> dict[str, Any]:
    """The value at ``at`` in a file: keys, and places in lists from 0, joined by dots; a column's
    name in a table. The whole file if it is empty. ``trouble`` says why nothing can be shown.
    """
    try:
        if path.endswith(".json"):
            return _shown(_place(loads(data, finite=False), at))
        if path.endswith((".csv", ".tsv")):
            return _table(data, "\t" if path.endswith(".tsv") else ",", at)
        return {"end": plain_lines(data.decode(errors="replace"))[-_TEXT:]}
    except (ValueError, LookupError, csv.Error) as error:
        return {"trouble": plain_line(f"{error}", limit=300)}


def _place(value: Any, at: str) -> Any:
    for number, word in enumerate(filter(None, at.split(".")), start=1):
        known = value
        if isinstance(value, dict) and word in value:
            value = value[word]
        elif isinstance(value, list) and word.isdecimal() and int(word) < len(value):
            value = value[int(word)]
        else:
            raise LookupError(f"part {number} of {at!r} is not there; here is {_summary(known)}")
    return value


def _shown(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"keys": {key[:60]: _summary(one) for key, one in islice(value.items(), _KEYS)}}
    if isinstance(value, list) and value and all(map(_is_number, value)):
        return _numbers(value)
    if isinstance(value, list) and len(small := str(value)) <= _SMALL:
        return {"length": len(value), "whole": small}
    if isinstance(value, list):
        return {"length": len(value), "first": [_summary(one) for one in value[:_ROWS]]}
    return {"value": _summary(value)}


def _summary(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(key[:60] for key in islice(value, _ROWS))}"
    if isinstance(value, list):
        numbers = value and all(map(_is_number, value))
        return f"a list of {len(value)}{' numbers' if numbers else ''}"
    return f"{value:.6g}" if _is_number(value) else plain_line(str(value), limit=200)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(values: Sequence[float]) -> dict[str, Any]:
    """Length, range and up to 60 values, evenly spaced, with the first and the last."""
    step = max(1, -(-len(values) // _VALUES))
    places = sorted({*range(0, len(values), step), len(values) - 1})
    finite = [one for one in values if one - one == 0]
    return {
        "length": len(values),
        "lowest": _short(min(finite)) if finite else None,
        "highest": _short(max(finite)) if finite else None,
        "not_finite": len(values) - len(finite),
        "every": step,
        "values": [_short(values[place]) for place in places],
    }


def _short(value: float) -> float | str:
    return float(f"{value:.5g}") if value - value == 0 else str(value)


def _table(data: bytes, between: str, at: str) -> dict[str, Any]:
    rows = list(csv.reader(io.StringIO(data.decode(errors="replace")), delimiter=between))
    head, body = (rows[0], rows[1:]) if rows else ([], [])
    if not at:
        first = [[cell[:60] for cell in row[:_KEYS]] for row in body[:_ROWS]]
        return {"columns": [cell[:60] for cell in head[:_KEYS]], "rows": len(body), "first": first}
    if at not in head:
        raise LookupError(f"no column {at!r}; there are {', '.join(head[:_KEYS])}")
    place = head.index(at)
    cells = [row[place] for row in body if place < len(row)]
    try:
        return _numbers([float(cell) for cell in cells])
    except ValueError:
        return {"length": len(cells), "first": [cell[:60] for cell in cells[:_VALUES]]}
