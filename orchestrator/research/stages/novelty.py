"""Novelty: is the idea published already? The model searches and decides; a person can overrule it.

A search that no service answered says nothing, so a decision needs one that was answered. Papers of the
template's own list are too few to call an idea new by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.core.errors import WrongFormat
from orchestrator.core.literature import LONGEST_QUERY, PaperRef
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.core.research import Idea, Novelty, Searched
from orchestrator.record.literature_notes import NoveltyJudged, NoveltyOverruled
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_and_use, in_form, parse_reply, repeat_request
from orchestrator.research.reply_form import ReplyForm, as_said
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import idea_dict, template_block
from orchestrator.research.stages.one_search import (
    PER_SEARCH,
    found_paper,
    search_papers_once,
    search_row,
)
from orchestrator.template.template import Template

ROUNDS = 10  # of searching before a decision
_TEMPLATE = "template"


class NoveltyAnswer(ReplyForm):
    """The form of a model's answer: a search or a decision."""

    decision: Literal["search", "novel", "not novel", "undecided"]
    query: Annotated[str, Field(max_length=LONGEST_QUERY)] = ""
    paper: Annotated[str, Field(max_length=100)] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""


def judge_novelty(study: Study, ports: Ports) -> Study:
    """The study with the decision on its idea."""
    if study.idea.novel is not None:
        novelty = _overruled(study.idea, ports)
        ports.note(NoveltyOverruled(novelty=novelty))
    elif not study.judged:
        novelty = Novelty(decision="undecided", reason="it was not judged: --skip-novelty")
        ports.note(NoveltyJudged(novelty=novelty))
    else:
        novelty = decide_novelty(study.idea, study.template, ports)
        ports.note(NoveltyJudged(novelty=novelty))
    return replace(study, novelty=novelty)


def _overruled(idea: Idea, ports: Ports) -> Novelty:
    """A person's decision, with the papers that the model had found before it."""
    before = ports.journal.notes(NoveltyJudged, below=ports.scope)
    known = before[-1].novelty if before else None
    said = f"; the model had said: {known.decision}. {known.reason}" if known else ""
    return Novelty(
        decision="novel" if idea.novel else "not novel",
        reason=f"a person decided so in ideas.json{said}",
        papers=known.papers if known else (),
        closest=known.closest if known else "",
        searches=known.searches if known else (),
    )


def decide_novelty(idea: Idea, template: Template | None, ports: Ports) -> Novelty:
    """Up to ten searches that the model asks for, and its decision. Without one it is undecided."""
    papers: tuple[PaperRef, ...] = ()
    searches: list[Searched] = []
    first = render(
        "novelty_decide",
        rounds=str(ROUNDS),
        papers=str(PER_SEARCH),
        template=template_block(template) if template else "Its setting is told in the idea alone.",
        idea=block("idea", idea_dict(idea)),
    )
    turns = [Message("user", first, cache=True)]
    for _ in range(ROUNDS + 1):
        ask = Ask(purpose="novelty.decide", messages=tuple(turns), temperature=0)
        answer = _asked(ports, ask, papers, searches)
        if answer.decision != "search":
            return _decided(answer, papers, searches)
        query = " ".join(answer.query.split()) or idea.title
        search, papers, new = search_papers_once(query, papers, ports)
        searches.append(search)
        turns.append(Message("assistant", as_said(answer)))
        turns.append(Message("user", _shown(searches[-1], new, ROUNDS - len(searches)), cache=True))
    raise AssertionError("the last answer is a decision")


def _asked(
    ports: Ports, ask: Ask, papers: Sequence[PaperRef], searches: Sequence[Searched]
) -> NoveltyAnswer:
    """A valid answer. Past the last search it is a decision, and it names a paper that was found."""
    keys = {one.key for one in papers}

    def use(reply: Reply, ask: Ask) -> NoveltyAnswer:  # noqa: ARG001 - the signature of all uses
        answer, trouble = parse_reply(reply.text, NoveltyAnswer), ""
        if answer.decision == "search" and len(searches) == ROUNDS:
            trouble = "the last search is made: decide"
        elif answer.decision in {"novel", "not novel"} and not searches:
            trouble = "search at least once before you decide"
        elif answer.decision == "not novel" and papers and answer.paper not in keys:
            trouble = (
                f"`paper` must be the key of a paper that was found, not {answer.paper[:60]!r}"
            )
        if trouble:
            raise WrongFormat(
                "the answer on the idea's novelty cannot be used",
                where="step novelty.decide",
                why=trouble,
                todo="`aisci resume` asks again; or set `novel` in ideas.json yourself",
            )
        return answer

    return ask_and_use(ports, in_form(ask, NoveltyAnswer), use, repeat_request)


def _decided(
    answer: NoveltyAnswer, papers: tuple[PaperRef, ...], searches: Sequence[Searched]
) -> Novelty:
    """The decision; one that no service can carry is none."""
    decision, reason = answer.decision, answer.reason
    assert decision != "search"
    if decision == "novel" and not _answered(searches):
        decision = "undecided"
        reason = f"{_where(searches)}, which says little. The model said: novel. {reason}"
    if decision == "not novel" and not papers:
        decision = "undecided"
        reason = f"no search found a paper. The model said: not novel. {reason}"
    keys = {one.key for one in papers}
    return Novelty(
        decision=decision,
        reason=reason,
        papers=papers,
        closest=answer.paper if answer.paper in keys else "",
        searches=tuple(searches),
    )


def _answered(searches: Sequence[Searched]) -> bool:
    """Whether more than the template's own list was searched."""
    return any(
        one.state == "answered" and one.engine != _TEMPLATE
        for search in searches
        for one in search.engines
    )


def _where(searches: Sequence[Searched]) -> str:
    left_out = {
        one.engine: one.why for s in searches for one in s.engines if one.state != "answered"
    }
    if not left_out:
        return "it was sought in the template's own list of papers alone"
    said = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    return f"no engine answered ({said}), and it was sought in the template's own list alone"


def _shown(search: Searched, new: Sequence[PaperRef], left: int) -> str:
    """What the model sees of a search."""
    more = f"You can search {left} more times." if left > 1 else "You can search once more."
    return render(
        "novelty_found",
        searched=block("search", search_row(search)),
        papers=block("papers", [found_paper(one) for one in new]),
        left=more if left else "That was the last search. Decide now.",
    )
