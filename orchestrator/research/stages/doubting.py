"""A reader who did not write the paper doubts what the facts do not carry, and its author answers.

What a sentence says without a number ("the weights are trained by …", "both tasks", "half of the pairs") no
rule of the program reads. The reader has the facts and the code as the author had them, in a conversation of its own.
A doubt is a model's word and not the record's: the author may keep the sentence, and the report shows both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.model import REVIEWING, Ask, Message
from orchestrator.record.paper_notes import SentenceDoubted, SentencesDoubted
from orchestrator.record.ports import Ports
from orchestrator.research.claims.check import Checked, check_section
from orchestrator.research.claims.glosses import glossed
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.prompts import block, render, text_block
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.correcting import correct_sentences, named_sentences
from orchestrator.research.stages.sections import section_named, told
from orchestrator.research.stages.study_opening import study_opening

_BATCH = 250  # sentences of one request, which a paper of a conference's length does not reach
_TOKENS = 8192
_KEPT = 400  # characters of a sentence in the record


class DoubtRow(ReplyForm):
    """A sentence that is doubted, and what the facts say instead."""

    number: Annotated[int, WholeNumber(1, 3000)]
    why: Annotated[str, Field(min_length=3, max_length=800)]


class DoubtRows(ReplyForm):
    """A reader's doubts; none if every sentence is carried."""

    doubts: Annotated[tuple[DoubtRow, ...], Field(max_length=2 * _BATCH)]


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence as a reader sees it: its section, and its text with its numbers printed."""

    section: str
    text: str
    checked: Checked


def read_sentences(sections: Mapping[str, str], ledger: Ledger) -> tuple[ReadSentence, ...]:
    """Every sentence of the sections but the title, in their order."""
    found = list[ReadSentence]()
    for name, tex in sections.items():
        rows = check_section(tex, ledger, section_named(name).part)
        found += seen_sentences(tex, rows, ledger, name) if name != "title" else ()
    return tuple(found)


def seen_sentences(
    tex: str, rows: Iterable[Checked], ledger: Ledger, section: str = ""
) -> Iterator[ReadSentence]:
    """The sentences of a source as a reader sees them; of no ``section``, each under its own heading."""
    for one in rows:
        place = one.sentence
        if piece := tex[place.start : place.end].strip():
            yield ReadSentence(section or place.part, glossed(piece, ledger), one)


def doubts_request(
    facts: Message, rows: Sequence[tuple[int, str, str]], purpose: str = "doubt.read"
) -> Ask:
    """The request about ``rows`` of number, section and text, after the facts of the study."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for number, section, text in rows:
        sections.setdefault(section, []).append({"number": number, "text": text})
    task = render("doubt_read", sentences=block("sentences", sections))
    turns = facts, Message("user", task)
    return Ask(purpose=purpose, messages=turns, max_tokens=_TOKENS, temperature=0)


def doubts_of(facts: Message, sentences: Sequence[ReadSentence], ports: Ports) -> dict[int, str]:
    """Why a reader doubts a sentence, by its place among ``sentences``."""
    found = {}
    for first in range(0, len(sentences), _BATCH):
        batch = sentences[first : first + _BATCH]
        rows = [(n, one.section, one.text) for n, one in enumerate(batch, first + 1)]
        scoped = ports.within(f"from_{first + 1}")
        for doubt in ask_for(scoped, doubts_request(facts, rows), DoubtRows).doubts:
            if first < doubt.number <= first + len(batch):
                found[doubt.number - 1] = doubt.why
    return dict(sorted(found.items()))


def answer_doubts(study: Study, ledger: Ledger, ports: Ports, only: Sequence[str] = ()) -> Study:
    """The study after its author answered a reader's doubts; the record holds each, and what came of it.
    ``only``: these sections are read, and not all.
    """
    texts = {name: text for name, text in study.sections if not only or name in only}
    sentences = read_sentences(texts, ledger)
    doubts = doubts_of(study_opening(study, ledger, ports, REVIEWING), sentences, ports)
    rows = [
        (section_named(sentences[at].section), replace(sentences[at].checked, problems=(why,)))
        for at, why in doubts.items()
    ]
    wrong = named_sentences(rows)
    if not wrong:
        return study
    instruction = render("doubt_answer", doubts=text_block("doubts", told(wrong, texts)))
    changed, _ = correct_sentences(study, ports, "writeup.doubted", instruction, wrong)
    after = dict(changed.sections)
    kept = [
        SentenceDoubted(
            section=one.section,
            sentence=one.text[:_KEPT],
            why=doubts[at],
            kept=_piece(one.checked, study, one.section) in after[one.section],
        )
        for at, one in enumerate(sentences)
        if at in doubts
    ]
    ports.note(SentencesDoubted(doubts=tuple(kept)))
    return changed


def _piece(one: Checked, study: Study, section: str) -> str:
    """A sentence as its author wrote it."""
    return dict(study.sections)[section][one.sentence.start : one.sentence.end].strip()
