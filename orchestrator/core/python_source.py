"""Parsing Python that strangers wrote, from any thread."""

from __future__ import annotations

import ast
import threading

_ONE_AT_A_TIME = (
    threading.Lock()
)  # before 3.11.5, CPython counts its parser's depth for all threads together


def parse_python(source: str) -> ast.Module:
    """The tree of ``source``. Raises :class:`SyntaxError` for what is no Python, or is nested too deep for the
    parser, and ValueError for what cannot be source.
    """
    with _ONE_AT_A_TIME:
        try:
            return _parsed(source)
        except SystemError:  # what the parser left of an earlier, too deep source; once
            return _parsed(source)


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (RecursionError, MemoryError) as error:
        raise SyntaxError(f"nested too deep: {type(error).__name__}") from error
