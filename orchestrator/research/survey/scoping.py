"""The beginning of a survey: its scope and sub-questions, then rounds of searches that its author asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.literature import PaperRef
from orchestrator.core.model import Ask, Message
from orchestrator.core.research import Searched
from orchestrator.literature.bibtex.entries import not_citable
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.stages.choosing import QueryText
from orchestrator.research.stages.one_search import search_papers_once, search_row
from orchestrator.research.survey.survey_values import (
    JudgedPaper,
    LiteratureSurvey,
    SurveyScope,
    SurveyTask,
)

SEARCH_ROUNDS = 3  # of searches, the first included
PER_ROUND = 8  # searches
_PER_SEARCH = 20  # papers
_MOST_JUDGED = 200  # records
_MOST_TITLES = 120  # that one request shows


class ScopeForm(ReplyForm):
    """A model's plan of a survey."""

    scope: Annotated[str, Field(min_length=40, max_length=2000)]
    questions: Annotated[
        tuple[Annotated[str, Field(min_length=8, max_length=300)], ...],
        Field(min_length=3, max_length=8),
    ]
    queries: Annotated[tuple[QueryText, ...], Field(min_length=1, max_length=PER_ROUND)]


class MoreForm(ReplyForm):
    """The searches that a model adds; none ends the rounds."""

    queries: Annotated[tuple[QueryText, ...], Field(max_length=PER_ROUND)] = ()
    done: bool = False


def plan_survey(task: SurveyTask, ports: Ports) -> LiteratureSurvey:
    """The survey's scope. Raises :class:`BadReply`."""
    text = render(
        "survey_plan", question=block("question", {"question": task.question}), most=str(PER_ROUND)
    )
    ask = Ask(purpose="survey.plan", messages=(Message("user", text),), temperature=0)
    form = ask_for(ports.within("plan"), ask, ScopeForm)
    scope = SurveyScope(text=form.scope, questions=form.questions, queries=form.queries)
    return LiteratureSurvey(task=task, scope=scope)


def find_papers(survey: LiteratureSurvey, ports: Ports) -> LiteratureSurvey:
    """The survey with every paper that its searches found; none is kept yet.

    Raises :class:`IdeaFailed` where no search found one that can be cited.
    """
    papers: tuple[PaperRef, ...] = ()
    searches: list[Searched] = []
    queries: tuple[str, ...] = (survey.task.question, *survey.scope.queries)
    for number in range(1, SEARCH_ROUNDS + 1):
        scoped = ports.within("searches", f"round_{number}")
        asked = {one.query.casefold() for one in searches}
        for query in _new(queries, asked):
            search, papers, _ = search_papers_once(query, papers, scoped, _PER_SEARCH)
            searches.append(search)
        if number == SEARCH_ROUNDS:
            break
        form = ask_for(scoped, _more(survey, searches, papers, SEARCH_ROUNDS - number), MoreForm)
        if form.done or not form.queries:
            break
        queries = form.queries
    judged = tuple(_unjudged(one, number) for number, one in enumerate(papers))
    if all(one.why for one in judged):
        raise IdeaFailed(
            "no search found a paper that can be cited",
            where=f"{len(searches)} searches for {survey.task.question[:120]!r}",
            why=_silent(searches),
            todo="name services with --engine all, or add papers: aisci literature add FILE; then ask again "
            "in other words",
        )
    return replace(survey, searches=tuple(searches), judged=judged)


def _new(queries: Iterable[str], asked: set[str]) -> list[str]:
    plain = (" ".join(text.split()) for text in queries)
    by_words = {text.casefold(): text for text in plain if text}
    return [text for words, text in by_words.items() if words not in asked]


def _unjudged(paper: PaperRef, number: int) -> JudgedPaper:
    """The record before anybody judged it; one that cannot be cited, or comes too late, has its reason."""
    late = f"{_MOST_JUDGED} records were found before it" if number >= _MOST_JUDGED else ""
    return JudgedPaper(paper=paper, kept=False, relevance=0, why=not_citable(paper) or late)


def _more(
    survey: LiteratureSurvey, searches: list[Searched], papers: tuple[PaperRef, ...], left: int
) -> Ask:
    rows = [{"title": one.title[:200], "year": one.year} for one in papers[-_MOST_TITLES:]]
    text = render(
        "survey_search",
        question=question_block(survey),
        searches=block("searches", [_search_row(one) for one in searches]),
        titles=block("titles", rows),
        most=str(PER_ROUND),
        left="This is the last round." if left == 1 else f"{left} rounds are left.",
    )
    return Ask(purpose="survey.search", messages=(Message("user", text),), temperature=0)


def _search_row(search: Searched) -> dict[str, Any]:
    """A search in few words: who did not answer is told only where somebody did not."""
    row = search_row(search)
    return {key: value for key, value in row.items() if key != "searched" and value != []}


def question_block(survey: LiteratureSurvey) -> str:
    """The question, the scope and the sub-questions, as data for a prompt."""
    scope = survey.scope
    about = {
        "question": survey.task.question, "scope": scope.text, "questions": list(scope.questions),
    }  # fmt: skip
    return block("question", about)


def _silent(searches: Iterable[Searched]) -> str:
    engines = [one for search in searches for one in search.engines]
    if not engines:
        return "nothing was searched: no service is named, and no list of papers is on this machine"
    why = {one.engine: one.why for one in engines if one.state != "answered"}
    told = "; ".join(f"{name}: {text}" for name, text in why.items())
    return f"what did not answer: {told}" if told else "the sources answered, and have none"
