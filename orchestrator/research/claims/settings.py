"""The settings of a template's code at one scale: every number with the name it stands under.

The code is parsed, never run. A table of scales (a mapping whose keys include the active scale's name)
counts only with the entry of that scale, so that another scale's width is no fact about this study.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from orchestrator.research.claims.ledger import Setting

_MOST = 4000  # numbers of one file
_COMMENTED = re.compile(r"^[ \t]*(\w+)[ \t]*[:=][^#\n]*#[ \t]*([^\n]{1,200})", re.MULTILINE)
_PLAIN_CALLS = frozenset(
    {"tuple", "list", "range", "float", "int", "max", "min", "sum", "set", "sorted", "replace"}
)
_LONG_LIST = 64  # values of one list that are counted, not named


def settings_in(text: str, where: str, scale: str, scales: frozenset[str]) -> tuple[Setting, ...]:
    """Every number in ``text`` under the nearest name: a target, a keyword, a key, an operand.

    Nothing is found in code that does not parse.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    fields, comments = _fields(tree), dict(_COMMENTED.findall(text))
    entry = _entry(tree, scale, scales)
    inside = tuple(_named(entry, "", scale, scales, fields)) if entry is not None else ()
    scaled = {name for name, _ in inside}
    outside = _named(tree, "", scale, scales, fields)
    # What the active scale sets is what holds: a default of the same name is another scale's.
    every = [*inside, *(pair for pair in outside if pair[0] not in scaled)]
    return tuple(
        dict.fromkeys(
            Setting(name, value, where, comments.get(name, "")) for name, value in every[:_MOST]
        )
    )


def _entry(tree: ast.AST, scale: str, scales: frozenset[str]) -> ast.AST | None:
    """The active scale's entry in the first table of scales."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
            if scale in keys and set(keys) <= scales:
                return node.values[keys.index(scale)]
    return None


def _fields(tree: ast.AST) -> dict[str, tuple[str, ...]]:
    """The annotated fields of each class, in order: the names of its positional arguments."""
    return {
        node.name: tuple(
            part.target.id
            for part in node.body
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def _named(
    node: ast.AST, name: str, scale: str, scales: frozenset[str], fields: dict[str, tuple[str, ...]]
) -> Iterator[tuple[str, float]]:
    """(name, number) of every literal below ``node``, which stands under ``name``."""
    value = _number(node)
    if value is not None:
        yield name, value
        return
    if isinstance(node, ast.Tuple | ast.List | ast.Set) and 1 < len(node.elts) <= _LONG_LIST:
        yield f"number of {name}", float(len(node.elts))
    if isinstance(node, ast.Call) and _is(node.func, "range") and len(node.args) == 2:
        first, last = (_number(one) for one in node.args)
        if first is not None and last is not None and last > first:
            yield f"number of {name}", last - first
    for child, inner in _children(node, name, scale, scales, fields):
        yield from _named(child, inner or name, scale, scales, fields)


def _children(
    node: ast.AST, name: str, scale: str, scales: frozenset[str], fields: dict[str, tuple[str, ...]]
) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.Dict):
        keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
        by_scale = scale in keys and keys <= scales
        for key, one in zip(node.keys, node.values, strict=True):
            said = str(key.value) if isinstance(key, ast.Constant) else ""
            if not by_scale or said == scale:
                yield one, "" if by_scale else said
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        key = target.slice if isinstance(target, ast.Subscript) else None
        other = isinstance(key, ast.Constant) and key.value in scales - {scale}
        if node.value is not None and not other:
            yield node.value, _name(target)
    elif isinstance(node, ast.Call):
        called = _name(node.func)
        for place, one in enumerate(node.args):
            names = fields.get(called, ())
            plain = "" if called in _PLAIN_CALLS else called
            yield one, names[place] if place < len(names) else plain
        for keyword in node.keywords:
            yield keyword.value, keyword.arg or ""
    elif isinstance(node, ast.BinOp):
        yield node.left, name or _name(node.right)
        yield node.right, name or _name(node.left)
    elif isinstance(node, ast.Compare):
        yield node.left, ""
        for one in node.comparators:
            yield one, _name(node.left)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from ((one, "") for one in node.body)
        given = [*node.args.posonlyargs, *node.args.args][-len(node.args.defaults) :]
        yield from ((v, k.arg) for k, v in zip(given, node.args.defaults, strict=False))
    else:
        yield from ((one, "") for one in ast.iter_child_nodes(node))


def _number(node: ast.AST) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        usual = not isinstance(node.value, bool) and abs(node.value) < 1e300
        return float(node.value) if usual else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    return None


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return ""
