"""A form as the JSON Schema that vendors hold a reply to, in what their strict modes all take.

Every object has all its keys and no others, shapes stand where they are used, and no limit of length or size is
named: the form checks those. A key that may be left out keeps its type where that has an empty value (a text, a
list, false, zero), and else may be null, which the form reads as left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

_EMPTY: tuple[Any, ...] = ("", [], False, 0)


@cache
def schema_of(form: type[BaseModel]) -> str:
    """The schema of ``form`` as JSON text; its keys stand in the form's order, in which models write."""
    whole = form.model_json_schema()
    return json.dumps(_strict(whole, whole.get("$defs", {})))


def _strict(part: Mapping[str, Any], shapes: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        return _strict(shapes[part["$ref"].rpartition("/")[2]], shapes)
    if "anyOf" in part:
        return {"anyOf": [_strict(one, shapes) for one in part["anyOf"]]}
    if "const" in part:
        return {"type": part["type"], "enum": [part["const"]]}
    kept = {key: part[key] for key in ("type", "enum") if key in part}
    if "items" in part:
        kept["items"] = _strict(part["items"], shapes)
    if "properties" in part:
        kept["properties"] = {name: _key(one, shapes) for name, one in part["properties"].items()}
        kept |= {"required": [*part["properties"]], "additionalProperties": False}
    return kept


def _key(part: Mapping[str, Any], shapes: Mapping[str, Any]) -> dict[str, Any]:
    """A key's schema, which takes null where the key may be left out and its type has no empty value."""
    strict = _strict(part, shapes)
    words = strict.get("enum", [])
    if "" in words:  # which not every vendor takes as a choice
        strict["enum"] = [word for word in words if word]
    has_empty = part.get("default", ...) in _EMPTY and not words
    if "default" not in part or has_empty or "anyOf" in strict:
        return strict
    return {"anyOf": [strict, {"type": "null"}]}
