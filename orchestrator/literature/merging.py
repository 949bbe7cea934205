"""The same paper from several sources as one record: by DOI, then by arXiv id, then by title and year."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from orchestrator.core.literature import PaperRef, bare_title
from orchestrator.literature.library.free_keys import FreeKeys, renamed

_FUSION = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
_FIRST = ("template", "library", "openalex", "semanticscholar", "crossref", "arxiv")
"""Whose fields count first: a source's own words, then those that know the published version."""


@dataclass(slots=True)
class _Group:
    """The records of one paper. ``ranks`` is the best place that each list gives it."""

    records: list[PaperRef]
    ranks: dict[int, int]
    doi: str
    arxiv: set[str]

    def take(self, other: _Group) -> None:
        self.records += other.records
        self.ranks |= {n: min(rank, self.ranks.get(n, rank)) for n, rank in other.ranks.items()}
        self.doi, self.arxiv = self.doi or other.doi, self.arxiv | other.arxiv

    @property
    def score(self) -> float:
        return sum(1 / (_FUSION + rank) for rank in self.ranks.values())


def merged(lists: Iterable[Sequence[PaperRef]]) -> tuple[PaperRef, ...]:
    """The papers of several ranked lists, each once, ranked by reciprocal rank fusion."""
    groups = [
        _Group([paper], {number: rank}, paper.doi, {paper.arxiv} - {""})
        for number, papers in enumerate(lists)
        for rank, paper in enumerate(papers, start=1)
    ]
    for alike in (_same_doi, _same_arxiv, _same_title):
        groups = _joined(groups, alike)
    # The sort is stable: equal scores stay as they came.
    return tuple(as_one(one.records) for one in sorted(groups, key=lambda one: -one.score))


def _joined(groups: list[_Group], alike: Callable[[_Group, _Group], bool]) -> list[_Group]:
    """The groups, of those that are alike one; again, since one that has grown may be like another."""
    kept: list[_Group] = []
    for group in groups:
        home = next((one for one in kept if alike(one, group)), None)
        if home is None:
            kept.append(group)
        else:
            home.take(group)
    return kept if len(kept) == len(groups) else _joined(kept, alike)


def _same_doi(one: _Group, other: _Group) -> bool:
    return bool(one.doi) and one.doi == other.doi


def _same_arxiv(one: _Group, other: _Group) -> bool:
    return not (one.doi and other.doi) and bool(one.arxiv & other.arxiv)


def _same_title(one: _Group, other: _Group) -> bool:
    if (one.doi and other.doi) or (one.arxiv and other.arxiv):
        return False
    return any(_titled_alike(a, b) for a in one.records for b in other.records)


def same_paper(one: PaperRef, other: PaperRef) -> bool:
    """Whether two records are of one paper. Different ids of one kind make different papers."""
    by_id = _by_id(one, other)
    return _titled_alike(one, other) if by_id is None else by_id


def _by_id(one: PaperRef, other: PaperRef) -> bool | None:
    """Whether the ids of two records say that they are of one paper; None if they say nothing."""
    for name in ("doi", "arxiv"):
        a, b = getattr(one, name), getattr(other, name)
        if a and b:
            return bool(a == b)
    return None


def _titled_alike(one: PaperRef, other: PaperRef) -> bool:
    title = bare_title(one.title)
    if not title or title != bare_title(other.title):
        return False
    return one.year is None or other.year is None or abs(one.year - other.year) <= 1


def as_one(records: Sequence[PaperRef]) -> PaperRef:
    """One record of all that several sources know of a paper."""
    if len(records) == 1:
        return records[0]
    ranked = sorted(records, key=_rank)
    first = next((one for one in ranked if one.bibtex), ranked[0])
    published = next((one for one in ranked if one.doi and one.year), None)
    counts = [one.citations for one in ranked if one.citations is not None]
    given = {
        name: getattr(first, name) or next(filter(None, (getattr(one, name) for one in ranked)), "")
        for name in ("doi", "arxiv", "openalex", "s2", "url", "pdf", "venue", "bibtex")
    }
    return replace(
        first,
        **given,
        authors=first.authors or max((one.authors for one in ranked), key=len),
        year=first.year if first.bibtex else (published or first).year or _year(ranked),
        abstract=max((one.abstract for one in ranked), key=len),
        citations=max(counts, default=None),
        retracted=any(one.retracted for one in ranked),
        source="+".join(dict.fromkeys(name for one in ranked for name in one.source.split("+"))),
    )


def _year(records: Sequence[PaperRef]) -> int | None:
    return next((one.year for one in records if one.year is not None), None)


def _rank(paper: PaperRef) -> int:
    first = paper.source.partition("+")[0].partition(" ")[0]
    return _FIRST.index(first) if first in _FIRST else len(_FIRST)


def gathered(known: Sequence[PaperRef], more: Iterable[PaperRef]) -> tuple[PaperRef, ...]:
    """``known`` and the papers of a further search. A key that stands keeps naming its paper; another
    paper of the same key gets a letter behind it.
    """
    papers = list(known)
    taken = {one.key.lower() for one in papers}
    keys = FreeKeys(lambda key: key.lower() in taken)
    for paper in more:
        alike = [n for n, one in enumerate(papers) if same_paper(one, paper)]
        by_id = [n for n in alike if _by_id(papers[n], paper)]
        at = next(iter(by_id or alike), None)
        if at is not None:
            papers[at] = renamed(as_one([papers[at], paper]), papers[at].key)
            continue
        papers.append(renamed(paper, keys.free(paper.key)))
        taken.add(papers[-1].key.lower())
    return tuple(papers)
