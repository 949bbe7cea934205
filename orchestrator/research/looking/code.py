"""The code of runs beside each other: what changed, and whether it changed anything."""

from __future__ import annotations

import ast
import difflib

from orchestrator.core.python_source import parse_python

DIFFERENCE, OLD_DIFFERENCE = 6000, 2000  # characters of a change: of the last run, of others


def code_difference(before: str, after: str, name: str) -> str:
    """A unified difference of two texts."""
    rows = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm="", n=1
    )
    return "\n".join(rows)


def shortened(text: str, most: int) -> str:
    """``text``, cut to what a prompt has room for; what is left out is counted."""
    return text if len(text) <= most else f"{text[:most]}\n… ({len(text) - most} more characters)"


def same_effect(before: str, after: str) -> bool:
    """Whether two programs differ in comments, docstrings and layout alone."""
    return before == after or _meaning(before) == _meaning(after) is not None


def _meaning(source: str) -> str | None:
    try:
        tree = parse_python(source)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            del body[0]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
