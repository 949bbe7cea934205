"""Write-up: the paper section by section, each by an edit whose prompt contains all its facts.

A section is used only if the edit replaced its placeholder and nothing else, cites only known
references, and shows its figures and tables. The next attempt receives the problems; after the last
one the idea fails, so that no placeholder reaches a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.core.errors import BadTemplate, IdeaFailed
from orchestrator.record.notes import SectionAbsent
from orchestrator.record.ports import Ports
from orchestrator.research.paper import latex, references
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.tables import RESULTS_MARKER, RUNS_MARKER
from orchestrator.research.prompts import block, prompt_text, render
from orchestrator.research.stages import citations
from orchestrator.research.stages import paper_edit as papers
from orchestrator.research.study import Study

_ATTEMPTS = 3
_MIN_CHARACTERS = 80  # of a section's text
AUTHOR_NOTE = "automated study: no person wrote or checked this text"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the paper; the first of ``placeholders`` that the template contains counts."""

    name: str
    placeholders: tuple[str, ...]
    marker: str = ""
    figures: bool = False
    readable: tuple[str, ...] = ()


SECTIONS = (
    Section(
        "setup", ("EXPERIMENTAL SETUP HERE", "SETUP HERE"), RUNS_MARKER, readable=("experiment.py",)
    ),
    Section("method", ("METHOD HERE",), readable=("experiment.py",)),
    Section("results", ("RESULTS HERE",), RESULTS_MARKER, figures=True, readable=("notes.txt",)),
    Section("background", ("BACKGROUND HERE",)),
    Section("related", ("RELATED WORK HERE",)),
    Section("introduction", ("INTRODUCTION HERE", "INTRO HERE")),
    Section("conclusion", ("CONCLUSIONS HERE", "CONCLUSION HERE")),
    Section("abstract", ("ABSTRACT HERE",)),
    Section("title", ("TITLE HERE",)),
)
_NOT_INSIDE = re.compile(
    r"\\(?:begin|end)\{document\}|\\section\b|\\title\b|\\author\b|\\bibliography"
)


def write_sections(study: Study, ports: Ports) -> Study:
    """The study with a complete paper. Raises :class:`IdeaFailed` if a section stays unwritten."""
    study = papers.with_paper_source(study, ports, _prepared(study, ports))
    for section in SECTIONS:
        placeholder = _placeholder(papers.paper_source(study, ports), section)
        if placeholder:
            study = _write(study, section, placeholder, ports.within(section.name))
        else:
            ports.note(SectionAbsent(section=section.name))
    tex = references.pruned(papers.paper_source(study, ports))
    return papers.with_paper_source(study, ports, tex)


def _prepared(study: Study, ports: Ports) -> str:
    """The template's source with the author, packages and references."""
    if TEX not in study.tree.as_dict():
        raise BadTemplate(
            "the template has no paper to fill",
            where=TEX,
            todo="add it with a placeholder such as `RESULTS HERE` in each section",
        )
    tex = latex.with_author(papers.paper_source(study, ports), study.author, AUTHOR_NOTE)
    tex = latex.with_packages(tex, ("graphicx", "booktabs"))
    tex = latex.without_unknown_figures(tex, study.figures)
    scoped = ports.within("citations")
    return citations.cite_papers(tex, citations.gather_papers(study, scoped), scoped)


def _placeholder(tex: str, section: Section) -> str:
    return next((name for name in section.placeholders if name in latex.uncommented(tex)), "")


def _write(study: Study, section: Section, placeholder: str, ports: Ports) -> Study:
    before, problems = papers.paper_source(study, ports), list[str]()
    for attempt in range(1, _ATTEMPTS + 1):
        scoped = ports.within(f"attempt_{attempt}")
        instruction = _instruction(study, section, placeholder, before, problems)
        done = papers.edit_paper(
            study, scoped, f"writeup.{section.name}", instruction, section.readable
        )
        after = scoped.text(done.files.as_dict()[TEX])
        found = latex.placeholder_texts(before, after, (placeholder,))
        if isinstance(found, str):
            problems = [found, *filter(None, [done.why_not])]
            continue
        problems = section_problems(study, section, found[0], before)
        if not problems:
            text = _with_tables(study, found[0])
            return papers.with_paper_source(
                study, ports, latex.fill_placeholders(before, {placeholder: text})
            )
    raise IdeaFailed(
        f"the section {section.name!r} could not be written in {_ATTEMPTS} attempts",
        where=f"{TEX}, {placeholder!r}",
        why="; ".join(problems[:5]),
        todo="the report shows what each attempt wrote",
    )


def _instruction(
    study: Study, section: Section, placeholder: str, before: str, problems: list[str]
) -> str:
    return render(
        "writeup_section",
        section=section.name,
        placeholder=placeholder,
        guide=prompt_text(f"writeup_{section.name}").strip(),
        facts=papers.paper_facts(study, before),
        task=block("task", _task(section, placeholder, before)),
        problems=block("problems", problems),
    )


def _task(section: Section, placeholder: str, before: str) -> dict[str, str]:
    """The place of the section; ``line`` is the whole line with the placeholder."""
    line = next(line for line in before.splitlines() if placeholder in line)
    return {"section": section.name, "placeholder": placeholder, "line": line, "file": TEX}


def section_problems(study: Study, section: Section, text: str, tex: str) -> list[str]:
    """Texts for a model: each rule that ``text`` violates as this section of ``tex``."""
    problems = [
        f"\\cite asks for {key!r}, which is not in the block `citations`"
        for key in references.unknown_citations(text, tex)
    ]
    problems += [f"write plain text, without {name}" for name in latex.primitives(text)]
    problems += [f"leave out {match[0]}" for match in _NOT_INSIDE.finditer(text)]
    problems += list(latex.figure_problems(text, study.figures if section.figures else ()))
    for marker in (RESULTS_MARKER, RUNS_MARKER):
        expected = int(marker == section.marker)
        if text.count(marker) != expected:
            problems.append(f"the line {marker!r} must stand {expected} times in this section")
    if section.name != "title" and len(" ".join(text.split())) < _MIN_CHARACTERS:
        problems.append("the section says next to nothing")
    return problems


def _with_tables(study: Study, text: str) -> str:
    text = text.replace(RESULTS_MARKER, papers.study_results_table(study))
    return text.replace(RUNS_MARKER, papers.study_runs_table(study))
