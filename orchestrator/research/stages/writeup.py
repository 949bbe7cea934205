"""Write-up: the paper section by section, short ones together, in one conversation that begins with all that is known.

Each request repeats the conversation so far and adds one task, so that a vendor's cache serves nearly
all of it. An author names quantities, and the program prints them. A section that breaks a rule goes
back to its author with its draft; a sentence that its numbers do not carry is corrected by itself. When
every section stands, the author reads the whole once and changes what gets better, and a reader who did not write
it doubts what the facts do not carry. No placeholder reaches a page: a
section that stays unusable leaves the stage for resume.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.errors import BadTemplate
from orchestrator.core.model import Message
from orchestrator.record.literature_notes import Citable
from orchestrator.record.paper_notes import SectionAbsent
from orchestrator.record.ports import Ports
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.paper import latex, references
from orchestrator.research.paper.latex import TEX
from orchestrator.research.prompts import render, text_block
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled, paper_source
from orchestrator.research.stages.choosing import choose_papers
from orchestrator.research.stages.citing import cite_draft
from orchestrator.research.stages.correcting import (
    correct_sentences,
    named_sentences,
)
from orchestrator.research.stages.doubting import answer_doubts
from orchestrator.research.stages.drafting import DRAFTS, drafted, placeholder
from orchestrator.research.stages.paper_facts import descriptions, own_facts
from orchestrator.research.stages.reference_list import with_checked_references
from orchestrator.research.stages.refining import refined
from orchestrator.research.stages.sections import (
    section_named,
    told,
    wrong_sentences,
)
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.study_opening import study_opening

_TOKENS = 8192  # of one section
AUTHOR_NOTE = "automated study: no person wrote or checked this text"


def write_sections(study: Study, ports: Ports) -> Study:
    """The study with a complete paper. Raises :class:`BadReply` if a section stays unwritten."""
    study = choose_papers(study, ports.within("citations"))
    study = replace(_prepared(study, ports), sections=(), unresolved=(), typed=False)
    ledger = study_ledger(study, ports, study.skeleton)
    study = replace(study, said=opening(study, ledger, ports))
    for part in DRAFTS:
        study = _written(study, part, ledger, ports)
    study = cite_draft(study, ports.within("cite"))
    study, changed = refined(study, ports.within("read"))
    study = _with_true_sentences(study, changed, ledger, ports.within("read", "sentences"))
    study = answer_doubts(study, ledger, ports.within("doubts"))
    study = with_checked_references(study, ports.within("references"))
    return assembled(study, ports, ledger)


def _prepared(study: Study, ports: Ports) -> Study:
    """The study with its skeleton: the template's source with the author, packages and references."""
    if TEX not in study.tree.as_dict():
        raise BadTemplate(
            "the template has no paper to fill",
            where=TEX,
            todo="add it with a placeholder such as `RESULTS HERE` in each section",
        )
    tex = latex.prepared(paper_source(study, ports), study.author, AUTHOR_NOTE, study.figures)
    papers = references.keyed(tex, [one.paper for one in study.citations])
    tex = references.add_references(tex, papers)
    ports.within("citations").note(
        Citable(keys=tuple(one.key for one in references.references(tex)))
    )
    chosen = tuple(
        replace(one, paper=paper) for one, paper in zip(study.citations, papers, strict=True)
    )
    return replace(study, skeleton=tex, citations=chosen)


def opening(study: Study, ledger: Ledger, ports: Ports) -> tuple[Message, ...]:
    """How a paper's conversation begins: everything that is known, once, and the rules."""
    notes = study.tree.get("notes.txt")
    text = render(
        "writeup_begin",
        facts=own_facts(study, study.skeleton),
        notes=descriptions(ports.text(notes) if notes else ""),
    )
    facts = study_opening(study, ledger, ports, "writing")
    return facts, Message("user", text, cache=True)


def _written(study: Study, part: tuple[str, ...], ledger: Ledger, ports: Ports) -> Study:
    """The study with those sections of ``part`` that its template has. Raises :class:`BadReply`."""
    names = tuple(name for name in part if placeholder(section_named(name), study.skeleton))
    for name in part:
        if name not in names:
            ports.note(SectionAbsent(section=name))
    if not names:
        return study
    scoped = ports.within(part[0])
    study = drafted(study, names, f"writeup.{part[0]}", scoped)
    return _with_true_sentences(study, names, ledger, scoped.within("sentences"))


def _with_true_sentences(
    study: Study, names: tuple[str, ...], ledger: Ledger, ports: Ports
) -> Study:
    """The study after one correction of the sentences of these sections that its numbers do not carry."""
    texts = dict(study.sections)
    sections = [section_named(name) for name in names]
    wrong = named_sentences(
        [(one, row) for one in sections for row in wrong_sentences(one, texts, ledger)]
    )
    if not wrong:
        return study
    instruction = render("verify_fix", problems=text_block("sentences", told(wrong, texts)))
    changed, _ = correct_sentences(study, ports, "writeup.fix", instruction, wrong)
    return changed
