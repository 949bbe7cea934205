"""BibTeX as people have it, for a library of one's own: every error is listed, little is refused.

Macros are expanded, kinds of other dialects mapped, keys rewritten. What is printed by TeX stays as strict
as in :mod:`orchestrator.literature.bibtex.strict`; abstract and note become plain text.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote

from orchestrator.core.literature import LONGEST_TITLE
from orchestrator.core.places import Place, Problem
from orchestrator.literature.bibtex.bib_scan import RawEntry, RawField, Slip, scan
from orchestrator.literature.bibtex.strict import ENTRY_KINDS, FIELDS, KEY, MONTHS, BibEntry
from orchestrator.literature.bibtex.tex_text import (
    LONGEST_FIELD,
    as_tex,
    loose_text,
    plain_text,
    tidy,
    trouble,
    unlinked,
)
from orchestrator.literature.citation_keys import citation_key
from orchestrator.literature.clean import harmless_line
from orchestrator.literature.paper_door import doi_of

MOST_PROBLEMS = 1000
MOST_READ = 200_000
_LONGEST_MACRO = 1000
_LONGEST_NOTE = 2000
_LONGEST_URL = 500
_MOST_EXPANDED = 64 * 2**20  # characters that all macros together may become
_KINDS = {
    "conference": "inproceedings", "inbook": "incollection", "bookinbook": "incollection",
    "suppbook": "incollection", "suppcollection": "incollection", "inreference": "incollection",
    "booklet": "misc", "mvbook": "book", "collection": "book", "mvcollection": "book",
    "reference": "book", "report": "techreport", "thesis": "phdthesis", "suppperiodical": "article",
    "mvproceedings": "proceedings",
}  # fmt: skip
_ALIASES = {
    "journaltitle": "journal", "date": "year", "eprinttype": "archiveprefix",
    "eprintclass": "primaryclass",
}  # fmt: skip
_SURE = frozenset({"title", "author", "year", "date", "doi", "url", "eprint"})
"""Fields whose text cannot be the name of a macro that the file does not define."""


def read_entries(text: str, file: str) -> tuple[tuple[BibEntry, ...], tuple[Problem, ...]]:
    """Every entry of ``text`` that has a title, and every error; ``file`` is its name in errors."""
    reader = _Reader(text, file)
    for found in scan(text):
        if isinstance(found, Slip):
            reader.wrong(found.at, found.key, found.what, found.todo)
        elif found.kind == "string":
            reader.define(found)
        elif found.kind != "preamble":
            reader.add(found)
        if len(reader.problems) >= MOST_PROBLEMS or len(reader.entries) > MOST_READ:
            break
    return tuple(reader.entries), tuple(reader.problems)


def legal_key(key: str) -> str:
    """``key`` in the letters that keys have here, always the same for the same; empty for an empty one."""
    if not key or KEY.fullmatch(key):
        return key
    plain = unicodedata.normalize("NFKD", key[:2000]).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9:_-]+", "_", plain).strip("_:-")
    if plain and len(plain) <= 64:
        return plain
    mark = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{plain[:55] or 'key'}-{mark}"


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.entries: list[BibEntry] = []
        self.problems: list[Problem] = []
        self._text, self._file = text, file
        self._macros = {month: month for month in MONTHS}
        self._expanded = 0
        self._last = (0, 1)  # a place whose line is known

    def wrong(self, at: int, key: str, what: str, todo: str) -> None:
        before, line = self._last
        forth, back = self._text.count("\n", before, at), self._text.count("\n", at, before)
        line += forth - back
        self._last = (at, line)
        column = at - self._text.rfind("\n", 0, at)
        self.problems.append(Problem(Place(self._file, line, column, key), what, todo, "bibtex"))

    def define(self, entry: RawEntry) -> None:
        for one in entry.fields:
            self._macros[one.name] = self._value(one, "")[:_LONGEST_MACRO]

    def add(self, entry: RawEntry) -> None:
        raw = self._fields(entry)
        key = legal_key(entry.key)
        shown = key or "(no key)"
        if "title" not in raw or not harmless_line(plain_text(raw["title"][0]), LONGEST_TITLE):
            what = "the entry has no title"
            self.wrong(entry.at, shown, what, "add: title = {…}")
            return
        before, fields = len(self.problems), {}
        for name in _ordered(raw):
            value, at = raw[name]
            if name in FIELDS and (written := self._written(name, value, at, f"{shown}.{name}")):
                fields[name] = written
        if len(self.problems) == before:
            kind = _kind(entry.kind, raw)
            self.entries.append(BibEntry(kind, key or _made_key(fields), tuple(fields.items())))

    def _fields(self, entry: RawEntry) -> dict[str, tuple[str, int]]:
        """Text and place of each field that is used, under its usual name; the first of two counts."""
        found: dict[str, tuple[str, int]] = {}
        for one in entry.fields:
            name = _ALIASES.get(one.name, one.name)
            if name not in found and (name in FIELDS or name == "type"):
                value = self._value(one, entry.key)
                found[name] = (value[:4] if one.name == "date" else value, one.at)
        if "thesis" in entry.kind and "institution" in found:
            found.setdefault("school", found.pop("institution"))
        return found

    def _value(self, one: RawField, key: str) -> str:
        """The pieces of a value in one text, no longer than is worth checking."""
        whole = ""
        for part in one.parts:
            text = part.text
            if part.macro:
                known = self._macros.get(text.lower())
                if known is None and one.name in _SURE:
                    what = f"{text[:40]!r} is neither in braces or quotes nor a macro of this file"
                    self.wrong(one.at, f"{key[:80]}.{one.name}", what, "put it in braces")
                # Files often use the macros of another file, and their names say enough.
                text = text if known is None else known
                self._expanded += len(text)
                text = text if self._expanded <= _MOST_EXPANDED else ""
            whole += text[: LONGEST_FIELD + 1]
            if len(whole) > LONGEST_FIELD:
                break
        return whole[: LONGEST_FIELD + 1]

    def _written(self, name: str, value: str, at: int, key: str) -> str:
        """The field as it is stored; empty if it is left out."""
        if name in {"abstract", "note"}:
            plain = loose_text(value[:LONGEST_FIELD])
            return plain if name == "abstract" else as_tex(plain[:_LONGEST_NOTE])
        if name == "doi":
            return _safe(doi_of(value.replace("\\", "")))
        if name == "url":
            return _safe(unlinked(value))
        value = unlinked(value) if name == "howpublished" else value
        if why := trouble(value):
            self.wrong(at, key, f"the field {name!r} {why}", "write it in plain text")
            return ""
        return tidy(name, value)


def _safe(address: str) -> str:
    """An address in which nothing acts on TeX or BibTeX, percent-encoded where needed."""
    plain = re.sub(r"\\([&%$#_{}~])", r"\1", re.sub(r"\\url\b", "", address).strip(" \t\r\n{}"))
    return quote(plain[:_LONGEST_URL], safe="!#%&'()*+,-./:;=?@[]_~", errors="replace")


def _ordered(raw: Mapping[str, object]) -> list[str]:
    """Title first: what else is wrong with a paper is read better below it."""
    return sorted(raw, key=lambda name: name != "title")


def _kind(kind: str, raw: Mapping[str, tuple[str, int]]) -> str:
    if kind == "inbook" and "booktitle" not in raw:
        return "book"  # BibTeX's own @inbook has the title of the book
    if kind == "thesis" and "ma" in raw.get("type", ("", 0))[0].lower()[:2]:
        return "mastersthesis"
    return kind if kind in ENTRY_KINDS else _KINDS.get(kind, "misc")


def _made_key(fields: Mapping[str, str]) -> str:
    authors = plain_text(fields.get("author", "")).split(" and ")
    year = re.search(r"\d{4}", fields.get("year", ""))
    title = plain_text(fields["title"])
    return citation_key(tuple(filter(None, authors)), int(year[0]) if year else None, title)
