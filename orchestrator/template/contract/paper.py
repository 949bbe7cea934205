"""The rule about ``latex/template.tex``: a skeleton with one place for each part of a paper."""

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
"""What stands in ``latex/template.tex`` where each part of the paper goes; the names that the
AI Scientist's templates use. A template of ours has :data:`AUTHOR` too."""

AUTHOR = "AUTHOR HERE"


def skeleton(template: Template) -> Iterator[RuleFinding]:
    if PAPER not in template.files:
        return
    try:
        text = template.text(PAPER)
    except BadTemplate as error:
        yield RuleFinding(PAPER, error.what, "save it as UTF-8")
        return
    wanted = [*PLACEHOLDERS.values(), *([] if template.inferred else [AUTHOR])]
    for mark in wanted:
        if text.count(mark) != 1:
            yield RuleFinding(
                PAPER,
                f"{mark!r} stands {text.count(mark)} times",
                f"write {mark} once, on its own line",
            )
    for needed in ("\\documentclass", "\\begin{document}", "\\end{document}", "\\bibliography{"):
        if needed not in text:
            yield RuleFinding(PAPER, f"{needed} is missing", f"add {needed}")


def sample_paper(text: str) -> str:
    """The skeleton with a sentence in each place, for a trial of how it compiles."""
    for part, mark in {**PLACEHOLDERS, "Author": AUTHOR}.items():
        text = text.replace(mark, f"The {part.lower()} stands here.")
    return text
