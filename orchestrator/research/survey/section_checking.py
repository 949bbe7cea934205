"""The sentences of a part of a survey, held to their rules and looked at again, until they keep them or are left out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.survey.second_look import Claimed, doubted
from orchestrator.research.survey.survey_claims import (
    evidence_of,
    is_about_survey,
    prose_sentences,
    sentence_problems,
    worded_references,
)
from orchestrator.research.survey.survey_values import LeftOutText, LiteratureSurvey

ABSTRACT, INTRODUCTION = "abstract", "introduction"
COMPARISON, CONCLUSION = "comparison", "conclusion"
HEADINGS = {
    ABSTRACT: "Abstract",
    INTRODUCTION: "Introduction",
    COMPARISON: "Comparison and Open Problems",
    CONCLUSION: "Conclusion",
}
MOST_SELF = {ABSTRACT: 3, INTRODUCTION: 6, COMPARISON: 8, CONCLUSION: 4, "group": 3}
"""Sentences about the survey itself, by the kind of a part."""
_FIXES = 2  # requests for corrections of one part

Paragraphs = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class SurveyPart:
    """A part of the text that is to be written: its name, heading, and the paper keys of its group."""

    name: str
    heading: str
    keys: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "group" if self.keys else self.name


class SentenceFix(ReplyForm):
    """What stands in place of a sentence; empty: nothing."""

    number: Annotated[int, WholeNumber(1, 999)]
    text: Annotated[str, Field(max_length=3000)] = ""


class FixesForm(ReplyForm):
    """A model's corrections."""

    fixes: Annotated[tuple[SentenceFix, ...], Field(max_length=200)] = ()


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


def checked_text(
    survey: LiteratureSurvey, part: SurveyPart, ask: Ask, written: Sequence[str], ports: Ports
) -> tuple[Paragraphs, list[LeftOutText]]:
    """The paragraphs after their corrections, without what stayed wrong; and what that is."""
    paragraphs = tuple(prose_sentences(one) for one in written)
    turns = [*ask.messages, Message("assistant", json.dumps({"paragraphs": written}))]
    doubts: dict[str, str] = {}
    wrong = _troubles(survey, part, paragraphs, doubts, ports.within("written"))
    for number in range(1, _FIXES + 1):
        if not wrong:
            break
        scoped = ports.within(f"round_{number}")
        flat = _flat(paragraphs)
        rows = [{"number": at + 1, "sentence": flat[at], "problems": wrong[at]} for at in wrong]
        task = Message("user", render("survey_fix", wrong=block("wrong", rows)))
        again = replace(ask, purpose="survey.fix", messages=(*turns, task))
        fixes = ask_for(scoped, again, FixesForm)
        turns += [task, Message("assistant", fixes.model_dump_json())]
        said = {fix.number - 1: fix.text for fix in fixes.fixes if fix.number - 1 in wrong}
        paragraphs = _fixed(paragraphs, said)
        wrong = _troubles(survey, part, paragraphs, doubts, scoped)
    flat = _flat(paragraphs)
    left_out = [
        LeftOutText(section=part.heading, text=flat[at], why="; ".join(why))
        for at, why in wrong.items()
    ]
    kept = _fixed(paragraphs, dict.fromkeys(wrong, ""))
    return tuple(one for one in kept if one), left_out


def _troubles(
    survey: LiteratureSurvey,
    part: SurveyPart,
    paragraphs: Paragraphs,
    doubts: dict[str, str],
    ports: Ports,
) -> dict[int, list[str]]:
    """What is wrong with each sentence, by its number: the rules that it breaks, else a doubt of a second look.
    Each sentence is looked at once; ``doubts`` keeps what came of it.
    """
    wrong = broken_sentences(paragraphs, survey, part.kind)
    flat = _flat(paragraphs)
    cited = [one for at, one in enumerate(flat) if at not in wrong and not is_about_survey(one)]
    claims = [
        Claimed(one, worded_references(one), evidence_of(one, survey.abstracts), survey.abstracts)
        for one in dict.fromkeys(cited)
        if one not in doubts
    ]
    doubts |= doubted(claims, ports)
    wrong |= {at: [doubts[one]] for at, one in enumerate(flat) if doubts.get(one)}
    return dict(sorted(wrong.items()))


def broken_sentences(
    paragraphs: Paragraphs, survey: LiteratureSurvey, kind: str
) -> dict[int, list[str]]:
    """What is wrong with each sentence that breaks a rule, by its number from 0 in the whole part."""
    counts, wrong, own = counts_of(survey), dict[int, list[str]](), 0
    for number, sentence in enumerate(_flat(paragraphs)):
        problems = sentence_problems(sentence, survey.abstracts, counts)
        own += is_about_survey(sentence)
        if is_about_survey(sentence) and own > MOST_SELF[kind]:
            problems.append(
                f"over {MOST_SELF[kind]} sentences of this part are about the survey: leave it out"
            )
        if problems:
            wrong[number] = problems
    return wrong


def _flat(paragraphs: Paragraphs) -> list[str]:
    return [sentence for paragraph in paragraphs for sentence in paragraph]


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
