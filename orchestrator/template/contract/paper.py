"""The rule for ``latex/template.tex``: a paper with one placeholder for each part."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.errors import BadTemplate
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.template import PAPER, Template

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
"""The placeholders in ``latex/template.tex``, as in the AI Scientist's templates. A template with a
manifest has :data:`AUTHOR` too."""

AUTHOR = "AUTHOR HERE"


def skeleton(template: Template) -> Iterator[RuleFinding]:
    if PAPER not in template.files:
        return
    try:
        text = template.text(PAPER)
    except BadTemplate as error:
        yield RuleFinding(PAPER, error.what, "save it as UTF-8")
        return
    marks = [*PLACEHOLDERS.values(), *([] if template.inferred else [AUTHOR])]
    for mark in marks:
        if text.count(mark) != 1:
            what = f"{mark!r} occurs {text.count(mark)} times"
            yield RuleFinding(PAPER, what, f"write {mark} once, on its own line")
    for needed in ("\\documentclass", "\\begin{document}", "\\end{document}", "\\bibliography{"):
        if needed not in text:
            yield RuleFinding(PAPER, f"{needed} is missing", f"add {needed}")


def sample_paper(text: str) -> str:
    """The paper with a sentence in place of each placeholder, to test whether it compiles."""
    for part, mark in {**PLACEHOLDERS, "Author": AUTHOR}.items():
        text = text.replace(mark, f"The {part.lower()} stands here.")
    return text
