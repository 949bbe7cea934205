"""The papers of a reference list, chosen before the draft from what searches found, each with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.literature import LONGEST_QUERY, PaperRef
from orchestrator.core.model import Ask, Message
from orchestrator.core.research import Citation
from orchestrator.literature.bibtex.entries import not_citable
from orchestrator.record.literature_notes import CitationsChosen
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import as_table, block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, as_said
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import idea_dict, plan_rows, template_block
from orchestrator.research.stages.one_search import found_paper, search_papers_once, search_row

MOST_SHOWN = 60  # papers that one request shows
_MOST_PICKED = 30  # papers
_USUAL_PICKED = 10, 20


QueryText = Annotated[str, Field(max_length=LONGEST_QUERY)]


class Queries(ReplyForm):
    """The searches that a model requests."""

    queries: Annotated[tuple[QueryText, ...], Field(max_length=8)] = ()


class PickForm(ReplyForm):
    """A paper for the reference list, and why."""

    key: Annotated[str, Field(max_length=100)]
    why: Annotated[str, Field(max_length=600)] = ""


class PicksForm(ReplyForm):
    """The papers that a model chooses."""

    citations: Annotated[tuple[PickForm, ...], Field(max_length=_MOST_PICKED)] = ()


def choose_papers(study: Study, ports: Ports) -> Study:
    """The study with the papers that its author wants to cite, before a word is written."""
    instruction = render(
        "writeup_queries",
        template=template_block(study.template),
        idea=block("idea", idea_dict(study.idea, planned=True)),
        plan=block("plan", plan_rows(study)),
    )
    begun = Message("user", instruction, cache=True)
    ask = Ask(purpose="writeup.queries", messages=(begun,), temperature=0)
    asked = ask_for(ports, ask, Queries)
    said = begun, Message("assistant", as_said(asked))
    queries = dict.fromkeys([study.idea.title, study.template.manifest.title, *asked.queries])
    papers = tuple(study.novelty.papers)
    found_by: dict[str, str] = {}
    searches = list[dict[str, Any]]()
    for query in filter(None, (" ".join(text.split()) for text in queries)):
        search, papers, new = search_papers_once(query, papers, ports)
        searches.append(search_row(search))
        found_by |= {one.key: query for one in new}
    citable = [one for one in papers if not not_citable(one)]
    return _picked(study, said, citable, searches, found_by, ports)


def _picked(
    study: Study,
    said: tuple[Message, ...],
    papers: Sequence[PaperRef],
    searches: list[dict[str, Any]],
    found_by: dict[str, str],
    ports: Ports,
) -> Study:
    shown = papers[:MOST_SHOWN]
    picks: tuple[PickForm, ...] = ()
    if shown:
        instruction = render(
            "cite_pick",
            papers=block("papers", [found_paper(one) for one in shown]),
            searches=block("searches", as_table(searches)),
            most=_most_picked(len(shown)),
        )
        turns = (*said, Message("user", instruction))
        ask = Ask(purpose="cite.pick", messages=turns, temperature=0)
        picks = ask_for(ports, ask, PicksForm).citations
    by_key = {one.key: one for one in shown}
    chosen = tuple(
        Citation(paper=by_key[key], why=pick.why, query=found_by.get(key, ""))
        for key, pick in {pick.key: pick for pick in picks}.items()
        if key in by_key
    )
    refused = tuple(f"{one.key} was not found" for one in picks if one.key not in by_key)
    ports.note(CitationsChosen(citations=chosen, refused=refused))
    return replace(study, citations=chosen)


def _most_picked(found: int) -> str:
    """How many of so many papers may be chosen: of few, as many as there are."""
    few, usual = _USUAL_PICKED
    return str(found) if found <= few else f"{min(found, _MOST_PICKED)}, {few} to {usual} as a rule"
