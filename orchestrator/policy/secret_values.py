"""A policy is recorded, shown and mailed: no text of it may be a secret, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.core.problems import Loc, Wrong
from orchestrator.core.secrets import secret_value

_APART = ("env",)  # whose own rule names every variable


def secret_values(data: Any, loc: Loc = ()) -> Iterator[Wrong]:
    """Each text of ``data`` that has the form of a secret; none is repeated."""
    if isinstance(data, str) and secret_value(data):
        what = "this looks like a secret, and a policy is recorded and shown"
        yield Wrong(loc, what, "remove it, and replace the secret: it may have been read")
    elif isinstance(data, dict):
        for key, value in data.items():
            if key not in _APART:
                yield from secret_values(value, (*loc, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from secret_values(value, (*loc, index))
