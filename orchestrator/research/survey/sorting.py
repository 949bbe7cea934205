"""Which papers a survey is about, each with a reason, and the groups that they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from orchestrator.core.asking import require_whole
from orchestrator.core.errors import IdeaFailed, WrongFormat
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_and_use, ask_for, in_form, parse_reply, repeat_request
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.stages.one_search import found_paper
from orchestrator.research.survey.abstracts import Abstract
from orchestrator.research.survey.scoping import question_block
from orchestrator.research.survey.survey_values import Group, JudgedPaper, LiteratureSurvey

FEWEST = 2  # papers of a survey
_BATCH = 40  # records in one request
_KEPT_FROM = 2  # of a relevance of 3
_MOST_GROUPS = 8
_UNJUDGED = "its author did not judge it"

KeyText = Annotated[str, Field(max_length=100)]


class RelevanceForm(ReplyForm):
    """How far a record answers the question."""

    key: KeyText
    relevance: Annotated[int, WholeNumber(0, 3)]
    why: Annotated[str, Field(min_length=3, max_length=600)]


class SelectionForm(ReplyForm):
    """A model's judgements of the records that it was shown."""

    papers: Annotated[tuple[RelevanceForm, ...], Field(max_length=2 * _BATCH)]


class GroupForm(ReplyForm):
    """One group of papers."""

    name: Annotated[str, Field(min_length=3, max_length=80)]
    common: Annotated[str, Field(min_length=3, max_length=800)]
    differ: Annotated[str, Field(max_length=800)] = ""
    papers: Annotated[tuple[KeyText, ...], Field(min_length=1)]


class GroupsForm(ReplyForm):
    """A model's groups."""

    groups: Annotated[tuple[GroupForm, ...], Field(min_length=1, max_length=_MOST_GROUPS)]


def select_papers(survey: LiteratureSurvey, ports: Ports) -> LiteratureSurvey:
    """The survey with a judgement of every record, and the most relevant ones kept.

    Raises :class:`IdeaFailed` where fewer than two papers answer the question.
    """
    open_ones = [one for one in survey.judged if not one.why]
    said: dict[str, RelevanceForm] = {}
    for number, first in enumerate(range(0, len(open_ones), _BATCH), start=1):
        rows = open_ones[first : first + _BATCH]
        text = render(
            "survey_select",
            question=question_block(survey),
            papers=block("papers", [found_paper(one.paper) for one in rows]),
        )
        ask = Ask(
            purpose="survey.select",
            messages=(Message("user", text),),
            temperature=0,
            max_tokens=8192,
        )
        form = ask_for(ports.within("select", f"batch_{number}"), ask, SelectionForm)
        said |= {one.key: one for one in form.papers}
    judged = [_judged(one, said.get(one.paper.key)) for one in survey.judged]
    ranked = sorted(
        (one for one in judged if one.relevance >= _KEPT_FROM), key=lambda o: -o.relevance
    )
    keys = {one.paper.key for one in ranked[: survey.task.papers]}
    if len(keys) < FEWEST:
        raise IdeaFailed(
            f"{len(keys)} of {len(judged)} papers that were found answer the question",
            where=f"the searches for {survey.task.question[:120]!r}",
            why="; ".join(f"{one.paper.title[:80]!r}: {one.why}" for one in judged[:4]),
            todo="ask in other words, or name more services with --engine all",
        )
    kept = tuple(replace(one, kept=one.paper.key in keys) for one in judged)
    abstracts = {one.paper.key: Abstract.of(one.paper) for one in kept if one.kept}
    return replace(survey, judged=kept, abstracts=abstracts)


def _judged(one: JudgedPaper, said: RelevanceForm | None) -> JudgedPaper:
    if one.why:
        return one
    if said is None:
        return replace(one, why=_UNJUDGED)
    return replace(one, relevance=said.relevance, why=said.why)


def group_papers(survey: LiteratureSurvey, ports: Ports) -> LiteratureSurvey:
    """The survey with its papers in groups, each paper in one. Raises :class:`BadReply`."""
    keys = list(survey.abstracts)

    def use(reply: Reply, ask: Ask) -> GroupsForm:
        form = parse_reply(require_whole(reply, ask).text, GroupsForm)
        if problems := group_problems(form, keys):
            raise WrongFormat(
                "the groups cannot be used",
                where="step survey.cluster",
                why="\n".join(problems),
                todo="run the command again, or choose another --model",
            )
        return form

    text = render(
        "survey_cluster",
        question=question_block(survey),
        papers=block("papers", [one.row() for one in survey.abstracts.values()]),
        most=str(_MOST_GROUPS),
    )
    ask = Ask(
        purpose="survey.cluster", messages=(Message("user", text),), temperature=0, max_tokens=8192
    )
    form = ask_and_use(ports.within("cluster"), in_form(ask, GroupsForm), use, repeat_request)
    groups = tuple(
        Group(name=" ".join(g.name.split()), common=g.common, differ=g.differ, keys=g.papers)
        for g in form.groups
    )
    return replace(survey, groups=groups)


def group_problems(form: GroupsForm, keys: Sequence[str]) -> list[str]:
    """Every rule that a model's groups break: each paper is in one group, each name is used once."""
    placed = [key for group in form.groups for key in group.papers]
    names = [" ".join(group.name.split()).casefold() for group in form.groups]
    problems = [
        f"no paper has the key {key[:60]!r}" for key in dict.fromkeys(placed) if key not in keys
    ]
    problems += [
        f"{key} is in {placed.count(key)} groups, not in one"
        for key in keys
        if placed.count(key) > 1
    ]
    problems += [f"{key} is in no group" for key in keys if key not in placed]
    problems += [
        f"two groups are named {name!r}"
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    return problems
