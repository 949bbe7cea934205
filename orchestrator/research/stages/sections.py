"""The sections of a paper: what each is for, its length, and the rules that its text keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.research.claims.check import Checked, check_section, printed_errors
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.paper import latex, references
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.paper.tables import RESULTS_MARKER, RUNS_MARKER
from orchestrator.research.run_spec import Study

_MIN_CHARACTERS = 80  # of a section's text
LONG_STUDY = 5  # runs, the baseline included; a smaller study gets a shorter paper


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the paper; the first of ``placeholders`` that the template contains counts. ``words``
    are those of a long study's section, from and to.
    """

    name: str
    placeholders: tuple[str, ...]
    words: tuple[int, int]
    part: str
    marker: str = ""
    figures: bool = False

    def length(self, runs: int) -> tuple[int, int]:
        """Words, from and to, for a study of so many runs."""
        first, last = self.words
        small = runs < LONG_STUDY and self.name not in {"abstract", "title"}
        return (first // 3, last // 2) if small else self.words


SECTIONS = (
    Section("setup", ("EXPERIMENTAL SETUP HERE", "SETUP HERE"), (350, 600), "setup", RUNS_MARKER),
    Section("method", ("METHOD HERE",), (400, 700), "method"),
    Section("results", ("RESULTS HERE",), (800, 1300), "results", RESULTS_MARKER, figures=True),
    Section("discussion", ("DISCUSSION HERE",), (350, 600), "discussion"),
    Section("background", ("BACKGROUND HERE",), (250, 450), "background"),
    Section("related", ("RELATED WORK HERE",), (300, 500), "related work"),
    Section("introduction", ("INTRODUCTION HERE", "INTRO HERE"), (450, 700), "introduction"),
    Section("conclusion", ("CONCLUSIONS HERE", "CONCLUSION HERE"), (120, 220), "conclusion"),
    Section("abstract", ("ABSTRACT HERE",), (120, 200), "abstract"),
    Section("title", ("TITLE HERE",), (6, 14), "title"),
)
PRINT_ORDER = (
    "title", "abstract", "introduction", "related", "background", "method", "setup", "results",
    "discussion", "conclusion",
)  # fmt: skip
"""The sections in the order in which papers print them."""
_LABELS = {RESULTS_MARKER: ("tab:results",), RUNS_MARKER: ("tab:runs",)}
"""The labels of the tables that the program puts in place of a marker."""
_FENCED = re.compile(r"^```(?:latex|tex)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_NOT_INSIDE = re.compile(
    r"\\(?:begin|end)\{document\}|\\section\b|\\title\b|\\author\b|\\bibliography|\\measured\b"
)


def section_text(reply: str, section: Section) -> str:
    """The LaTeX of a section in a model's reply: without fences, Markdown and the title's command."""
    fenced = _FENCED.findall(reply)
    text = fenced[0] if len(fenced) == 1 else reply
    if section.name != "title":
        return as_latex(text).strip()
    command = re.fullmatch(r"\\title\{(.*)\}", text.strip(), re.DOTALL)
    return " ".join(as_latex(command[1] if command else text, r"\1").split())


def section_problems(study: Study, section: Section, text: str, tex: str) -> list[str]:
    """Texts for a model: each rule that ``text`` violates as this section of ``tex``."""
    problems = [
        f"\\cite asks for {key!r}, which is not in the block `citations`"
        for key in references.unknown_citations(text, tex)
    ]
    problems += [f"write plain text, without {name}" for name in latex.primitives(text)]
    if "<<<<<<< SEARCH" in text:
        problems.append(
            "nothing is edited: write the section's text alone, without SEARCH and REPLACE"
        )
    problems += [f"leave out {match[0]}" for match in _NOT_INSIDE.finditer(text)]
    problems += list(latex.figure_problems(text, study.figures if section.figures else ()))
    problems += list(latex.unreferred(text, _LABELS.get(section.marker, ())))
    for marker in (RESULTS_MARKER, RUNS_MARKER):
        expected = int(marker == section.marker)
        if text.count(marker) != expected:
            problems.append(f"the line {marker!r} must stand {expected} times in this section")
    if any(latex.unmatched_braces(text)):
        problems.append(
            "every brace that opens must close in this section, and the other way round"
        )
    if section.name != "title" and len(" ".join(text.split())) < _MIN_CHARACTERS:
        problems.append("the section says next to nothing")
    return problems


def section_named(name: str) -> Section:
    return next(one for one in SECTIONS if one.name == name)


def wrong_sentences(
    section: Section, texts: Mapping[str, str], ledger: Ledger
) -> tuple[Checked, ...]:
    """The sentences of a section that its numbers do not carry. ``texts`` are those of the sections so far."""
    errors = printed_errors(texts.values())
    rows = check_section(texts[section.name], ledger, section.part, errors=errors)
    return tuple(one for one in rows if one.problems)


def told(rows: Iterable[tuple[str, Section, Checked]], texts: Mapping[str, str]) -> str:
    """Sentences as their author wrote them, with what is wrong with each, for the model that corrects them. ``texts``
    are those of the sections.
    """
    lines = []
    for name, section, one in rows:
        piece = texts[section.name][one.sentence.start : one.sentence.end]
        said = " ".join(piece.split()) or "(a number of this section)"
        lines.append(f"{name} ({section.name}): {said[:1200]}")
        lines += [f"   - {problem}" for problem in one.problems]
    return "\n".join(lines)
