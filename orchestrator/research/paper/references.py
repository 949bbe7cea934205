"""A paper's references: the ``.bib`` block in its source, and the keys that it cites.

The program writes each entry from escaped fields; other BibTeX text never enters a paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.literature import PaperRef, bare_title
from orchestrator.literature.bibtex.entries import entry
from orchestrator.literature.bibtex.tex_text import plain_text
from orchestrator.literature.library.free_keys import FreeKeys, renamed
from orchestrator.literature.paper_ids import ids_of
from orchestrator.research.paper.latex import bibliography_span, closing, uncommented

_ENTRY = re.compile(r"@(\w+)\s*\{\s*([^,\s}]+)\s*,")
# Possessive and from a word's start: a long word is tried once, and not from each of its letters.
_FIELD = re.compile(r"(?<!\w)(\w++)\s*+=\s*+([{\"]?)")
_CITE = re.compile(r"\\[Cc]ite[a-zA-Z]*\*?\s*+(?:\[[^\]]{0,1000}\]\s*+){0,3}\{([^}]{0,2000})\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of a ``.bib`` block: its key, its whole text and its plain fields."""

    key: str
    text: str
    fields: dict[str, str]

    def plain(self, name: str) -> str:
        """A field as plain text."""
        return plain_text(self.fields.get(name, ""))

    @property
    def id(self) -> str:
        """The DOI, the arXiv id, or the address that the entry states; empty without one."""
        doi, arxiv = ids_of(lambda name: self.fields.get(name, ""))
        if doi:
            return f"doi:{doi}"
        return f"arXiv:{arxiv}" if arxiv else self.fields.get("url", "")


def references(tex: str) -> tuple[Reference, ...]:
    """The entries of the paper's ``.bib`` block, in order."""
    span = bibliography_span(tex)
    if span is None:
        return ()
    block, entries, at = tex[slice(*span)], [], 0
    while match := _ENTRY.search(block, at):
        at = match.end()
        if match[1].lower() not in {"comment", "string", "preamble"}:
            at = closing(block, block.index("{", match.start())) + 1
            text = block[match.start() : at]
            entries.append(Reference(match[2], text, _fields(text[match.end() - match.start() :])))
    return tuple(entries)


def _fields(text: str) -> dict[str, str]:
    fields, at = {}, 0
    while match := _FIELD.search(text, at):
        if match[2] == "{":
            end = closing(text, match.end() - 1)
        else:
            stop = text.find('"' if match[2] else ",", match.end())
            end = stop if stop >= 0 else len(text)
        fields[match[1].lower()] = " ".join(re.sub(r"[{}]", "", text[match.end() : end]).split())
        at = end + 1
    return fields


def cited(tex: str) -> tuple[str, ...]:
    """Every key that ``tex`` cites, once, in order."""
    lists = _CITE.findall(uncommented(tex))
    return tuple(dict.fromkeys(k.strip() for keys in lists for k in keys.split(",") if k.strip()))


def keyed(tex: str, papers: Iterable[PaperRef]) -> tuple[PaperRef, ...]:
    """The papers under the keys of the reference list: the one that it has for a paper of this title, else a
    key that names no other paper.
    """
    listed = {bare_title(one.plain("title")): one.key for one in references(tex)}
    taken = {key.lower() for key in listed.values()}
    keys, done = FreeKeys(lambda key: key.lower() in taken), list[PaperRef]()
    for paper in papers:
        known = listed.get(bare_title(paper.title))
        done.append(renamed(paper, known or keys.free(paper.key)))
        taken.add(done[-1].key.lower())
    return tuple(done)


def add_references(tex: str, papers: Iterable[PaperRef]) -> str:
    """``tex`` with an entry for every paper that its ``.bib`` block lacks."""
    span = bibliography_span(tex)
    if span is None:
        return tex
    known = {reference.key.lower() for reference in references(tex)}
    titles = {bare_title(reference.plain("title")) for reference in references(tex)}
    more = []
    for paper in papers:
        text = entry(paper)
        if text and paper.key.lower() not in known and bare_title(paper.title) not in titles:
            more.append(text)
            known.add(paper.key.lower())
            titles.add(bare_title(paper.title))
    kept = tex[slice(*span)].rstrip()
    return tex[: span[0]] + "\n\n".join(filter(None, [kept, *more])) + "\n" + tex[span[1] :]


def pruned(tex: str) -> str:
    """``tex`` with only those references that it cites."""
    span = bibliography_span(tex)
    if span is None:
        return tex
    used = set(cited(tex[: span[0]] + tex[span[1] :]))
    kept = [reference.text for reference in references(tex) if reference.key in used]
    return tex[: span[0]] + "\n\n".join(kept).rstrip("\n") + "\n" + tex[span[1] :]


def unknown_citations(text: str, tex: str) -> tuple[str, ...]:
    """The keys that ``text`` cites and ``tex`` has no reference for."""
    known = {reference.key for reference in references(tex)}
    return tuple(key for key in cited(text) if key not in known)
