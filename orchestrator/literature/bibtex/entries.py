"""A paper as an entry of a reference list, from its record, whatever source it came from."""

from __future__ import annotations

import re

from orchestrator.core.literature import PaperRef
from orchestrator.literature.bibtex.ascii_tex import ascii_tex, tex_of
from orchestrator.literature.bibtex.strict import KEY

_MOST_NAMES = 15  # of a paper; with more of them, the first ten and `others`
_SHOWN_NAMES = 10
_MEETING = re.compile(
    r"\b(?:conference|proceedings|workshop|symposium|meeting|advances in neural information"
    r"|international joint|neurips|nips|icml|iclr|aaai|ijcai|cvpr|iccv|eccv|acl|emnlp|naacl"
    r"|aistats|uai|colt|kdd|sigir|interspeech)\b",
    re.IGNORECASE,
)
_PREPRINT = re.compile(r"\b(?:arxiv|corr|preprint|biorxiv|medrxiv|openreview)\b", re.IGNORECASE)


def entry(paper: PaperRef) -> str:
    """The BibTeX entry of a paper, in ASCII; empty if :func:`not_citable` gives a reason.

    The entry of a library is kept, since its fields were checked when it was read.
    """
    if not_citable(paper):
        return ""
    if paper.bibtex:
        return (ascii_tex(paper.bibtex) or "").strip()
    title, venue = tex_of(paper.title), tex_of(paper.venue) or ""
    kind, place = _place(venue)
    fields = {
        "title": f"{{{title}}}",
        "author": _authors(paper.authors),
        **({place: venue} if place else {}),
        "year": str(paper.year),
        "doi": _plain(paper.doi),
        "eprint": paper.arxiv,
        "archiveprefix": "arXiv" if paper.arxiv else "",
        "note": f"arXiv:{paper.arxiv}" if paper.arxiv and not paper.doi else "",
        "url": "" if paper.doi or paper.arxiv else _plain(paper.url),
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@{kind}{{{paper.key},\n{lines}\n}}"


def not_citable(paper: PaperRef) -> str:
    """Why a paper cannot stand in a reference list; empty where it can."""
    printed = ascii_tex(paper.bibtex) if paper.bibtex else tex_of(paper.title)
    named = paper.bibtex or _authors(paper.authors) or not paper.authors
    reasons = (
        (paper.retracted, "it is retracted"),
        (not KEY.fullmatch(paper.key), "its key is not plain ASCII"),
        (not paper.bibtex and not paper.authors, "no source names its authors"),
        (not paper.bibtex and paper.year is None, "no source knows its year"),
        (not printed or not named, "it has letters that the paper's fonts lack"),
    )
    return next((why for holds, why in reasons if holds), "")


def _place(venue: str) -> tuple[str, str]:
    """The kind of an entry, and the field that its venue stands in."""
    if not venue or _PREPRINT.search(venue):
        return "misc", ""
    return ("inproceedings", "booktitle") if _MEETING.search(venue) else ("article", "journal")


def _authors(names: tuple[str, ...]) -> str:
    shown = names if len(names) <= _MOST_NAMES else names[:_SHOWN_NAMES]
    printed = [tex_of(name) for name in shown]
    if any(not name for name in printed):
        return ""
    texts = [_name(name) for name in printed if name]
    return " and ".join([*texts, *(["others"] if len(shown) < len(names) else [])])


def _name(name: str) -> str:
    """A name that BibTeX must not take apart stands in braces."""
    odd = re.search(r"(?i)\band\b|,.*,|^,|,$|^others$", name) is not None
    return f"{{{name}}}" if odd else name


def _plain(address: str) -> str:
    """A DOI or an address with those characters alone that TeX's command for addresses takes."""
    odd = r"[{}\\^~$\s]|%(?![0-9A-Fa-f]{2})"
    quoted = re.sub(odd, lambda found: f"%{ord(found[0]):02X}", address)
    return re.sub(r"[%#]", r"\\\g<0>", quoted)
