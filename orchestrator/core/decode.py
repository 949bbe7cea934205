"""Values back from their JSON: one decoder for every frozen type."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

_T = TypeVar("_T")
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def decode(kind: type[_T], value: Any) -> _T:
    """The value of type ``kind`` whose JSON is ``value``. Raises pydantic's ``ValidationError``."""
    decoded: _T = _adapter(kind).validate_python(value, strict=False)
    return decoded


def encode(kind: type[_T], value: _T) -> Any:
    """The JSON of ``value``, as lists, dictionaries, texts and numbers."""
    return _adapter(kind).dump_python(value, mode="json")
