"""What services answer, field by field: OpenAlex and Semantic Scholar."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from orchestrator.core.literature import PaperRef
from orchestrator.literature.loopback.forms import (
    JsonObject,
    dois,
    drawn,
    found_words,
    kind,
    openalex_id,
    s2_id,
)

S2_FIELDS = (
    "paperId", "corpusId", "externalIds", "url", "title", "abstract", "venue", "publicationVenue", "year",
    "referenceCount", "citationCount", "influentialCitationCount", "isOpenAccess", "openAccessPdf",
    "fieldsOfStudy", "s2FieldsOfStudy", "publicationTypes", "publicationDate", "journal",
    "citationStyles", "authors", "tldr",
)  # fmt: skip
"""The fields of a paper at Semantic Scholar that can be asked for."""

_DAY = "2026-11-01T00:00:00.000000"
_ALIKE: JsonObject = {
    "type_crossref": None, "locations_count": 1, "referenced_works": [], "related_works": [],
    "is_paratext": False, "is_xpac": False, "primary_topic": None, "topics": [], "keywords": [],
    "fwci": None, "funders": [], "awards": [], "content_urls": None, "created_date": _DAY,
    "updated_date": _DAY,
    "biblio": {"volume": None, "issue": None, "first_page": None, "last_page": None},
}  # fmt: skip
"""What is the same for all works."""


def openalex_work(paper: PaperRef) -> JsonObject:
    """A work of OpenAlex, with every field that its searches have but ``relevance_score``."""
    number, doi = openalex_id(paper), next(iter(dois(paper)), "")
    link = {"openalex": f"https://openalex.org/{number}"}
    place = _location(paper)
    return _ALIKE | {
        "id": link["openalex"],
        "doi": f"https://doi.org/{doi}" if doi else None,
        "title": paper.title,
        "display_name": paper.title,
        "publication_year": paper.year,
        "publication_date": f"{paper.year}-01-01" if paper.year else None,
        "ids": link | ({"doi": f"https://doi.org/{doi}"} if doi else {}),
        "language": "en" if drawn(paper, "language", 50) else None,
        "primary_location": place,
        "best_oa_location": place if paper.arxiv else None,
        "locations": [place],
        "type": "preprint" if kind(paper) == "preprint" else "article",
        "indexed_in": ["crossref"] * bool(paper.doi) + ["arxiv"] * bool(paper.arxiv),
        "open_access": {
            "is_oa": bool(paper.arxiv),
            "oa_status": "green" if paper.arxiv else "closed",
            "oa_url": place["pdf_url"],
            "any_repository_has_fulltext": bool(paper.arxiv),
        },
        "authorships": _authorships(paper),
        "abstract_inverted_index": None
        if drawn(paper, "abstract", 8) == 0
        else _inverted(paper.abstract),
        "cited_by_count": paper.citations or 0,
        "is_retracted": paper.retracted,
        "has_content": {"pdf": bool(paper.arxiv), "grobid_xml": False},
    }


def _location(paper: PaperRef) -> JsonObject:
    preprint = kind(paper) == "preprint"
    source = {
        "id": f"https://openalex.org/S{drawn(paper, 'source', 10**9)}",
        "display_name": "arXiv (Cornell University)" if preprint else paper.venue,
        "issn_l": None,
        "issn": None,
        "type": "repository" if preprint else "journal",
        "host_organization": None,
        "host_organization_name": None,
        "is_oa": preprint,
        "is_core": False,
    }
    known = (paper.venue or paper.arxiv) and drawn(paper, "no source", 5)
    page = f"https://doi.org/{paper.doi}" if paper.doi else f"http://arxiv.org/abs/{paper.arxiv}"
    return {
        "is_oa": bool(paper.arxiv),
        "landing_page_url": page if dois(paper) else None,
        "pdf_url": f"https://arxiv.org/pdf/{paper.arxiv}" if paper.arxiv else None,
        "source": source if known else None,
        "license": None,
        "license_id": None,
        "version": "submittedVersion" if preprint else "publishedVersion",
        "is_accepted": not preprint,
        "is_published": not preprint,
        "raw_source_name": paper.venue or None,
        "raw_type": None,
    }


def _authorships(paper: PaperRef) -> list[JsonObject]:
    out: list[JsonObject] = []
    last = len(paper.authors) - 1
    for at, name in enumerate(paper.authors):
        number = f"https://openalex.org/A{5_000_000_000 + drawn(paper, name, 10**8)}"
        entry: JsonObject = {
            "author_position": "first" if at == 0 else "last" if at == last else "middle",
            "author": {"id": number, "display_name": name, "orcid": None},
            "institutions": [],
            "countries": [],
            "is_corresponding": at == 0,
            "raw_author_name": name,
            "raw_affiliation_strings": [],
            "affiliations": [],
        }
        if drawn(paper, f"no author {at}", 20) == 0:
            del entry["author"]
        out.append(entry)
    return out


def _inverted(text: str) -> dict[str, list[int]] | None:
    out: dict[str, list[int]] = {}
    for at, word in enumerate(text.split()):
        out.setdefault(word, []).append(at)
    return out or None


def s2_paper(paper: PaperRef, fields: Sequence[str]) -> JsonObject:
    """A paper of Semantic Scholar with its id and the asked fields."""
    whole = _s2_whole(paper)
    return {name: whole[name] for name in S2_FIELDS if name == "paperId" or name in fields}


def _s2_whole(paper: PaperRef) -> JsonObject:
    number, corpus = s2_id(paper), drawn(paper, "corpus", 10**9)
    doi = next(iter(dois(paper)), "").replace("/arxiv.", "/arXiv.")
    ids = {"DOI": doi, "ArXiv": paper.arxiv, "CorpusId": corpus}
    url = f"https://www.semanticscholar.org/paper/{number}"
    pdf = f"https://arxiv.org/pdf/{paper.arxiv}" if paper.arxiv else ""
    by = [{"authorId": str(drawn(paper, name, 10**8)), "name": name} for name in paper.authors]
    abstract = paper.abstract if drawn(paper, "s2 abstract", 5) else None
    venue = {"id": number[:36], "name": paper.venue, "type": "conference", "alternate_names": []}
    return {
        "paperId": number,
        "corpusId": corpus,
        "externalIds": {name: one for name, one in ids.items() if one},
        "url": url,
        "title": paper.title,
        "abstract": abstract or None,
        "venue": paper.venue if drawn(paper, "s2 venue", 30) else "",
        "publicationVenue": venue if paper.venue and drawn(paper, "s2 place", 5) else None,
        "year": paper.year,
        "referenceCount": 0,
        "citationCount": paper.citations or 0,
        "influentialCitationCount": 0,
        "isOpenAccess": bool(pdf),
        "openAccessPdf": {"url": pdf, "status": None, "license": None, "disclaimer": ""}
        if pdf
        else None,
        "fieldsOfStudy": ["Computer Science"] if drawn(paper, "s2 field", 5) > 1 else None,
        "s2FieldsOfStudy": [{"category": "Computer Science", "source": "s2-fos-model"}],
        "publicationTypes": ["JournalArticle"] if kind(paper) == "article" else None,
        "publicationDate": f"{paper.year}-01-01" if paper.year else None,
        "journal": {"name": paper.venue} if paper.venue else None,
        "citationStyles": {"bibtex": _bibtex(paper)},
        "authors": by,
        "tldr": {"model": "tldr@v2.0.0", "text": abstract.split(". ")[0]} if abstract else None,
    }


def _bibtex(paper: PaperRef) -> str:
    family = paper.authors[0].split()[-1] if paper.authors else ""
    return (
        f"@Article{{{family}{paper.year}{paper.title.split()[0]},\n author = {{"
        f"{' and '.join(paper.authors)}}},\n title = {{{paper.title}}},\n year = {{{paper.year}}}\n}}\n"
    )


def _flag(value: str) -> bool:
    return bool(json.loads(value)) if value in ("true", "false") else False


def _in_title(paper: PaperRef, value: str) -> bool:
    return found_words(value) <= found_words(paper.title)


def _in_text(paper: PaperRef, value: str) -> bool:
    return found_words(value) <= found_words(f"{paper.title} {paper.abstract}")


def _is_doi(paper: PaperRef, value: str) -> bool:
    wanted = {one.lower().removeprefix("https://doi.org/") for one in value.split("|")}
    return bool(wanted & set(dois(paper)))


FILTERS: dict[str, Callable[[PaperRef, str], bool]] = {
    "doi": _is_doi,
    "is_retracted": lambda paper, value: paper.retracted is _flag(value),
    "publication_year": lambda paper, value: str(paper.year) in value.split("|"),
    "title.search": _in_title,
    "default.search": _in_text,
    "title_and_abstract.search": _in_text,
}
"""The filters that the loopback knows; OpenAlex has many more."""
