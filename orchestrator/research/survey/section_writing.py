"""The text of a survey, section by section in one conversation; each sentence is held to what it cites at once.

What breaks a rule goes back to its author with the reason. What is still wrong after two corrections is left out
and listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, prompt_text, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.survey.scoping import question_block
from orchestrator.research.survey.survey_claims import (
    is_about_survey,
    plain_words,
    prose_sentences,
    sentence_problems,
)
from orchestrator.research.survey.survey_values import (
    Group,
    LeftOutText,
    LiteratureSurvey,
    SurveySection,
)

ABSTRACT, INTRODUCTION, COMPARISON, CONCLUSION = (
    "abstract",
    "introduction",
    "comparison",
    "conclusion",
)
HEADINGS = {
    ABSTRACT: "Abstract",
    INTRODUCTION: "Introduction",
    COMPARISON: "Comparison and Open Problems",
    CONCLUSION: "Conclusion",
}
_MOST_SELF = {ABSTRACT: 3, INTRODUCTION: 6, COMPARISON: 8, CONCLUSION: 4, "group": 3}
_FIXES = 2  # requests for corrections of one section
_TOKENS = 8192  # of one section

_Paragraph = Annotated[str, Field(min_length=1, max_length=6000)]


class ProseForm(ReplyForm):
    """A section of a model's survey."""

    paragraphs: Annotated[tuple[_Paragraph, ...], Field(min_length=1, max_length=8)]


class FrontForm(ReplyForm):
    """The title and the abstract."""

    title: Annotated[str, Field(min_length=8, max_length=200)]
    paragraphs: Annotated[tuple[_Paragraph, ...], Field(min_length=1, max_length=2)]


class SentenceFix(ReplyForm):
    """What stands in place of a sentence; empty: nothing."""

    number: Annotated[int, WholeNumber(1, 999)]
    text: Annotated[str, Field(max_length=3000)] = ""


class FixesForm(ReplyForm):
    """A model's corrections."""

    fixes: Annotated[tuple[SentenceFix, ...], Field(max_length=200)] = ()


Paragraphs = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the text that is to be written: its name, heading, and the paper keys of its group."""

    name: str
    heading: str
    keys: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "group" if self.keys else self.name


def write_survey(survey: LiteratureSurvey, ports: Ports) -> LiteratureSurvey:
    """The survey with its text. Raises :class:`BadReply` if a part stays unwritten."""
    turns = [Message("user", _begin(survey), cache=True)]
    parts = [_group_part(n, group) for n, group in enumerate(survey.groups, start=1)]
    parts += [_Part(name, HEADINGS[name]) for name in (COMPARISON, INTRODUCTION, CONCLUSION)]
    sections: list[SurveySection] = []
    left_out: list[LeftOutText] = []
    for part in parts:
        task = _task(part)
        ask = _ask([*turns, Message("user", task, cache=True)])
        form = ask_for(ports.within("write", part.name), ask, ProseForm)
        text, wrong = _checked(survey, part, ask, form, ports.within("write", part.name, "fix"))
        sections.append(SurveySection(name=part.name, heading=part.heading, paragraphs=text))
        left_out += wrong
        turns += [Message("user", task), Message("assistant", _as_reply(text), cache=True)]
    title, front, wrong = _front(survey, turns, ports.within("write", ABSTRACT))
    return replace(
        survey,
        title=title,
        sections=(front, *sections),
        left_out=(*survey.left_out, *left_out, *wrong),
    )


def _front(
    survey: LiteratureSurvey, turns: Sequence[Message], ports: Ports
) -> tuple[str, SurveySection, list[LeftOutText]]:
    part = _Part(ABSTRACT, HEADINGS[ABSTRACT])
    section = block("section", {"name": ABSTRACT})
    task = render("survey_front", section=section, most=str(_MOST_SELF[ABSTRACT]))
    ask = _ask([*turns, Message("user", task)])
    form = ask_for(ports, ask, FrontForm)
    text, wrong = _checked(survey, part, ask, form, ports.within("fix"))
    front = SurveySection(name=ABSTRACT, heading=part.heading, paragraphs=text)
    return plain_words(form.title), front, wrong


def _group_part(number: int, group: Group) -> _Part:
    return _Part(f"group_{number}", group.name, group.keys)


def _ask(turns: Sequence[Message]) -> Ask:
    return Ask(purpose="survey.write", messages=tuple(turns), max_tokens=_TOKENS)


def _task(part: _Part) -> str:
    about: dict[str, Any] = {"name": part.name, "heading": part.heading}
    about |= {"papers": list(part.keys)} if part.keys else {}
    return render(
        "survey_section",
        section=block("section", about),
        about=prompt_text(f"survey_about_{part.kind}").strip(),
        most=str(_MOST_SELF[part.kind]),
    )


def _as_reply(paragraphs: Paragraphs) -> str:
    """A part as it stands after its corrections, as its author's own reply."""
    texts = tuple(" ".join(one) for one in paragraphs if one) or (
        "(nothing of it could be printed)",
    )
    return ProseForm(paragraphs=texts).model_dump_json()


def _begin(survey: LiteratureSurvey) -> str:
    rows = [
        {"name": one.name, "common": one.common, "differ": one.differ, "papers": list(one.keys)}
        for one in survey.groups
    ]
    return render(
        "survey_write",
        question=question_block(survey),
        survey=block("survey", survey_counts(survey)),
        groups=block("groups", rows),
        papers=block("papers", [one.row() for one in survey.abstracts.values()]),
        rows=block("rows", [_row(survey, key) for group in survey.groups for key in group.keys]),
    )


def _row(survey: LiteratureSurvey, key: str) -> dict[str, Any]:
    facts = next(one for one in survey.facts if one.key == key)
    cells = {"method": facts.method, "data": facts.data, "finding": facts.finding}
    said = {name: f"{one.text} [[{key}:{one.sentence}]]" for name, one in cells.items() if one.text}
    return {"key": key, **said}


def survey_counts(survey: LiteratureSurvey) -> dict[str, Any]:
    """The numbers that a sentence about the survey may name."""
    years = [one.year for one in survey.kept if one.year]
    return {
        "searches": len(survey.searches),
        "records_found": len(survey.judged),
        "papers": len(survey.kept),
        "papers_without_abstract": sum(not one.known for one in survey.abstracts.values()),
        "groups": len(survey.groups),
        "papers_of_each_group": {group.name: len(group.keys) for group in survey.groups},
        "sub_questions": len(survey.scope.questions),
        **({"years": [min(years), max(years)]} if years else {}),
    }


def counts_of(survey: LiteratureSurvey) -> frozenset[int]:
    """The numbers of :func:`survey_counts`."""
    said = survey_counts(survey)
    nested = [*said.pop("papers_of_each_group").values(), *said.pop("years", [])]
    return frozenset({*said.values(), *nested})


def _checked(
    survey: LiteratureSurvey, part: _Part, ask: Ask, form: ProseForm | FrontForm, ports: Ports
) -> tuple[Paragraphs, list[LeftOutText]]:
    """The paragraphs after their corrections, without what stayed wrong; and what that is."""
    paragraphs = tuple(prose_sentences(one) for one in form.paragraphs)
    turns = [*ask.messages, Message("assistant", form.model_dump_json())]
    for number in range(1, _FIXES + 1):
        wrong = wrong_sentences(paragraphs, survey, part.kind)
        if not wrong:
            break
        flat = [sentence for one in paragraphs for sentence in one]
        rows = [
            {"number": at + 1, "sentence": flat[at], "problems": why} for at, why in wrong.items()
        ]
        task = Message("user", render("survey_fix", wrong=block("wrong", rows)))
        again = replace(ask, purpose="survey.fix", messages=(*turns, task))
        fixes = ask_for(ports.within(f"round_{number}"), again, FixesForm)
        turns += [task, Message("assistant", fixes.model_dump_json())]
        said = {fix.number - 1: fix.text for fix in fixes.fixes if fix.number - 1 in wrong}
        paragraphs = _fixed(paragraphs, said)
        if not said:
            break
    wrong = wrong_sentences(paragraphs, survey, part.kind)
    flat = [sentence for one in paragraphs for sentence in one]
    left_out = [
        LeftOutText(section=part.heading, text=flat[at], why="; ".join(why))
        for at, why in wrong.items()
    ]
    kept = _fixed(paragraphs, dict.fromkeys(wrong, ""))
    return tuple(one for one in kept if one), left_out


def wrong_sentences(
    paragraphs: Paragraphs, survey: LiteratureSurvey, kind: str
) -> dict[int, list[str]]:
    """What is wrong with each sentence that breaks a rule, by its number from 0 in the whole part."""
    counts, wrong, own = counts_of(survey), dict[int, list[str]](), 0
    flat = (one for paragraph in paragraphs for one in paragraph)
    for number, sentence in enumerate(flat):
        problems = sentence_problems(sentence, survey.abstracts, counts)
        own += is_about_survey(sentence)
        if is_about_survey(sentence) and own > _MOST_SELF[kind]:
            problems.append(
                f"over {_MOST_SELF[kind]} sentences of this part are about the survey: leave it out"
            )
        if problems:
            wrong[number] = problems
    return wrong


def _fixed(paragraphs: Paragraphs, said: dict[int, str]) -> Paragraphs:
    """The paragraphs with other texts in place of the sentences of these numbers; empty: nothing."""
    number, out = 0, []
    for paragraph in paragraphs:
        sentences: list[str] = []
        for sentence in paragraph:
            sentences += prose_sentences(said[number]) if number in said else [sentence]
            number += 1
        out.append(tuple(sentences))
    return tuple(out)
