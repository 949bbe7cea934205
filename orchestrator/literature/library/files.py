"""Files of papers that a person adds to a library of their own: BibTeX, JSON, or a paper on each line."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path

from orchestrator.core.errors import BadFile
from orchestrator.core.files import plain_lines, utf8_text
from orchestrator.core.literature import LONGEST_ABSTRACT, LONGEST_TITLE, MOST_AUTHORS, PaperRef
from orchestrator.core.places import Place
from orchestrator.literature.bibtex import loose
from orchestrator.literature.bibtex.strict import BibEntry
from orchestrator.literature.bibtex.tex_text import plain_text
from orchestrator.literature.clean import harmless_line
from orchestrator.literature.library import json_papers
from orchestrator.literature.library.free_keys import FreeKeys, renamed
from orchestrator.literature.library.json_papers import LONGEST_AUTHOR
from orchestrator.literature.paper_door import address
from orchestrator.literature.paper_ids import are_same, identify, ids_of

__all__ = ("LARGEST_FILE", "SUFFIXES", "identify", "read_papers")

LARGEST_FILE = 64 * 2**20
_COMPARED = 20  # papers of one key
SUFFIXES = (".bib", ".jsonl", ".json")


def read_papers(path: Path) -> tuple[PaperRef, ...]:
    """The papers in a file. Raises :class:`BadFile` with every error of the file."""
    file, suffix = str(path), path.suffix.lower()
    text = _text(path)
    papers: Iterable[PaperRef]
    if suffix == ".bib":
        entries, wrong = loose.read_entries(text, file)
        papers, problems = map(_from_entry, entries), list(wrong)
    else:
        papers, problems = json_papers.read_rows(text, file, lines=suffix == ".jsonl")
    if problems:
        raise BadFile.listing(file, problems)
    found = _each_once(papers)
    if not found:
        raise _refused(path, "the file holds no paper", todo="export the papers again")
    if len(found) > loose.MOST_READ:
        what = f"the file holds more than {loose.MOST_READ} papers"
        raise _refused(path, what, todo="split it into several files")
    return found


def _text(path: Path) -> str:
    """The file's text. What it is called and what it is are checked before it is opened."""
    if path.suffix.lower() not in SUFFIXES:
        what = f"papers are read from files that end in {', '.join(SUFFIXES)}"
        todo = "export the papers as BibTeX, to a file that ends in .bib"
        raise _refused(path, what, todo=todo)
    try:
        if not path.is_file():
            what = "this is not a file" if path.exists() else "there is no such file"
            raise _refused(path, what, todo="name a file of papers")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error)
        raise _refused(path, "the file cannot be read", why=why, todo="check the path") from error
    if len(data) > LARGEST_FILE:
        what = f"a file of papers is larger than {LARGEST_FILE // 2**20} MiB"
        raise _refused(path, what, todo="split it into several files")
    text = plain_lines(utf8_text(data, "a file of papers", str(path), BadFile))
    if not text.strip():
        raise _refused(path, "the file is empty", todo="export the papers again")
    return text


def _refused(path: Path, what: str, *, why: str = "", todo: str) -> BadFile:
    return BadFile.at(Place(str(path)), what, rule="papers", why=why, todo=todo)


def _from_entry(entry: BibEntry) -> PaperRef:
    """A paper of BibTeX. One without authors or year cannot be cited, so it has no entry."""
    venue = entry.get("booktitle") or entry.get("journal") or entry.get("publisher")
    year = re.search(r"\d{4}", entry.get("year"), re.ASCII)
    names = [
        harmless_line(plain_text(one), LONGEST_AUTHOR) for one in entry.get("author").split(" and ")
    ]
    authors = tuple(name for name in names if name and name != "others")[:MOST_AUTHORS]
    doi, arxiv = ids_of(entry.get)
    return PaperRef(
        key=entry.key,
        title=harmless_line(plain_text(entry.get("title")), LONGEST_TITLE),
        authors=authors,
        year=int(year[0]) if year else None,
        venue=harmless_line(plain_text(venue), LONGEST_TITLE),
        abstract=harmless_line(entry.get("abstract"), LONGEST_ABSTRACT),
        bibtex=entry.text() if authors and year else "",
        source="library",
        doi=doi,
        arxiv=arxiv,
        url=address(entry.get("url")),
    )


def _each_once(papers: Iterable[PaperRef]) -> tuple[PaperRef, ...]:
    """The papers under keys of their own; the same paper twice under one key is one."""
    found: dict[str, PaperRef] = {}
    of_key: defaultdict[str, deque[PaperRef]] = defaultdict(lambda: deque(maxlen=_COMPARED))
    keys = FreeKeys(lambda key: key.lower() in found)
    for paper in papers:
        before = of_key[paper.key.lower()]
        if not any(are_same(one, paper) for one in before):
            before.append(paper)
            key = keys.free(paper.key)
            found[key.lower()] = paper if key == paper.key else renamed(paper, key)
    return tuple(found.values())
