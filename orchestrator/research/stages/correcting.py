"""Corrections of a paper: an author changes the sentences that are named, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.record.paper_notes import EditRefused
from orchestrator.record.ports import Ports
from orchestrator.research.claims.check import Checked
from orchestrator.research.paper import latex
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, as_said
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.sections import Section, section_named, section_problems

_TOKENS = 6144
_MOST = 60  # sentences that one request names

WrongSentence = tuple[str, Section, Checked]
"""A sentence that is wrong: its name in the request, its section, and what is wrong."""


class SentenceForm(ReplyForm):
    """A sentence's new text; empty to leave it out."""

    sentence: Annotated[str, Field(max_length=20)]
    text: Annotated[str, Field(max_length=4000)] = ""


class SentencesForm(ReplyForm):
    """The corrections of named sentences."""

    corrections: Annotated[tuple[SentenceForm, ...], Field(max_length=_MOST)] = ()


class PassageForm(ReplyForm):
    """A passage of a section, and its new text."""

    section: Annotated[str, Field(max_length=40)]
    old: Annotated[str, Field(min_length=1, max_length=6000)]
    new: Annotated[str, Field(max_length=6000)] = ""


class PassagesForm(ReplyForm):
    """The corrections of passages."""

    corrections: Annotated[tuple[PassageForm, ...], Field(max_length=_MOST)] = ()


def named_sentences(rows: Sequence[tuple[Section, Checked]]) -> tuple[WrongSentence, ...]:
    """Wrong sentences with a name each, for a request."""
    return tuple((f"S{n}", section, one) for n, (section, one) in enumerate(rows[:_MOST], 1))


def correct_sentences(
    study: Study, ports: Ports, purpose: str, instruction: str, wrong: Sequence[WrongSentence]
) -> tuple[Study, tuple[str, ...]]:
    """The study with the named sentences as their author corrects them, and why a section's corrections
    were not used.
    """
    form, said = _asked(study, ports, purpose, instruction, SentencesForm)
    new = {one.sentence.strip(): one.text for one in form.corrections}
    texts, refused = dict(study.sections), list[str]()
    for name in dict.fromkeys(section.name for _, section, _ in wrong):
        spans = [
            (one.sentence.start, one.sentence.end, as_latex(new[key]).strip())
            for key, section, one in wrong
            if section.name == name and key in new and one.sentence.end > one.sentence.start
        ]
        changed = texts[name]
        # A footnote stands in the sentence that it hangs on: the new sentence has it, or not.
        spans = [one for one in spans if not any(_is_within(one, other) for other in spans)]
        for start, end, text in sorted(spans, reverse=True):
            changed = changed[:start] + in_place_of(changed[start:end], text) + changed[end:]
        texts, refused = _kept(study, texts, name, changed, refused)
    return _corrected(study, ports, texts, said, refused)


def _is_within(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one[:2] != other[:2] and other[0] <= one[0] and one[1] <= other[1]


_BEGINNING = re.compile(r"\s*(?:\\[A-Za-z]+\*?(?:\[[^\]]*\])?\{)+")
_END = re.compile(r"\}(?:\s*\\(?:label|end)\{[^{}]*\}|[\s}])*")


def in_place_of(old: str, new: str) -> str:
    """``new`` with the braces that ``old`` opens or closes for the text around it: a caption's last sentence
    holds its end.
    """
    opened, closed = latex.unmatched_braces(old)
    more, less = latex.unmatched_braces(new)
    begins = _BEGINNING.fullmatch(old, 0, opened[-1] + 1) if opened and not more else None
    ends = _END.match(old, closed[0]) if closed and not less else None
    return f"{begins[0] if begins else ''}{new}{ends[0] if ends else ''}"


def correct_passages(
    study: Study, ports: Ports, purpose: str, instruction: str
) -> tuple[Study, tuple[str, ...]]:
    """The study with the passages that its author changes, and why some changes were not used."""
    form, said = _asked(study, ports, purpose, instruction, PassagesForm)
    texts, refused = with_passages(study, dict(study.sections), form.corrections)
    return _corrected(study, ports, texts, said, refused)


def with_passages(
    study: Study, texts: dict[str, str], corrections: Sequence[PassageForm]
) -> tuple[dict[str, str], list[str]]:
    """The sections with these passages changed, and why some changes were not used."""
    refused = list[str]()
    for one in corrections:
        name = one.section.strip().lower()
        if texts.get(name, "").count(one.old) != 1:
            times = texts.get(name, "").count(one.old)
            refused.append(f"the passage {one.old[:80]!r} stands {times} times in section {name!r}")
            continue
        changed = texts[name].replace(one.old, as_latex(one.new))
        texts, refused = _kept(study, texts, name, changed, refused)
    return texts, refused


def _asked(  # type: ignore[no-untyped-def]  # as ask_for: the form decides the type
    study: Study, ports: Ports, purpose: str, instruction: str, form
):
    turn = Message("user", instruction)
    ask = Ask(purpose=purpose, messages=(*study.said, turn), max_tokens=_TOKENS, temperature=0.2)
    reply = ask_for(ports, ask, form)
    answer = Message("assistant", as_said(reply))
    return reply, (*study.said, turn, answer)


def _kept(
    study: Study, texts: dict[str, str], name: str, changed: str, refused: list[str]
) -> tuple[dict[str, str], list[str]]:
    """``texts`` with a section's new text, unless it breaks rules that the old one kept."""
    if changed == texts[name]:
        return texts, refused
    section = section_named(name)
    before = section_problems(study, section, texts[name], study.skeleton)
    broken = [
        one
        for one in section_problems(study, section, changed, study.skeleton)
        if one not in before
    ]
    if len(changed.split()) < len(texts[name].split()) / 2:
        broken.append("more than half of the section was taken out")
    if broken:
        return texts, [
            *refused,
            *(f"the correction of {name} was not used: {one}" for one in broken),
        ]
    return {**texts, name: changed}, refused


def _corrected(
    study: Study, ports: Ports, texts: dict[str, str], said: tuple[Message, ...], refused: list[str]
) -> tuple[Study, tuple[str, ...]]:
    if refused:
        ports.note(EditRefused(why=tuple(refused)))
    return replace(study, sections=tuple(texts.items()), said=said), tuple(refused)
