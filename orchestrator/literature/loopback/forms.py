"""What services answer, field by field: arXiv and Crossref, and the search that all four share.

Nothing here is random: what a service lacks of a paper (its abstract, its source) is chosen by the hash
of the paper, in about the shares that real answers have. Ids that a paper lacks come from the same hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from orchestrator.core.literature import PaperRef
from orchestrator.literature.words import words

JsonObject = dict[str, Any]

_MEETING = re.compile(r"\b(conference|advances in|workshop|symposium|meeting)\b", re.IGNORECASE)
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def drawn(paper: PaperRef, what: str, of: int) -> int:
    """A number below ``of`` that is always the same for this paper."""
    text = "\n".join((paper.title, *paper.authors, str(paper.year), what))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % of


def openalex_id(paper: PaperRef) -> str:
    return paper.openalex or f"W{4_000_000_000 + drawn(paper, 'openalex', 400_000_000)}"


def s2_id(paper: PaperRef) -> str:
    return paper.s2 or f"{drawn(paper, 's2', 1 << 60):040x}"


def dois(paper: PaperRef) -> tuple[str, ...]:
    """Every DOI of a paper, in lower case: the publisher's first, then arXiv's."""
    return tuple(
        doi for doi in (paper.doi, f"10.48550/arxiv.{paper.arxiv}" if paper.arxiv else "") if doi
    )


def found_words(text: str) -> set[str]:
    """The different words of a text that count in a search."""
    return set(words(text))


def ranked(papers: Sequence[PaperRef], wanted: set[str]) -> list[PaperRef]:
    """The papers with any of the words: those with more different ones first, then the more cited."""

    def rank(paper: PaperRef) -> tuple[int, int]:
        return len(wanted & found_words(f"{paper.title} {paper.abstract}")), paper.citations or 0

    ranks = [(rank(paper), paper) for paper in papers]
    return [paper for at, paper in sorted(ranks, key=lambda one: one[0], reverse=True) if at[0]]


def has_term(paper: PaperRef, term: str) -> bool:
    """Whether a paper fits a term of arXiv's: ``all:word``, ``ti:"two words"``, ``au:name``."""
    name, _, value = term.strip(" ()").rpartition(":")
    fields = {"ti": paper.title, "au": " ".join(paper.authors), "abs": paper.abstract}
    said_ = fields.get(name, " ".join((*fields.values(), paper.venue)))
    wanted = found_words(value)
    return (
        wanted <= found_words(said_) if '"' in value or name else bool(wanted & found_words(said_))
    )


def kind(paper: PaperRef) -> str:
    """``preprint``, ``inproceedings`` or ``article``, as the venue says."""
    if paper.venue.casefold() in ("", "arxiv"):
        return "preprint"
    return "inproceedings" if _MEETING.search(paper.venue) else "article"


def arxiv_feed(papers: Sequence[PaperRef], total: int, start: int, size: int) -> str:
    """An Atom feed of arXiv's API."""
    entries = "".join(_entry(paper) for paper in papers)
    counts = {"itemsPerPage": size, "totalResults": total, "startIndex": start}
    search = "".join(f"  <opensearch:{n}>{v}</opensearch:{n}>\n" for n, v in counts.items())
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"'
        ' xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">\n'
        "  <id>https://arxiv.org/api/loopback</id>\n  <title>arXiv Parameters</title>\n"
        f"  <updated>2026-11-01T00:00:00Z</updated>\n{search}{entries}</feed>\n"
    )


def arxiv_error(why: str) -> str:
    """The feed of one entry that arXiv sends with status 400."""
    wrong = (
        f"  <entry>\n    <id>https://arxiv.org/api/errors#{escape(why).replace(' ', '_')}</id>\n"
        f"    <title>Error</title>\n    <summary>{escape(why)}</summary>\n"
        "    <updated>2026-11-01T00:00:00Z</updated>\n    <author><name>arXiv api core</name></author>\n"
        "  </entry>\n"
    )
    return arxiv_feed((), 1, 0, 1).replace("</feed>", f"{wrong}</feed>")


def _xml(text: str) -> str:
    return escape(_NO_XML.sub("", text))


def _entry(paper: PaperRef) -> str:
    day = f"{paper.year or 2026}-01-01T00:00:00Z"
    page = f"arxiv.org/abs/{paper.arxiv}v1"
    pdf = page.replace("/abs/", "/pdf/")
    lines = [
        f"<id>http://{page}</id>",
        f"<title>{_xml(paper.title)}</title>",
        f"<updated>{day}</updated>",
        f'<link href="https://{page}" rel="alternate" type="text/html"/>',
        f'<link href="https://{pdf}" rel="related" type="application/pdf" title="pdf"/>',
        f"<summary>{_xml(paper.abstract)}</summary>",
        '<category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>',
        f"<published>{day}</published>",
        "<arxiv:comment>An answer of a loopback</arxiv:comment>",
        '<arxiv:primary_category term="cs.LG"/>',
    ]
    if kind(paper) != "preprint":
        lines.append(f"<arxiv:journal_ref>{_xml(paper.venue)}</arxiv:journal_ref>")
    lines += [f"<author>\n      <name>{_xml(name)}</name>\n    </author>" for name in paper.authors]
    if paper.doi:
        target = quoteattr(f"https://doi.org/{paper.doi}")
        lines.append(f"<arxiv:doi>{_xml(paper.doi)}</arxiv:doi>")
        lines.append(f'<link rel="related" href={target} title="doi"/>')
    return "  <entry>\n" + "".join(f"    {line}\n" for line in lines) + "  </entry>\n"


def crossref_work(paper: PaperRef) -> JsonObject:
    """A work of Crossref; a retracted one names its notice."""
    types = {"inproceedings": "proceedings-article", "preprint": "posted-content"}
    date = {"date-parts": [[paper.year]]}
    out: JsonObject = {
        "DOI": paper.doi,
        "URL": f"https://doi.org/{paper.doi}",
        "type": types.get(kind(paper), "journal-article"),
        "title": [paper.title],
        "subtitle": [],
        "container-title": [paper.venue] if paper.venue else [],
        "issued": date,
        "published": date,
        "publisher": "A Publisher",
        "prefix": paper.doi.partition("/")[0],
        "source": "Crossref",
        "ISSN": [],
        "reference-count": 0,
        "references-count": 0,
        "is-referenced-by-count": paper.citations or 0,
        "relation": {},
        "score": 1.0,
    }
    if paper.authors:
        out["author"] = [_author(name, at) for at, name in enumerate(paper.authors)]
    if paper.abstract and drawn(paper, "jats", 2):
        out["abstract"] = f"<jats:p>{escape(paper.abstract)}</jats:p>"
    if paper.retracted:
        notice = {"DOI": f"{paper.doi}.notice", "type": "retraction", "label": "Retraction"}
        out["updated-by"] = [notice | {"source": "retraction-watch"}]
    return out


def _author(name: str, at: int) -> JsonObject:
    given, _, family = name.rpartition(" ")
    rest: JsonObject = {"sequence": "first" if at == 0 else "additional", "affiliation": []}
    group = not given or name.endswith("Collaboration")
    return ({"name": name} if group else {"given": given, "family": family}) | rest
