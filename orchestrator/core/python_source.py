"""Parsing Python that strangers wrote, from any thread."""

from __future__ import annotations

import ast
import threading
from contextlib import suppress

_ONE_AT_A_TIME = (
    threading.Lock()
)  # before 3.11.5, CPython counts its parser's depth for all threads together


def parse_python(source: str) -> ast.Module:
    """The tree of ``source``. Raises :class:`SyntaxError` for what is no Python, or is nested too deep for the
    parser, and ValueError for what cannot be source.
    """
    with _ONE_AT_A_TIME:
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError, SystemError) as error:
            # Of a source that is too deep, CPython's parser can keep a wrong depth, at which whoever
            # parses next would fail.
            with suppress(SystemError):
                ast.parse("")
            raise SyntaxError(f"nested too deep: {type(error).__name__}") from error
