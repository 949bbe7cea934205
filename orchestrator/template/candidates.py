"""The numbers of a template's code that a study could vary: read from its text, never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from orchestrator.template.contract.code import knob_line
from orchestrator.template.imports import PROGRAMS, UNREADABLE, parsed, reached
from orchestrator.template.template import Template

_MOST = 20  # of one kind
_SEED = re.compile("seed|random_state", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number by its name. Only a ``knob`` can be declared as it stands; a ``variable`` and an
    ``argument`` must first become a constant in capitals, set in one line.
    """

    kind: Literal["knob", "variable", "argument"]
    file: str
    line: int
    name: str
    value: int | float

    @property
    def values(self) -> tuple[int | float, ...]:
        """Values to try: half, the same, twice; one more and one less of a small whole number."""
        if isinstance(self.value, int) and abs(self.value) < 4:
            least = min(self.value, 0)
            return tuple(range(max(self.value - 1, least), self.value + 2))
        half = self.value // 2 if isinstance(self.value, int) else self.value / 2
        return tuple(dict.fromkeys((half, self.value, 2 * self.value)))


def candidates(template: Template) -> tuple[Candidate, ...]:
    """At most twenty of each kind, in the order of the code; seeds are none."""
    trees = parsed(template)
    found: list[Candidate] = []
    for file in reached(trees, PROGRAMS[0]):
        if "/" not in file:
            found += _assigned(trees[file], file, template.text(file))
            found += _arguments(trees[file], file)
    kinds = ("knob", "variable", "argument")
    return tuple(one for kind in kinds for one in [c for c in found if c.kind == kind][:_MOST])


def _assigned(tree: ast.Module, file: str, source: str) -> Iterator[Candidate]:
    for node in tree.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target, value = node.targets[0], number_of(node.value)
        if isinstance(target, ast.Name) and value is not None and not _SEED.search(target.id):
            name = target.id
            kind: Literal["knob", "variable"] = "knob" if _is_knob(source, name) else "variable"
            yield Candidate(kind, file, node.lineno, name, value)


def _is_knob(source: str, name: str) -> bool:
    if not re.fullmatch("[A-Z][A-Z0-9_]*", name):
        return False
    try:
        knob_line(source, name)
    except UNREADABLE:
        return False
    return True


def _arguments(tree: ast.Module, file: str) -> Iterator[Candidate]:
    """The defaults of ``add_argument``: a run gives no argument but ``--out_dir``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") != "add_argument":
            continue
        words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        name = str(words[-1]).lstrip("-") if words else ""
        for word in node.keywords:
            value = number_of(word.value) if word.arg == "default" else None
            if value is not None and name.isidentifier() and not _SEED.search(name):
                yield Candidate("argument", file, node.lineno, name, value)


def number_of(node: ast.expr) -> int | float | None:
    """The plain number that an expression is, or None."""
    try:
        value = ast.literal_eval(node)
    except UNREADABLE:
        return None
    return value if type(value) in (int, float) and abs(value) < 1e15 else None
