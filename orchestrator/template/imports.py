"""What a template's code imports, and which of it a run cannot do without; read, never run.

An import is *required* if it stands at the top level of ``experiment.py``, ``plot.py`` or a file of
the template that they import. One in a function, under a condition or in a ``try`` that catches its
failure may never be needed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.core.errors import BadTemplate
from orchestrator.core.python_source import parse_python
from orchestrator.template.lockfile import importable
from orchestrator.template.template import Template

PROGRAMS = ("experiment.py", "plot.py")
UNREADABLE = (SyntaxError, ValueError, RecursionError, BadTemplate)
_DEEPEST = 100  # levels; code that people write has a few dozen
_CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True)
class Import:
    """One module from outside the standard library and the template, where it is first imported."""

    module: str  # its top-level name
    path: str
    line: int
    required: bool

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


def parsed(template: Template) -> Mapping[str, ast.Module]:
    """Every Python file that can be parsed; the rule ``code`` reports the others. Of one that is
    nested too deep for a recursive reader, only its shallow statements.
    """
    trees = {}
    for path in template.files:
        if path.endswith(".py"):
            try:
                tree = parse_python(template.text(path))
            except UNREADABLE:
                continue
            tree.body = [node for node in tree.body if _depth(node) <= _DEEPEST]
            trees[path] = tree
    return trees


def _depth(node: ast.AST) -> int:
    """How many levels of nodes there are below and with ``node``."""
    depth, level = 0, [node]
    while level and depth <= _DEEPEST:
        depth, level = depth + 1, [one for node in level for one in ast.iter_child_nodes(node)]
    return depth


def reached(trees: Mapping[str, ast.Module], *programs: str) -> tuple[str, ...]:
    """``programs`` and every file of ``trees`` that they import, directly or not."""
    found: dict[str, None] = {}
    waiting = [path for path in programs if path in trees]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = None
            waiting += [at for at in _own_files(trees[path], path) if at in trees]
    return tuple(found)


def _own_files(tree: ast.Module, path: str) -> Iterator[str]:
    """The files that a module's imports could name, below the template's folder or its own."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names = [base, *(f"{base}.{alias.name}".strip(".") for alias in node.names)]
        here = path.split("/")[:-1]
        for name in filter(None, names):
            parts = name.split(".")
            for folder in [here[:depth] for depth in range(len(here) + 1)]:
                for depth in range(1, len(parts) + 1):
                    at = "/".join([*folder, *parts[:depth]])
                    yield from (f"{at}.py", f"{at}/__init__.py")


def files_imported(source: str) -> tuple[str, ...]:
    """The files beside a program that its imports could name. Raises as :func:`parse_python` does."""
    return tuple(dict.fromkeys(_own_files(parse_python(source), "experiment.py")))


def outside_imports(template: Template) -> tuple[Import, ...]:
    """Each module that some file imports, sorted; a required import of it goes before others."""
    trees = parsed(template)
    needed = set(reached(trees, *PROGRAMS))
    below = {part.removesuffix(".py") for path in trees for part in path.split("/")}
    own = own_modules(template) | (
        below - importable()
    )  # a program may add its folders to the path
    found: dict[str, Import] = {}
    for path, tree in trees.items():
        for module, line, always in _imports(tree, always=path in needed):
            if module in own or module in sys.stdlib_module_names:
                continue
            if module not in found or (always and not found[module].required):
                found[module] = Import(module, path, line, always)
    return tuple(found[module] for module in sorted(found))


def own_modules(template: Template) -> frozenset[str]:
    """The modules that are files or folders at the top of its folder."""
    code = (path for path in template.files if path.endswith(".py"))
    return frozenset(path.split("/")[0].removesuffix(".py") for path in code)


def absent_imports(template: Template) -> tuple[Import, ...]:
    """Those that the base image does not have."""
    have = importable()
    return tuple(one for one in outside_imports(template) if one.module not in have)


def _imports(node: ast.AST, *, always: bool) -> Iterator[tuple[str, int, bool]]:
    """(top-level name, line, whether the import is always done) of each absolute import."""
    if isinstance(node, ast.Import):
        yield from ((alias.name.split(".")[0], node.lineno, always) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.split(".")[0], node.lineno, always
    elif isinstance(node, ast.Try):
        caught = always and not any(_catches(handler) for handler in node.handlers)
        for part in (*node.body, *node.orelse, *node.finalbody):
            yield from _imports(part, always=caught)
        for handler in node.handlers:
            yield from _imports(handler, always=False)
    else:
        maybe = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.If)
        main = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, always=always and (main or not maybe))


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _CATCHING for kind in kinds)
