"""The check that a template keeps its contract; each finding says how to mend it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator import BadTemplate
from orchestrator.paths import RESERVED
from orchestrator.template import MANIFEST, NOTES, PAPER, Template

REQUIRED = ("experiment.py", "plot.py", "prompt.json", "seed_ideas.json", PAPER)

PLACEHOLDERS = {
    "Title": "TITLE HERE",
    "Abstract": "ABSTRACT HERE",
    "Introduction": "INTRO HERE",
    "Related Work": "RELATED WORK HERE",
    "Background": "BACKGROUND HERE",
    "Method": "METHOD HERE",
    "Experimental Setup": "EXPERIMENTAL SETUP HERE",
    "Results": "RESULTS HERE",
    "Conclusion": "CONCLUSIONS HERE",
}
"""What stands in ``latex/template.tex`` where each part of the paper goes; the names that the
AI Scientist's templates use. A template of ours has :data:`AUTHOR` too."""

AUTHOR = "AUTHOR HERE"

_UNPICKLING = (".pkl", ".pickle", ".pt", ".npy", ".npz")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at ``where`` (a path, perhaps with a line or key), and how to mend it."""

    where: str
    what: str
    todo: str


def check(template: Template) -> tuple[Finding, ...]:
    """Everything that is wrong with ``template``; empty if it keeps its contract."""
    findings = [
        Finding(path, "the file is missing", f"add {path}; docs/templates.md says what it does")
        for path in REQUIRED
        if path not in template.files
    ]
    for part in (_reserved, _named_files, _json_files, _code, _knobs, _paper, _opaque):
        findings += part(template)
    return tuple(findings)


def require(template: Template) -> None:
    """Raise :class:`BadTemplate` with all findings, if there are any."""
    findings = check(template)
    if findings:
        lines = [f"{f.where}: {f.what}; {f.todo}" for f in findings[:12]]
        lines += [f"and {len(findings) - 12} more"] if len(findings) > 12 else []
        raise BadTemplate(
            f"the template {template.name} does not keep its contract",
            where=template.origin,
            why="\n         ".join(lines),
            todo=f"mend these, then: aisci template check {template.origin}",
        )


def _reserved(template: Template) -> Iterator[Finding]:
    """Names that an idea's folder keeps for its own records; found here, not after a paid run."""
    for name in sorted({path.split("/", 1)[0] for path in template.files} & RESERVED):
        yield Finding(name, "the name is kept for an idea's own records", "rename it")


def _named_files(template: Template) -> Iterator[Finding]:
    for kind in ("editable", "fixed"):
        for path in getattr(template.manifest, kind):
            if path not in template.files and path != NOTES:
                yield Finding(
                    f"{MANIFEST}: {kind}",
                    f"{path} is not in the folder",
                    "add it or take its name out",
                )


def _json_files(template: Template) -> Iterator[Finding]:
    readers: dict[str, Callable[[], object]] = {
        "prompt.json": template.task,
        "seed_ideas.json": template.seed_ideas,
    }
    for path, reader in readers.items():
        if path in template.files:
            try:
                reader()
            except BadTemplate as error:
                place = error.where.removeprefix(f"{template.origin}/")
                yield Finding(place, f"{error.what}: {error.why}", error.todo or "mend the JSON")


def _code(template: Template) -> Iterator[Finding]:
    """Python that parses, and imports only what the manifest declares."""
    own = {path.split("/")[0].removesuffix(".py") for path in template.files}
    for path in template.files:
        if not path.endswith(".py"):
            continue
        try:
            used = _imports(template.text(path)) - own
        except (SyntaxError, ValueError, RecursionError, BadTemplate) as error:
            line = getattr(error, "lineno", None)
            yield Finding(
                f"{path}:{line}" if line else path, f"it is not Python: {error}", "mend the syntax"
            )
            continue
        for name in sorted(used - set(template.manifest.packages)):
            if not template.inferred:
                yield Finding(
                    path, f"it imports {name}, which is not declared", f"add {name} to packages"
                )


def _imports(source: str) -> frozenset[str]:
    """Top-level names that ``source`` imports from outside the standard library."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return frozenset(found - sys.stdlib_module_names)


def _knobs(template: Template) -> Iterator[Finding]:
    for name, knob in template.manifest.knobs.items():
        if knob.file not in template.files:
            continue
        try:
            _, value = knob_line(template.text(knob.file), knob.constant)
            same = type(value) is type(knob.default) and value == knob.default
            trouble = "" if same else f"{knob.constant} is {value!r}, its default {knob.default!r}"
        except (SyntaxError, ValueError, RecursionError, BadTemplate) as error:
            trouble = str(error)
        if trouble:
            yield Finding(
                f"{MANIFEST}: knobs.{name}",
                trouble,
                f"write `{knob.constant} = {knob.default!r}` once, at the top level of {knob.file}",
            )


def knob_line(source: str, constant: str) -> tuple[str, object]:
    """The whole line that assigns ``constant``, and its literal value.

    Raises ValueError where one changed line would not turn it: it is assigned twice, below the
    top level, over several lines, not as a literal, or another line reads the same; SyntaxError
    where ``source`` is not Python.
    """
    tree = ast.parse(source)
    found = [node for node in ast.walk(tree) if _binds(node, constant)]
    if len(found) != 1:
        raise ValueError(f"{constant} is assigned {len(found)} times")
    node = found[0]
    if not isinstance(node, ast.Assign) or node not in tree.body or node.lineno != node.end_lineno:
        raise ValueError(f"{constant} is not assigned in one line at the top level")
    lines = source.splitlines()
    if lines.count(lines[node.lineno - 1]) != 1:
        raise ValueError(f"the line of {constant} stands more than once")
    try:
        return lines[node.lineno - 1], ast.literal_eval(node.value)
    except ValueError as error:
        raise ValueError(f"{constant} is not a plain number") from error


def _binds(node: ast.AST, name: str) -> bool:
    """Is ``node`` an assignment, of any kind, to the variable ``name``?"""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    else:
        return False
    return any(isinstance(t, ast.Name) and t.id == name for t in targets)


def _paper(template: Template) -> Iterator[Finding]:
    if PAPER not in template.files:
        return
    try:
        text = template.text(PAPER)
    except BadTemplate as error:
        yield Finding(PAPER, error.what, "save it as UTF-8")
        return
    wanted = [*PLACEHOLDERS.values(), *([] if template.inferred else [AUTHOR])]
    for mark in wanted:
        if text.count(mark) != 1:
            yield Finding(
                PAPER,
                f"{mark!r} stands {text.count(mark)} times",
                f"write {mark} once, on its own line",
            )
    for needed in ("\\documentclass", "\\begin{document}", "\\end{document}", "\\bibliography{"):
        if needed not in text:
            yield Finding(PAPER, f"{needed} is missing", f"add {needed}")


def _opaque(template: Template) -> Iterator[Finding]:
    """A template with a manifest keeps its data in kinds of file that a person can read."""
    for path in template.files:
        if not template.inferred and path.endswith(_UNPICKLING):
            yield Finding(
                path, "the file is of a kind that runs code or hides it", "store it as JSON or CSV"
            )
