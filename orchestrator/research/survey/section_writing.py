"""The text of a survey, section by section in one conversation; each sentence is held to what it cites at once.

What breaks a rule goes back to its author with the reason. What is still wrong after two corrections is left out
and listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, prompt_text, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.survey.scoping import question_block
from orchestrator.research.survey.section_checking import (
    ABSTRACT,
    COMPARISON,
    CONCLUSION,
    HEADINGS,
    INTRODUCTION,
    MOST_SELF,
    Paragraphs,
    SurveyPart,
    checked_text,
    survey_counts,
)
from orchestrator.research.survey.survey_claims import unmarked
from orchestrator.research.survey.survey_values import (
    Group,
    LeftOutText,
    LiteratureSurvey,
    SurveySection,
)

_TOKENS = 8192  # of one section

_Paragraph = Annotated[str, Field(min_length=1, max_length=6000)]


class ProseForm(ReplyForm):
    """A section of a model's survey."""

    paragraphs: Annotated[tuple[_Paragraph, ...], Field(min_length=1, max_length=8)]


class FrontForm(ReplyForm):
    """The title and the abstract."""

    title: Annotated[str, Field(min_length=8, max_length=200)]
    paragraphs: Annotated[tuple[_Paragraph, ...], Field(min_length=1, max_length=2)]


def write_survey(survey: LiteratureSurvey, ports: Ports) -> LiteratureSurvey:
    """The survey with its text. Raises :class:`BadReply` if a part stays unwritten."""
    turns = [Message("user", _begin(survey), cache=True)]
    parts = [_group_part(n, group) for n, group in enumerate(survey.groups, start=1)]
    parts += [SurveyPart(name, HEADINGS[name]) for name in (COMPARISON, INTRODUCTION, CONCLUSION)]
    sections: list[SurveySection] = []
    left_out: list[LeftOutText] = []
    for part in parts:
        task = _task(part)
        ask = _ask([*turns, Message("user", task, cache=True)])
        form = ask_for(ports.within("write", part.name), ask, ProseForm)
        text, wrong = checked_text(
            survey, part, ask, form.paragraphs, ports.within("write", part.name, "fix")
        )
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
    part = SurveyPart(ABSTRACT, HEADINGS[ABSTRACT])
    section = block("section", {"name": ABSTRACT})
    task = render("survey_front", section=section, most=str(MOST_SELF[ABSTRACT]))
    ask = _ask([*turns, Message("user", task)])
    form = ask_for(ports, ask, FrontForm)
    text, wrong = checked_text(survey, part, ask, form.paragraphs, ports.within("fix"))
    front = SurveySection(name=ABSTRACT, heading=part.heading, paragraphs=text)
    return unmarked(form.title), front, wrong


def _group_part(number: int, group: Group) -> SurveyPart:
    return SurveyPart(f"group_{number}", group.name, group.keys)


def _ask(turns: Sequence[Message]) -> Ask:
    return Ask(purpose="survey.write", messages=tuple(turns), max_tokens=_TOKENS)


def _task(part: SurveyPart) -> str:
    about: dict[str, Any] = {"name": part.name, "heading": part.heading}
    about |= {"papers": list(part.keys)} if part.keys else {}
    return render(
        "survey_section",
        section=block("section", about),
        about=prompt_text(f"about_{part.kind}").strip(),
        most=str(MOST_SELF[part.kind]),
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
    )
