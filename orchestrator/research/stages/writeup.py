"""Write-up: the paper section by section, in one conversation that begins with all that is known.

Each request repeats the conversation so far and adds one task, so that a vendor's cache serves nearly
all of it. An author names quantities, and the program prints them. A section that breaks a rule goes
back to its author with its draft; a sentence that its numbers do not carry is corrected by itself. When
every section stands, a long paper's are refined once, a reader of the whole corrects what does not fit
together, and one who did not write it doubts what the facts do not carry. No placeholder reaches a page: a
section that stays unusable leaves the stage for resume.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import BadTemplate, WrongFormat
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.record.literature_notes import Citable
from orchestrator.record.paper_notes import SectionAbsent
from orchestrator.record.ports import Ports
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.paper import latex, references
from orchestrator.research.paper.latex import TEX
from orchestrator.research.prompts import block, prompt_text, render, text_block
from orchestrator.research.replies import ask_and_use
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled, paper_source
from orchestrator.research.stages.blocks import (
    code_block,
    differences_block,
)
from orchestrator.research.stages.choosing import choose_papers
from orchestrator.research.stages.citing import cite_draft
from orchestrator.research.stages.correcting import (
    correct_passages,
    correct_sentences,
    named_sentences,
)
from orchestrator.research.stages.doubting import answer_doubts
from orchestrator.research.stages.look import figure_pictures
from orchestrator.research.stages.paper_facts import descriptions, paper_facts
from orchestrator.research.stages.reference_list import with_checked_references
from orchestrator.research.stages.refining import refined, told_again
from orchestrator.research.stages.sections import (
    LONG_STUDY,
    SECTIONS,
    Section,
    section_named,
    section_problems,
    section_text,
    told,
    wrong_sentences,
)
from orchestrator.research.stages.study_ledger import study_ledger

_TOKENS = 8192  # of one section
AUTHOR_NOTE = "automated study: no person wrote or checked this text"


def write_sections(study: Study, ports: Ports) -> Study:
    """The study with a complete paper. Raises :class:`BadReply` if a section stays unwritten."""
    study = choose_papers(study, ports.within("citations"))
    study = replace(_prepared(study, ports), sections=(), unresolved=(), typed=False)
    ledger = study_ledger(study, ports, study.skeleton)
    facts = opening(study, ledger, ports)
    study = replace(study, said=(facts,))
    for section in SECTIONS:
        if _placeholder(section, study.skeleton):
            study = _written(study, section, ledger, ports.within(section.name))
        else:
            ports.note(SectionAbsent(section=section.name))
    study = cite_draft(study, ports.within("cite"))
    if len(study.runs) >= LONG_STUDY:
        scoped = ports.within("refine")
        study, changed = refined(study, scoped)
        for name in changed:
            study = _with_true_sentences(study, section_named(name), ledger, scoped.within(name))
    study = _read_whole(study, ports.within("read"))
    study = answer_doubts(study, facts, ledger, ports.within("doubts"))
    study = with_checked_references(study, ports.within("references"))
    return assembled(study, ports, ledger)


def _placeholder(section: Section, skeleton: str) -> str:
    source = latex.uncommented(skeleton)
    return next((name for name in section.placeholders if name in source), "")


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


def opening(study: Study, ledger: Ledger, ports: Ports) -> Message:
    """The first message of a paper's conversation: everything that is known, once, and the rules."""
    notes = study.tree.get("notes.txt")
    # A section about the code is about the baseline's; what each run changed is among the facts.
    baseline = replace(study, tree=study.tree.updated(study.runs[0].code))
    text = render(
        "writeup_begin",
        facts=paper_facts(study, study.skeleton, ledger, ports.blobs),
        code=code_block(baseline, ports),
        differences=differences_block(study, ports),
        notes=block("descriptions", descriptions(ports.text(notes) if notes else "")),
    )
    pictures = figure_pictures(study, ports, "writing")
    return Message("user", text, cache=True, pictures=pictures)


def _written(study: Study, section: Section, ledger: Ledger, ports: Ports) -> Study:
    """The study with one section more. Raises :class:`BadReply`."""
    task = section_task(study, section)
    written, said = _asked(study, section, f"writeup.{section.name}", task, ports)
    study = replace(study, said=said, sections=(*study.sections, (section.name, written)))
    return _with_true_sentences(study, section, ledger, ports.within("sentences"))


def section_task(study: Study, section: Section) -> str:
    """What the author of a section is asked."""
    first, last = section.length(len(study.runs))
    return render(
        "writeup_section",
        section=section.name,
        words=f"{first} to {last} words",
        task=block(
            "task", {"section": section.name, "placeholder": _placeholder(section, study.skeleton)}
        ),
        guide=prompt_text(f"writeup_{section.name}").strip(),
    )


def _asked(
    study: Study, section: Section, purpose: str, task: str, ports: Ports
) -> tuple[str, tuple[Message, ...]]:
    """A section's text, and the conversation with it."""
    turn = with_task(study.said, task)

    def use(reply: Reply, ask: Ask) -> str:
        written = section_text(require_whole(reply, ask).text, section)
        if problems := section_problems(study, section, written, study.skeleton):
            raise WrongFormat(
                f"the section {section.name!r} breaks rules of the paper",
                where=f"{TEX}, {section.name}",
                why="\n".join(problems[:12]),
                todo="`aisci resume` asks again; the report shows what each attempt wrote",
            )
        return written

    ask = Ask(purpose=purpose, messages=tuple(turn), max_tokens=_TOKENS)
    written = ask_and_use(ports, ask, use, told_again)
    return written, (*turn, Message("assistant", written))


def with_task(said: tuple[Message, ...], task: str) -> list[Message]:
    """The conversation with one task more."""
    *earlier, last = said
    if last.role == "user":  # vendors want turns: the facts and the first task are one message
        return [*earlier, replace(last, content=f"{last.content}\n{task}")]
    return [*said, Message("user", task, cache=True)]


def _with_true_sentences(study: Study, section: Section, ledger: Ledger, ports: Ports) -> Study:
    """The study after one correction of the sentences of a section that its numbers do not carry."""
    rows = wrong_sentences(section, dict(study.sections)[section.name], ledger)
    wrong = named_sentences([(section, one) for one in rows])
    if not wrong:
        return study
    instruction = render(
        "verify_fix", problems=text_block("sentences", told(wrong, dict(study.sections)))
    )
    changed, _ = correct_sentences(study, ports, "writeup.fix", instruction, wrong)
    return changed


def _read_whole(study: Study, ports: Ports) -> Study:
    """The study after a reader of the whole paper, with its figures, has corrected it."""
    instruction = render(
        "writeup_read", figures=block("figures", [one.name for one in study.pictures])
    )
    changed, _ = correct_passages(study, ports, "writeup.read", instruction)
    return changed
