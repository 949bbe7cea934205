"""Citations: the papers from the literature port become the references of the paper."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, Message
from orchestrator.record.notes import Citable
from orchestrator.record.ports import Ports
from orchestrator.research.paper import references
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.stages.blocks import idea_dict
from orchestrator.research.study import Study

_PER_SEARCH = 6  # papers
_MAX_PAPERS = 20  # added to the references of the template


class Queries(BaseModel, extra="forbid", frozen=True):
    """The searches that a model requests."""

    queries: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=5)] = ()


def gather_papers(study: Study, ports: Ports) -> tuple[PaperRef, ...]:
    """The papers of the novelty search and of further searches."""
    instruction = render("writeup_queries", idea=block("idea", idea_dict(study.idea)))
    ask = Ask(purpose="writeup.queries", messages=(Message("user", instruction),), temperature=0)
    asked = ask_for(ports, ask, Queries).queries
    searches = dict.fromkeys([study.idea.title, study.template.manifest.title, *asked])
    papers = {paper.key: paper for paper in study.novelty.papers}
    for query in filter(None, (text.strip() for text in searches)):
        for paper in ports.search(Query(query, _PER_SEARCH)):
            papers.setdefault(paper.key, paper)
    return tuple(papers.values())[:_MAX_PAPERS]


def cite_papers(tex: str, papers: tuple[PaperRef, ...], ports: Ports) -> str:
    """``tex`` with an entry for each paper; notes the keys that may be cited."""
    after = references.add_references(tex, papers)
    keys = tuple(reference.key for reference in references.references(after))
    ports.note(Citable(keys=keys))
    return after
