"""Rules for a template's files: their names and kinds, the JSON files, the data, the paper."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.errors import BadTemplate
from orchestrator.core.files import RESERVED
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.folder import MANIFEST, PAPER
from orchestrator.template.template import NOTES, Template

REQUIRED = ("experiment.py", "plot.py", "prompt.json", "seed_ideas.json", PAPER)
OPAQUE = "files of this kind can run code when they are read"
OPAQUE_TODO = (
    "do not save it, or write JSON or CSV; `opaque_files: true` in the manifest allows it where only "
    "its own plot.py reads it"
)
_OPAQUE_HERE = (
    "write JSON or CSV; `opaque_files: true` in the manifest allows it: its programs then read it in "
    "their containers, and nothing else opens it"
)
UNPICKLING = (".pkl", ".pickle", ".pt", ".npy", ".npz")
PLACEHOLDERS = {
    "Title": ("TITLE HERE",),
    "Abstract": ("ABSTRACT HERE",),
    "Introduction": ("INTRODUCTION HERE", "INTRO HERE"),
    "Related Work": ("RELATED WORK HERE",),
    "Background": ("BACKGROUND HERE",),
    "Method": ("METHOD HERE",),
    "Experimental Setup": ("EXPERIMENTAL SETUP HERE",),
    "Results": ("RESULTS HERE",),
    "Discussion": ("DISCUSSION HERE",),
    "Conclusion": ("CONCLUSIONS HERE",),
    "Appendix": ("APPENDIX HERE",),
}
"""The places in ``latex/template.tex``; the second spelling is the AI Scientist's."""

_OPTIONAL = ("Discussion", "Appendix")

AUTHOR = "AUTHOR HERE"
"""Where the author goes; without it, ``\\author{…}`` is replaced."""

_TOO_FEW = "write {} once, on its own line"
_TOO_MANY = "keep one, on its own line; the others may go, such as the running title of a style"


def there(template: Template) -> Iterator[RuleFinding]:
    """The files that every template has, and those that its manifest names."""
    for path in REQUIRED:
        if path not in template.files:
            todo = f"add {path}; docs/templates.md describes it"
            yield RuleFinding(path, "the file is missing", todo)
    for kind in ("editable", "fixed"):
        for path in getattr(template.manifest, kind):
            if path not in template.files and path != NOTES and path not in REQUIRED:
                what = f"{path} is not in the folder"
                yield RuleFinding(f"{MANIFEST}: {kind}", what, "add it, or remove its name")


def reserved(template: Template) -> Iterator[RuleFinding]:
    """Names reserved for the records in an idea's folder; found here, before a paid run."""
    for name in sorted({path.split("/", 1)[0] for path in template.files} & RESERVED):
        yield RuleFinding(name, "the name is reserved for an idea's own records", "rename it")


def json_files(template: Template) -> Iterator[RuleFinding]:
    for path, read in (("prompt.json", template.task), ("seed_ideas.json", template.seed_ideas)):
        try:
            if path in template.files:
                read()
        except BadTemplate as error:
            place = error.where.removeprefix(f"{template.origin}/")
            yield RuleFinding(place, f"{error.what}: {error.why}", error.todo)


def readable_data(template: Template) -> Iterator[RuleFinding]:
    """A template stores its data in human-readable kinds of file, unless it is declared opaque."""
    for path in template.files:
        if not template.opaque and path.endswith(UNPICKLING):
            yield RuleFinding(path, OPAQUE, _OPAQUE_HERE)


def offline(template: Template) -> Iterator[RuleFinding]:
    """Some scale needs no downloaded data, and some scale needs each downloaded data set."""
    manifest = template.manifest
    if manifest.data and all(scale.data for scale in manifest.scales.values()):
        yield RuleFinding(
            f"{MANIFEST}: scales",
            "every scale needs downloaded data",
            "give one scale data that the experiment generates, so that a first run needs no download",
        )
    needed = {name for scale in manifest.scales.values() for name in scale.data}
    for data in manifest.data:
        if data.source == "download" and data.name not in needed:
            yield RuleFinding(
                f"{MANIFEST}: data.{data.name}",
                "no scale needs it",
                f"name {data.name} in the `data` of a scale, or remove it",
            )


def skeleton(template: Template) -> Iterator[RuleFinding]:
    if PAPER not in template.files:
        return
    try:
        text = template.text(PAPER)
    except BadTemplate as error:
        yield RuleFinding(PAPER, error.what, "save it as UTF-8")
        return
    for part, marks in PLACEHOLDERS.items():
        count = sum(text.count(mark) for mark in marks)
        if count > 1 or (count == 0 and part not in _OPTIONAL):
            what = f"{marks[0]!r} occurs {count} times"
            yield RuleFinding(PAPER, what, _TOO_MANY if count else _TOO_FEW.format(marks[0]))
    if text.count(AUTHOR) > 1:
        yield RuleFinding(PAPER, f"{AUTHOR!r} occurs {text.count(AUTHOR)} times", _TOO_MANY)
    for needed in ("\\documentclass", "\\begin{document}", "\\end{document}", "\\bibliography{"):
        if needed not in text:
            yield RuleFinding(PAPER, f"{needed} is missing", f"add {needed}")


def sample_paper(text: str) -> str:
    """The paper with a sentence in place of each placeholder, to test whether it compiles."""
    for part, marks in {**PLACEHOLDERS, "Author": (AUTHOR,)}.items():
        for mark in marks:
            text = text.replace(mark, f"The {part.lower()} stands here.")
    return text
