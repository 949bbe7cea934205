"""Write-up: the paper section by section, each by an edit whose prompt contains all its facts.

A section is used only if the edit replaced its placeholder and nothing else, cites only known
references, and shows its figures and tables. The next attempt receives the problems; after the last
one the stage is left for resume, so that no placeholder reaches a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from orchestrator.core.errors import BadTemplate, StageLeft
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, Message
from orchestrator.core.protocols import Blobs
from orchestrator.record.notes import Citable, SectionAbsent
from orchestrator.record.ports import Ports
from orchestrator.research.paper import latex, references, tables
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.paper.tables import RESULTS_MARKER, RUNS_MARKER
from orchestrator.research.prompts import block, prompt_text, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import paper_edit as papers
from orchestrator.research.stages.blocks import idea_dict, plan_rows
from orchestrator.research.tries import leave, tries

_ATTEMPTS = 3
_PER_SEARCH = 6  # papers
_MAX_PAPERS = 20  # added to the references of the template
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


class Queries(ReplyForm):
    """The searches that a model requests."""

    queries: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=5)] = ()


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
    """The study with a complete paper. Raises :class:`StageLeft` if a section stays unwritten."""
    study = papers.with_paper_source(study, ports, _prepared(study, ports))
    for section in SECTIONS:
        tex = latex.uncommented(papers.paper_source(study, ports))
        placeholder = next((name for name in section.placeholders if name in tex), "")
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
    skeleton = papers.paper_source(study, ports)
    tex = latex.prepared(skeleton, study.author, AUTHOR_NOTE, study.figures)
    scoped = ports.within("citations")
    tex = references.add_references(tex, _papers(study, scoped))
    scoped.note(Citable(keys=tuple(one.key for one in references.references(tex))))
    return tex


def _papers(study: Study, ports: Ports) -> tuple[PaperRef, ...]:
    """The papers of the novelty search and of further searches."""
    instruction = render(
        "writeup_queries",
        idea=block("idea", idea_dict(study.idea)),
        plan=block("plan", plan_rows(study)),
    )
    ask = Ask(purpose="writeup.queries", messages=(Message("user", instruction),), temperature=0)
    asked = ask_for(ports, ask, Queries).queries
    searches = dict.fromkeys([study.idea.title, study.template.manifest.title, *asked])
    papers = {paper.key: paper for paper in study.novelty.papers}
    for query in filter(None, (text.strip() for text in searches)):
        for paper in ports.search(Query(query, _PER_SEARCH)):
            papers.setdefault(paper.key, paper)
    return tuple(papers.values())[:_MAX_PAPERS]


def _write(study: Study, section: Section, placeholder: str, ports: Ports) -> Study:
    before, problems = papers.paper_source(study, ports), list[str]()
    # A section about the code is about the baseline's; what each run changed is among the facts.
    shown = replace(study, tree=study.tree.updated(study.runs[0].code.without("plot.py")))
    for _, scoped in tries(ports, _ATTEMPTS):
        instruction = _instruction(study, section, placeholder, before, problems, scoped.blobs)
        done = papers.edit_paper(
            shown, scoped, f"writeup.{section.name}", instruction, section.readable
        )
        after = scoped.text(done.files.as_dict()[TEX])
        found = latex.placeholder_texts(before, after, (placeholder,))
        if isinstance(found, str):
            problems = [found, *filter(None, [done.why_not])]
            continue
        written = as_latex(found[0], r"\1") if section.name == "title" else as_latex(found[0])
        problems = section_problems(study, section, written, before)
        if not problems:
            text = written.replace(RESULTS_MARKER, papers.study_results_table(study))
            text = text.replace(RUNS_MARKER, tables.runs_table(study.runs))
            tex = before.replace(placeholder, text.strip(), 1)
            return papers.with_paper_source(study, ports, tex)
    leave(ports, _ATTEMPTS)
    raise StageLeft(
        f"the section {section.name!r} could not be written in {_ATTEMPTS} attempts",
        where=f"{TEX}, {placeholder!r}",
        why="; ".join(problems[:5]),
        todo="`aisci resume` asks again; the report shows what each attempt wrote",
    )


def _instruction(
    study: Study, section: Section, placeholder: str, before: str, problems: list[str], blobs: Blobs
) -> str:
    line = next(line for line in before.splitlines() if placeholder in line)
    task = {"section": section.name, "placeholder": placeholder, "line": line, "file": TEX}
    return render(
        "writeup_section",
        section=section.name,
        placeholder=placeholder,
        guide=prompt_text(f"writeup_{section.name}").strip(),
        facts=papers.paper_facts(study, before, blobs),
        task=block("task", task),
        problems=block("problems", problems),
    )


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
