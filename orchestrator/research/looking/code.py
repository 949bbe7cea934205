"""The code of runs beside each other: what changed, and whether it changed anything."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Mapping, Sequence

from orchestrator.core.python_source import parse_python

DIFFERENCE, OLD_DIFFERENCE = 6000, 2000  # characters of a change: of the last run, of others
_NAMED = re.compile(r"(?:async )?(?:def|class) (\w+)|(\w+) ?(?::[^=\n]+)?=(?!=)")
_WITHIN = frozenset(" \t)]}#@") | {""}  # how a line begins that does not end what stands before it
_PARTS = re.compile(r"^(?=@@|--- a/)", re.MULTILINE)
_MOST_NAMES = 4
_Change = tuple[str, int, int, int, int]


def unified_difference(before: str, after: str, name: str) -> str:
    """What changed between two texts, as a paper prints it."""
    rows = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm="", n=1
    )
    return "\n".join(rows)


def code_difference(before: str, after: str, name: str) -> str:
    """The same for a request, which shows no numbers of lines: each change behind ``@@`` and the functions, classes or constants that it is in."""
    old, new = before.splitlines(), after.splitlines()
    rows = list[str]()
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(1):
        rows.append(f"@@ {_place(group, old, new)}".rstrip())
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                rows += [f" {line}" for line in old[start:end]]
                continue
            rows += [f"-{line}" for line in old[start:end]]
            rows += [f"+{line}" for line in new[new_start:new_end]]
    return "\n".join([f"--- a/{name}", f"+++ b/{name}", *rows]) if rows else ""


def _place(group: Sequence[_Change], old: Sequence[str], new: Sequence[str]) -> str:
    """The names at the left margin that changes touch, else those that they stand under."""
    names = list[str]()
    for tag, start, end, new_start, new_end in group:
        lines = [] if tag == "equal" else [*old[start:end], *new[new_start:new_end]]
        own = [found[1] or found[2] for line in lines if (found := _NAMED.match(line))]
        names += own or ([_around(old[:start])] if lines else [])
    return ", ".join([*dict.fromkeys(filter(None, names))][:_MOST_NAMES])


def _around(lines: Sequence[str]) -> str:
    """The name at the left margin that stands over what follows these lines."""
    for line in reversed(lines):
        if found := _NAMED.match(line):
            return found[1] or found[2]
        if line[:1] not in _WITHIN:
            break
    return ""


def shortened(text: str, most: int) -> str:
    """A difference, cut to what a prompt has room for: whole changes are left out, each with the names of what it is in.
    Of its first one, and of a text without changes, there is the beginning.
    """
    if len(text) <= most:
        return text
    left, rows, begun = most, list[str](), False
    for part in filter(None, _PARTS.split(text)):
        title, _, body = part.rstrip("\n").partition("\n")
        if title.startswith("@@") and len(part) > left and begun:
            rows.append(f"{title} … ({len(body.splitlines())} lines left out)\n")
            continue
        begun = begun or not title.startswith("---")
        rows.append(part if title.startswith("---") else _cut(part, max(0, left)))
        left -= len(rows[-1])
    return "".join(rows).rstrip("\n")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n… ({len(text) - most} more characters)\n"


def fitted_differences(texts: Mapping[str, str]) -> dict[str, str]:
    """The differences of runs by name, whole where all have room together: else the longest are cut, to one length."""
    left = DIFFERENCE + OLD_DIFFERENCE * (len(texts) - 1)
    most = dict[str, int]()
    for name in sorted(texts, key=lambda one: len(texts[one])):
        most[name] = left // (len(texts) - len(most))
        left -= min(len(texts[name]), most[name])
    return {name: shortened(text, most[name]) for name, text in texts.items()}


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
