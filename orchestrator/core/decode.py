"""Values back from their JSON: one decoder for every frozen type."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

_T = TypeVar("_T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def decode(kind: type[_T], value: Any) -> _T:
    """The value of type ``kind`` whose JSON is ``value``.

    Raises:
        ValueError: ``value`` is not the JSON of such a value (pydantic's ``ValidationError``).
    """
    decoded: _T = _adapter(cast("Hashable", kind)).validate_python(value, strict=False)
    return decoded


def encode(kind: type[_T], value: _T) -> Any:
    """The JSON of ``value``, as lists, dictionaries, texts and numbers."""
    return _adapter(cast("Hashable", kind)).dump_python(value, mode="json")
