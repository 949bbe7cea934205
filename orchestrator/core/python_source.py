"""Parsing Python that strangers wrote, from any thread."""

from __future__ import annotations

import ast
import threading

_ONE_AT_A_TIME = (
    threading.Lock()
)  # before 3.11.5, CPython counts its parser's depth for all threads together
_TOO_DEEP = (RecursionError, MemoryError, SystemError)


def parse_python(source: str) -> ast.Module:
    """The tree of ``source``. Raises :class:`SyntaxError` for what is no Python, or is nested too deep for the
    parser, and ValueError for what cannot be source.
    """
    with _ONE_AT_A_TIME:
        try:
            try:
                return ast.parse(source)
            except SystemError:  # "recursion depth mismatch", seen now and then of sound sources
                return ast.parse(source)
        except _TOO_DEEP as error:
            raise SyntaxError(f"nested too deep: {type(error).__name__}") from error
