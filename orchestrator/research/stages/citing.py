"""Citations against the draft: the author searches for what it lacks and says where a paper belongs.

Where a paper belongs is told by the draft and the papers: the facts of the study do not go along, which would be
most of each request. Every citation keeps why it was chosen. What enters the reference list comes from a source that was
searched or from the template; the program writes it into the text, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from orchestrator.core.literature import (
    PaperRef,
)
from orchestrator.core.model import Ask, Message
from orchestrator.core.research import Citation, Searched
from orchestrator.literature.bibtex.entries import not_citable
from orchestrator.record.literature_notes import CitationsChosen
from orchestrator.record.ports import Ports
from orchestrator.research.paper import references
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.paper.placing import with_citation, with_sentence
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, as_said
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.choosing import PickForm, QueryText
from orchestrator.research.stages.one_search import found_paper, search_papers_once, search_row
from orchestrator.research.stages.paper_facts import citation_facts
from orchestrator.research.stages.sections import (
    LONG_STUDY,
    PRINT_ORDER,
    SECTIONS,
    section_problems,
)

_ROUNDS, _SHORT_ROUNDS = 20, 8  # with the draft, of a long study and of a short one
_SHOWN = 6  # papers of a search
_ABSTRACT = 400  # characters of an abstract
_NO_CITATIONS = frozenset({"abstract", "title"})


class PlacedForm(PickForm):
    """A paper, and the words after which it is cited."""

    section: Annotated[str, Field(max_length=40)]
    after: Annotated[str, Field(min_length=3, max_length=600)]
    sentence: Annotated[str, Field(max_length=600)] = ""


class RoundForm(ReplyForm):
    """What a model wants in one round: searches, and citations in the draft."""

    searches: Annotated[tuple[QueryText, ...], Field(max_length=8)] = ()
    cites: Annotated[tuple[PlacedForm, ...], Field(max_length=20)] = ()
    done: bool = False


def citing_rounds(runs: int) -> int:
    """The most rounds with the draft of a study with so many runs, the baseline included."""
    return _ROUNDS if runs >= LONG_STUDY else _SHORT_ROUNDS


def cite_draft(study: Study, ports: Ports) -> Study:
    """The study after rounds in which its author looks for missing references in the draft."""
    most = citing_rounds(len(study.runs))
    first = render(
        "cite_draft",
        rounds=str(most),
        citations=block("citations", citation_facts(study, study.skeleton)),
        sections=block("sections", _cited_sections(study)),
    )
    turns = [Message("user", first, cache=True)]
    papers = tuple(one.paper for one in study.citations)
    found_by: dict[str, str] = {}
    for number in range(1, most + 1):
        scoped = ports.within(f"round_{number}")
        ask = Ask(purpose="cite.draft", messages=tuple(turns), temperature=0)
        form = ask_for(scoped, ask, RoundForm)
        study, refused = _placed(study, form.cites, papers, found_by, scoped)
        if form.done or not (form.searches or form.cites) or number == most:
            break
        searches, papers, new = _searched(study, form.searches, papers, found_by, scoped)
        turns.append(Message("assistant", as_said(form)))
        turns.append(Message("user", _told(searches, refused, new, most - number), cache=True))
    return study


def _searched(
    study: Study,
    queries: Iterable[str],
    papers: tuple[PaperRef, ...],
    found_by: dict[str, str],
    ports: Ports,
) -> tuple[list[Searched], tuple[PaperRef, ...], list[PaperRef]]:
    """The searches, the papers that are known, and those of them to show: the first new ones of each search.
    What is not shown stays unknown, so that another search can bring it.
    """
    done, shown = list[Searched](), list[PaperRef]()
    for query in filter(None, (" ".join(text.split()) for text in queries)):
        before = {one.key for one in papers}
        search, papers, _ = search_papers_once(query, papers, ports)
        # A key of the reference list must not name another paper there.
        papers = references.keyed(study.skeleton, papers)
        new = [one for one in papers if one.key not in before and not not_citable(one)][:_SHOWN]
        papers = tuple(one for one in papers if one.key in before or one in new)
        found_by |= {one.key: query for one in new}
        shown += new
        done.append(search)
    return done, papers, shown


def _placed(
    study: Study,
    cites: Sequence[PlacedForm],
    papers: Sequence[PaperRef],
    found_by: dict[str, str],
    ports: Ports,
) -> tuple[Study, list[str]]:
    """The study with these citations in its text, and why others were not placed."""
    by_key, refused = {one.key: one for one in papers if not not_citable(one)}, list[str]()
    listed = {one.key for one in references.references(study.skeleton)}
    added: list[Citation] = []
    for cite in cites:
        name = cite.section.strip().lower()
        paper = by_key.get(cite.key)
        if paper is None and cite.key not in listed:
            refused.append(f"{cite.key[:80]} was not found by a search")
            continue
        try:
            study = _with_citation(study, name, cite, paper)
        except ValueError as error:
            refused.append(f"{cite.key[:80]} in {name[:40]}: {error}")
            continue
        if paper is not None:
            query = found_by.get(paper.key, "")
            added.append(Citation(paper=paper, why=cite.why, query=query, section=name))
    if added or refused:
        ports.note(CitationsChosen(citations=tuple(added), refused=tuple(refused)))
    return replace(study, citations=(*study.citations, *added)), refused


def _with_citation(study: Study, name: str, cite: PlacedForm, paper: PaperRef | None) -> Study:
    """The study with one citation more. Raises ValueError."""
    texts = dict(study.sections)
    if name not in texts or name in _NO_CITATIONS:
        raise ValueError("no section of that name takes citations")
    if cite.sentence.strip():
        changed = with_sentence(texts[name], cite.after, as_latex(cite.sentence), cite.key)
    else:
        changed = with_citation(texts[name], cite.after, cite.key)
    skeleton = references.add_references(study.skeleton, (paper,) if paper else ())
    section = next(one for one in SECTIONS if one.name == name)
    before = section_problems(study, section, texts[name], study.skeleton)
    broken = [
        one for one in section_problems(study, section, changed, skeleton) if one not in before
    ]
    if broken:
        raise ValueError(broken[0])
    sections = tuple((n, changed if n == name else text) for n, text in study.sections)
    return replace(study, sections=sections, skeleton=skeleton)


def _cited_sections(study: Study) -> dict[str, str]:
    """The sections that take citations, as they stand after their corrections, in the order of print."""
    rows = ((name, text) for name, text in study.sections if name not in _NO_CITATIONS)
    return dict(sorted(rows, key=lambda row: PRINT_ORDER.index(row[0])))


def _told(
    searches: Sequence[Searched], refused: Sequence[str], new: Sequence[PaperRef], left: int
) -> str:
    rows = {"searches": [search_row(one) for one in searches], "not_placed": list(refused)}
    more = f"{left} more rounds are possible." if left > 1 else "This is the last round."
    return render(
        "cite_found",
        round=block("round", rows),
        papers=block("papers", [found_paper(one, _ABSTRACT) for one in new]),
        left=more,
    )
