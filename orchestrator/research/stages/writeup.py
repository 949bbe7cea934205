"""Write-up: the paper section by section, in one conversation that begins with all that is known.

Each request repeats the conversation so far and adds one task, so that a vendor's cache serves nearly
all of it. A section's text is used only if it cites known references alone and shows its figures and
tables; otherwise its author gets its own draft back with what is wrong. No placeholder reaches a page:
a section that stays unusable leaves the stage for resume.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import BadReply, BadTemplate, WrongFormat
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.record.notes import Citable, SectionAbsent
from orchestrator.record.ports import Ports
from orchestrator.research.paper import latex, references, tables
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.paper.tables import RESULTS_MARKER, RUNS_MARKER
from orchestrator.research.prompts import block, prompt_text, render, text_block
from orchestrator.research.replies import ask_and_use, ask_for
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import paper_edit as papers
from orchestrator.research.stages.blocks import (
    code_block,
    differences_block,
    idea_dict,
    plan_rows,
)

_TOKENS = 8192  # of one section
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


class Queries(ReplyForm):
    """The searches that a model requests."""

    queries: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=5)] = ()


SECTIONS = (
    Section("setup", ("EXPERIMENTAL SETUP HERE", "SETUP HERE"), RUNS_MARKER),
    Section("method", ("METHOD HERE",)),
    Section("results", ("RESULTS HERE",), RESULTS_MARKER, figures=True),
    Section("background", ("BACKGROUND HERE",)),
    Section("related", ("RELATED WORK HERE",)),
    Section("introduction", ("INTRODUCTION HERE", "INTRO HERE")),
    Section("conclusion", ("CONCLUSIONS HERE", "CONCLUSION HERE")),
    Section("abstract", ("ABSTRACT HERE",)),
    Section("title", ("TITLE HERE",)),
)
_FENCED = re.compile(r"^```(?:latex|tex)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
Conversation = tuple[Message, ...]
_NOT_INSIDE = re.compile(
    r"\\(?:begin|end)\{document\}|\\section\b|\\title\b|\\author\b|\\bibliography"
)


def write_sections(study: Study, ports: Ports) -> Study:
    """The study with a complete paper. Raises :class:`BadReply` if a section stays unwritten."""
    tex = _prepared(study, ports)
    said: Conversation = (Message("user", _opening(study, tex, ports)),)
    for section in SECTIONS:
        source = latex.uncommented(tex)
        placeholder = next((name for name in section.placeholders if name in source), "")
        if placeholder:
            tex, said = _write(study, section, placeholder, tex, said, ports.within(section.name))
        else:
            ports.note(SectionAbsent(section=section.name))
    return papers.with_paper_source(study, ports, references.pruned(tex))


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


def _opening(study: Study, tex: str, ports: Ports) -> str:
    """The first message of a paper's conversation: everything that is known, once, and the rules."""
    notes = study.tree.get("notes.txt")
    # A section about the code is about the baseline's; what each run changed is among the facts.
    baseline = replace(study, tree=study.tree.updated(study.runs[0].code))
    return render(
        "writeup_begin",
        facts=papers.paper_facts(study, tex, ports.blobs),
        code=code_block(baseline, ports),
        differences=differences_block(study, ports),
        notes=text_block("notes.txt", ports.text(notes) if notes else ""),
    )


def _write(
    study: Study, section: Section, placeholder: str, before: str, said: Conversation, ports: Ports
) -> tuple[str, Conversation]:
    """The paper's source with one section more, and the conversation with it. Raises
    :class:`BadReply`.
    """
    line = next(line for line in before.splitlines() if placeholder in line)
    task = render(
        "writeup_section",
        section=section.name,
        placeholder=placeholder,
        task=block("task", {"section": section.name, "placeholder": placeholder, "line": line}),
        guide=prompt_text(f"writeup_{section.name}").strip(),
    )
    # The first request holds the facts and the first task in one message, as vendors want turns.
    *earlier, last = said
    turn = [*said, Message("user", task)]
    if last.role == "user":
        turn = [*earlier, Message("user", f"{last.content}\n{task}")]

    def use(reply: Reply, ask: Ask) -> str:
        written = section_text(require_whole(reply, ask).text, section)
        problems = section_problems(study, section, written, before)
        if problems:
            raise WrongFormat(
                f"the section {section.name!r} breaks rules of the paper",
                where=f"{TEX}, {placeholder!r}",
                why="\n".join(problems[:12]),
                todo="`aisci resume` asks again; the report shows what each attempt wrote",
            )
        return written

    ask = Ask(purpose=f"writeup.{section.name}", messages=tuple(turn), max_tokens=_TOKENS)
    written = ask_and_use(ports, ask, use, _again)
    text = written.replace(RESULTS_MARKER, papers.study_results_table(study))
    text = text.replace(RUNS_MARKER, tables.runs_table(study.runs))
    tex = before.replace(placeholder, text, 1)
    return tex, (*turn, Message("assistant", written))


def section_text(reply: str, section: Section) -> str:
    """The LaTeX of a section in a model's reply: without fences, Markdown and the title's command."""
    fenced = _FENCED.findall(reply)
    text = fenced[0] if len(fenced) == 1 else reply
    if section.name != "title":
        return as_latex(text).strip()
    command = re.fullmatch(r"\\title\{(.*)\}", text.strip(), re.DOTALL)
    return " ".join(as_latex(command[1] if command else text, r"\1").split())


def _again(error: BadReply) -> str:
    return render("writeup_again", problems="\n".join(f"- {row}" for row in error.why.splitlines()))


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
    for marker in (RESULTS_MARKER, RUNS_MARKER):
        expected = int(marker == section.marker)
        if text.count(marker) != expected:
            problems.append(f"the line {marker!r} must stand {expected} times in this section")
    if section.name != "title" and len(" ".join(text.split())) < _MIN_CHARACTERS:
        problems.append("the section says next to nothing")
    return problems
