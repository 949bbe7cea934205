"""What names a paper: its DOI or its id at arXiv, in BibTeX, in a text, and for comparison."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from orchestrator.core.literature import PaperRef, bare_title
from orchestrator.literature.paper_door import arxiv_of, doi_of

_FIRST_PAGE = 20_000  # characters
_ID = r"(\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[a-z]{2})?/\d{7})(?:v\d{1,3})?(?![\d.]*\d)"
_ARXIV = re.compile(
    rf"\barxiv(?:\.org/(?:abs|pdf)/|\s{{0,3}}[:.]\s{{0,3}}|\s{{1,3}}){_ID}|\babs/{_ID}",
    re.IGNORECASE,
)
_STAMP = re.compile(rf"\barxiv\s{{0,3}}:\s{{0,3}}{_ID}\s{{1,3}}\[", re.IGNORECASE)
_OWN_DOI = re.compile(r"\bdoi(?:\.org/|\s{0,3}:\s{0,3}|\s{1,3})(?=10\.)", re.IGNORECASE)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}|\\^`]{1,200}")
_ARXIV_DOI = "10.48550/arxiv."


def identify(text: str) -> tuple[str, str]:
    """DOI and arXiv id of the paper whose first page is ``text``; empty where it names none.

    The page may name other papers too. So what is marked as the paper's own counts, else the only one.
    """
    page = text[:_FIRST_PAGE]
    marked = [_DOI.match(page, match.end()) for match in _OWN_DOI.finditer(page)]
    dois = [doi_of(match[0]) for match in marked if match]
    doi = dois[0] if dois else _only(doi_of(match[0]) for match in _DOI.finditer(page))
    stamp = _STAMP.search(page)
    arxiv = arxiv_of(stamp[1]) if stamp else _only(map(_matched, _ARXIV.finditer(page)))
    return apart(doi, arxiv)


def ids_of(field: Callable[[str], str]) -> tuple[str, str]:
    """DOI and arXiv id of an entry of BibTeX; ``field`` gives the text of a field, or nothing."""
    arxiv = ""
    if field("archiveprefix").strip().lower() in {"", "arxiv"}:
        arxiv = arxiv_of(field("eprint"))
    for name in ("note", "journal", "howpublished", "url", "volume"):
        said = None if arxiv else _ARXIV.search(field(name)[:2000])
        arxiv = _matched(said) if said else arxiv
    return apart(doi_of(field("doi").replace("\\", "")), arxiv)


def same_ids(paper: PaperRef) -> tuple[str, ...]:
    """Names of the paper, the surest first; two papers that share their first common one are one."""
    title = bare_title(paper.title) or paper.title
    names = (f"doi:{paper.doi}" * bool(paper.doi), f"arxiv:{paper.arxiv}" * bool(paper.arxiv))
    return (*filter(None, names), f"title:{title} {paper.year or ''}")


def are_same(one: PaperRef, other: PaperRef) -> bool:
    """Whether both are the same paper: by DOI, else by arXiv id, else by title and year."""
    if one.doi and other.doi:
        return one.doi == other.doi
    if one.arxiv and other.arxiv:
        return one.arxiv == other.arxiv
    return same_ids(one)[-1] == same_ids(other)[-1]


def apart(doi: str, arxiv: str) -> tuple[str, str]:
    """arXiv gives each paper a DOI too; it is kept as the id alone."""
    if doi.startswith(_ARXIV_DOI):
        return "", arxiv or arxiv_of(doi.removeprefix(_ARXIV_DOI))
    return doi, arxiv


def _matched(match: re.Match[str]) -> str:
    return arxiv_of(match[1] or match[2] or "")


def _only(found: Iterable[str]) -> str:
    distinct = set(filter(None, found))
    return distinct.pop() if len(distinct) == 1 else ""
