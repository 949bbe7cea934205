"""Novelty: searches that the model requests, then its decision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, Message
from orchestrator.core.research import Idea, Novelty
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.stages.blocks import idea_dict

_ROUNDS = 5


class NoveltyAnswer(BaseModel, extra="forbid", frozen=True):
    """The form of a model's answer: a search or a decision."""

    decision: Literal["search", "novel", "not novel", "undecided"]
    query: Annotated[str, Field(max_length=300)] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""


def decide_novelty(idea: Idea, ports: Ports) -> Novelty:
    """Search at most five times; without a decision by then, the novelty is undecided."""
    papers: dict[str, PaperRef] = {}
    for number in range(1, _ROUNDS + 1):
        instruction = render(
            "novelty_decide",
            round=str(number),
            rounds=str(_ROUNDS),
            idea=block("idea", idea_dict(idea)),
            papers=block("papers", [paper_dict(paper) for paper in papers.values()]),
        )
        ask = Ask(purpose="novelty.decide", messages=(Message("user", instruction),), temperature=0)
        answer = ask_for(ports, ask, NoveltyAnswer)
        if answer.decision != "search":
            return Novelty(
                decision=answer.decision, reason=answer.reason, papers=tuple(papers.values())
            )
        papers_found = ports.search(Query(answer.query or idea.title))
        papers |= {paper.key: paper for paper in papers_found}
    reason = f"{_ROUNDS} rounds of searching ended without a decision"
    return Novelty(decision="undecided", reason=reason, papers=tuple(papers.values()))


def paper_dict(paper: PaperRef) -> dict[str, object]:
    return {
        "key": paper.key,
        "title": paper.title,
        "authors": list(paper.authors),
        "year": paper.year,
        "abstract": paper.abstract,
    }
