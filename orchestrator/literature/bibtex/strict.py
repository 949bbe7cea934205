"""BibTeX, parsed strictly and rewritten: complete entries with the fields that a paper needs.

The input is untrusted, so no entry is used unchanged. Fields are parsed, checked
(balanced braces, only known commands such as an accent, no control characters) and written again;
unknown fields are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.errors import BadFile
from orchestrator.core.places import Place
from orchestrator.literature.bibtex.bib_scan import RawEntry, RawField, Slip, position, scan
from orchestrator.literature.bibtex.tex_text import tidy, trouble

ENTRY_KINDS = (
    "article", "book", "incollection", "inproceedings", "manual", "mastersthesis", "misc",
    "phdthesis", "proceedings", "techreport", "unpublished",
)  # fmt: skip
"""The kinds that are written; every usual style of BibTeX has them."""
FIELDS = frozenset({
    "title", "author", "year", "journal", "booktitle", "volume", "number", "pages", "publisher",
    "school", "institution", "eprint", "archiveprefix", "primaryclass", "doi", "url", "note",
    "howpublished", "abstract",
})  # fmt: skip
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_-]{0,63}", re.ASCII)
MONTHS = frozenset(
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
)


@dataclass(frozen=True, slots=True)
class BibEntry:
    """One entry: its kind and key, and its fields in TeX's spelling by lower-case name."""

    kind: str
    key: str
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The field of that name, or an empty string."""
        return dict(self.fields).get(name, "")

    def text(self) -> str:
        """The entry as BibTeX."""
        lines = [f"  {name} = {{{value}}}" for name, value in self.fields if name != "abstract"]
        return f"@{self.kind}{{{self.key},\n" + ",\n".join(lines) + "\n}\n"


def entries(text: str, where: str) -> Iterator[BibEntry]:
    """Every entry of ``text``. Raises :class:`BadFile`; ``where`` is the name of the file in errors."""
    for found in scan(text):
        slip = found if isinstance(found, Slip) else _refused(found)
        if isinstance(found, RawEntry) and slip is None:
            fields = [(one.name, _literal(one)) for one in found.fields if one.name in FIELDS]
            yield BibEntry(found.kind, found.key, tuple((n, tidy(n, value)) for n, value in fields))
        elif slip is not None:
            place = Place(where, *position(text, slip.at), key=slip.key)
            raise BadFile.at(place, slip.what, rule="bibtex", todo=slip.todo)


def _refused(entry: RawEntry) -> Slip | None:
    """What the strict form does not allow of an entry."""
    if entry.kind not in ENTRY_KINDS:
        what = f"entries of the kind @{entry.kind[:40]} are not supported"
        return Slip(entry.at, "", what, f"write it as one of: {', '.join(ENTRY_KINDS)}")
    if not KEY.fullmatch(entry.key):
        what = f"{entry.key[:80]!r} cannot be an entry's key"
        return Slip(entry.at, "", what, "use up to 64 letters, digits, `:`, `_` and `-`")
    names: set[str] = set()
    for one in entry.fields:
        if slip := _refused_field(entry.key, one, names):
            return slip
        names.add(one.name)
    return None


def _refused_field(key: str, one: RawField, before: set[str]) -> Slip | None:
    place = f"{key}.{one.name[:80]}"
    if any(part.macro and part.text.lower() not in MONTHS for part in one.parts):
        what = "a value is neither in braces, in quotes, nor a number"
        return Slip(one.at, place, what, "put it in braces: NAME = {VALUE}")
    if one.name in before:
        return Slip(
            one.at, place, f"the field {one.name[:80]!r} occurs twice", "remove one of them"
        )
    why = trouble(_literal(one)) if one.name in FIELDS else ""
    return (
        Slip(one.at, place, f"the field {one.name!r} {why}", "write it in plain text")
        if why
        else None
    )


def _literal(one: RawField) -> str:
    return "".join(part.text for part in one.parts)
