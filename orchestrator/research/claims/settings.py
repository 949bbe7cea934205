"""The settings of a template's code at one scale: every number with the name it stands under.

The code is parsed, never run. A table of scales (a mapping whose keys include the active scale's name)
counts only with the entry of that scale, so that another scale's width is no fact about this study.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from orchestrator.core.python_source import parse_python
from orchestrator.research.claims.ledger import CodeSetting
from orchestrator.template.script_facts import option_name

_LONGEST = 512 * 1024  # characters of a file
_MOST = 4000  # numbers of one file
_COMMENTED = re.compile(r"^[ \t]*(\w+)[ \t]*[:=][^#\n]*#[ \t]*([^\n]{1,200})", re.MULTILINE)
_PLAIN_CALLS = frozenset({
    "tuple", "list", "range", "float", "int", "max", "min", "sum", "set", "sorted", "replace",
    "default_rng", "RandomState", "SeedSequence", "manual_seed", "seed",
})  # fmt: skip
"""Calls whose name is no name for the numbers that they get."""
_LONG_LIST = 64  # values of one list that are counted, not named


@lru_cache(maxsize=256)  # every run of a study has much the same files
def settings_in(
    text: str, where: str, scale: str, scales: frozenset[str]
) -> tuple[CodeSetting, ...]:
    """Every number in ``text`` under the nearest name: a target, a keyword, a key, an operand.

    Nothing is found in code that does not parse.
    """
    try:
        return _found(parse_python(text[:_LONGEST]), text, where, scale, scales)
    except (SyntaxError, ValueError, RecursionError):  # a walk that is nested too deep
        return ()


def _found(
    tree: ast.AST, text: str, where: str, scale: str, scales: frozenset[str]
) -> tuple[CodeSetting, ...]:
    walk = _Walk(scale, scales, _fields(tree), _rebound(tree))
    comments = dict(_COMMENTED.findall(text))
    entry = _entry(tree, scale, scales)
    inside = tuple(walk.named(entry, "")) if entry is not None else ()
    scaled = {name for name, *_ in inside}
    outside = walk.named(tree, "")
    # What the active scale sets is what holds: a default of the same name is another scale's.
    every = [*inside, *(found for found in outside if found[0] not in scaled)]
    return tuple(
        dict.fromkeys(
            CodeSetting(name, value, where, comments.get(name, ""), whole)
            for name, value, whole in every[:_MOST]
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


def _rebound(tree: ast.AST) -> frozenset[str]:
    """The names that are added to or set again somewhere: with 0 at first, they count or sum."""
    times = dict[str, int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign):
            times[_name(node.target)] = 2
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            times[_name(target)] = times.get(_name(target), 0) + 1
    return frozenset(name for name, count in times.items() if count > 1)


_Found = tuple[str, float, bool]
_Child = tuple[ast.AST, str, bool]


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk over code at one of its scales; ``fields`` are those of each class, in order; ``rebound`` are names that
    are set more than once.
    """

    scale: str
    scales: frozenset[str]
    fields: Mapping[str, tuple[str, ...]]
    rebound: frozenset[str]

    def named(self, node: ast.AST, name: str, *, whole: bool = False) -> Iterator[_Found]:
        """(name, number, whole) of every literal below ``node``, which stands under ``name``."""
        value = _number(node)
        if value is not None:
            yield name, value, whole
            return
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and 1 < len(node.elts) <= _LONG_LIST:
            yield f"number of {name}", float(len(node.elts)), False
        if isinstance(node, ast.Call) and _is(node.func, "range") and len(node.args) == 2:
            first, last = (_number(one) for one in node.args)
            if first is not None and last is not None and last > first:
                yield f"number of {name}", last - first, False
        for child, inner, direct in self._children(node, name):
            yield from self.named(child, inner or name, whole=direct)

    def _children(self, node: ast.AST, name: str) -> Iterator[_Child]:
        if isinstance(node, ast.Dict):
            yield from self._entries(node, name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            yield from self._assigned(node)
        elif isinstance(node, ast.Call):
            yield from self._arguments(node)
        elif isinstance(node, ast.BinOp):
            yield node.left, name or _name(node.right), False
            yield node.right, name or _name(node.left), False
        elif isinstance(node, ast.Compare):
            yield node.left, "", False
            yield from ((one, _name(node.left), False) for one in node.comparators)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((one, "", False) for one in node.body)
            given = [*node.args.posonlyargs, *node.args.args][-len(node.args.defaults) :]
            yield from ((v, k.arg, False) for k, v in zip(given, node.args.defaults, strict=False))
        else:
            yield from ((one, "", False) for one in ast.iter_child_nodes(node))

    def _entries(self, node: ast.Dict, name: str) -> Iterator[_Child]:
        keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
        by_scale = self.scale in keys and keys <= self.scales
        for key, one in zip(node.keys, node.values, strict=True):
            said = str(key.value) if isinstance(key, ast.Constant) else ""
            if not by_scale or said == self.scale:
                inner = said if said.isidentifier() else f"{name} {said}".strip()
                yield one, "" if by_scale else inner, False

    def _assigned(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Iterator[_Child]:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        key = target.slice if isinstance(target, ast.Subscript) else None
        other = isinstance(key, ast.Constant) and key.value in self.scales - {self.scale}
        if node.value is not None and not other:
            counts = _number(node.value) == 0 and _name(target) in self.rebound
            whole = isinstance(target, ast.Name) and not isinstance(node, ast.AugAssign)
            yield node.value, _name(target), whole and not counts

    def _arguments(self, node: ast.Call) -> Iterator[_Child]:
        called = _name(node.func)
        names = self.fields.get(called, ())
        for place, one in enumerate(node.args):
            plain = "" if called in _PLAIN_CALLS else called
            field = place < len(names)
            yield one, names[place] if field else plain, field
        for keyword in node.keywords:
            # "default" says whose it is nowhere: an option's name does, or what the call is set to
            named = option_name(node) if called == "add_argument" else ""
            inner = named if keyword.arg == "default" else keyword.arg or ""
            yield keyword.value, inner, called in self.fields


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
