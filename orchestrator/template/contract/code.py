"""Rules for a template's code: it is Python, its imports are known, each knob is one line."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from orchestrator.core.errors import BadTemplate
from orchestrator.core.python_source import parse_python
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.folder import MANIFEST
from orchestrator.template.imports import (
    UNREADABLE,
    absent_imports,
    outside_imports,
    own_modules,
)
from orchestrator.template.lockfile import beside_base, importable, module_of, read_lock
from orchestrator.template.template import Template


def parses(template: Template) -> Iterator[RuleFinding]:
    for path in _python(template):
        try:
            parse_python(template.text(path))
        except UNREADABLE as error:
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else path
            yield RuleFinding(where, f"it is not Python: {error}", "correct the syntax")


def packages(template: Template) -> Iterator[RuleFinding]:
    """Imports that are neither declared nor, without a manifest, in the image."""
    if template.inferred:
        yield from _without_manifest(template)
        return
    declared, lock = set(template.manifest.packages), template.manifest.lock
    have = importable()
    yield from _listed(template)
    called = {name: module for name in declared - have if (module := module_of(name))}
    for name, module in sorted(called.items()):
        what = f"{name} is what is installed; the code imports it as {module}"
        yield RuleFinding(f"{MANIFEST}: packages", what, f"write {module} in place of {name}")
    for one in outside_imports(template):
        known = one.module in declared or one.module in called.values()
        if not known and (one.required or one.module in have):
            what = f"it imports {one.module}, which is not declared"
            yield RuleFinding(one.where, what, f"add {one.module} to packages")
    for name in sorted(declared & own_modules(template)):
        what = f"{name} is part of the template itself, not a package"
        yield RuleFinding(f"{MANIFEST}: packages", what, f"remove {name} from packages and `lock`")
    for name in (
        sorted(declared - have - set(called) - own_modules(template)) if lock is None else ()
    ):
        yield RuleFinding(
            f"{MANIFEST}: packages",
            f"{name} is an unknown package: the image has no such module, and there is no `lock`",
            "correct the name, or list what it comes from: docs/templates.md, Packages",
        )


def _without_manifest(template: Template) -> Iterator[RuleFinding]:
    """One finding for every import that its programs always do and the image lacks."""
    absent = [one for one in absent_imports(template) if one.required]
    if absent:
        names = ", ".join(one.module for one in outside_imports(template) if one.required)
        yield RuleFinding(
            ", ".join(one.where for one in absent[:6]),
            f"the image lacks {', '.join(one.module for one in absent)}",
            f"write a {MANIFEST} with `packages: [{names}]` and `lock: packages.txt`, the list of "
            f"what the image lacks; `aisci template adopt {template.argument}` drafts it",
        )


def _listed(template: Template) -> Iterator[RuleFinding]:
    """Errors in the template's own list of packages."""
    lock = template.manifest.lock
    if lock is None:
        return
    if lock not in template.files:
        what = f"{lock} is not in the folder"
        todo = (
            f"write it (docs/templates.md, Packages), then: aisci images build {template.argument}"
        )
        yield RuleFinding(f"{MANIFEST}: lock", what, todo)
        return
    try:
        packages, wrong = read_lock(template.text(lock))
    except BadTemplate as error:
        yield RuleFinding(lock, error.what, "save it as UTF-8")
        return
    for problem in (*wrong, *beside_base(packages)):
        yield RuleFinding(f"{lock}:{problem.line}", problem.what, problem.todo)


def _python(template: Template) -> Iterator[str]:
    return (path for path in template.files if path.endswith(".py"))


def knobs_on_one_line(template: Template) -> Iterator[RuleFinding]:
    for name, knob in template.manifest.knobs.items():
        if knob.file not in template.files:
            continue
        try:
            _, value = knob_line(template.text(knob.file), knob.constant)
            same = type(value) is type(knob.default) and value == knob.default
            trouble = "" if same else f"{knob.constant} is {value!r}, its default {knob.default!r}"
        except UNREADABLE as error:
            trouble = str(error)
        if trouble:
            yield RuleFinding(
                f"{MANIFEST}: knobs.{name}",
                trouble,
                f"write `{knob.constant} = {knob.default!r}` once, at the top level of {knob.file}, "
                f"or take the knob {name} out of {MANIFEST}",
            )


def knob_line(source: str, constant: str) -> tuple[str, object]:
    """The whole line that assigns ``constant``, and its literal value.

    Raises:
        ValueError: changing that one line would not change the constant everywhere: it is assigned
            twice, below the top level, over several lines or not as a literal, or another line
            is the same.
        SyntaxError: ``source`` is not Python.
    """
    tree = parse_python(source)
    nodes = [node for node in ast.walk(tree) if _binds(node, constant)]
    if len(nodes) != 1:
        raise ValueError(f"{constant} is assigned {len(nodes)} times")
    node = nodes[0]
    if not isinstance(node, ast.Assign) or node not in tree.body or node.lineno != node.end_lineno:
        raise ValueError(f"{constant} is not assigned in one line at the top level")
    lines = source.splitlines()
    if lines.count(lines[node.lineno - 1]) != 1:
        raise ValueError(f"the line of {constant} occurs more than once")
    try:
        return lines[node.lineno - 1], ast.literal_eval(node.value)
    except ValueError as error:
        raise ValueError(f"{constant} is not a plain number") from error


def _binds(node: ast.AST, name: str) -> bool:
    """Whether ``node`` is an assignment, of any kind, to the variable ``name``."""
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(t, ast.Name) and t.id == name for t in targets)
