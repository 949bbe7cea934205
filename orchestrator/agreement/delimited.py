"""CSV and TSV text as cells with their places: quotes as in RFC 4180, line breaks within them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.core.errors import BadFile
from orchestrator.core.places import Place

_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"')
_BARE = {mark: re.compile(rf"[^{mark}\n]*") for mark in (",", "\t")}


@dataclass(frozen=True, slots=True)
class PlacedField:
    """A field without its quotes; ``line`` and ``column`` of its first character, from 1."""

    text: str
    line: int
    column: int


def table_rows(text: str, file: str) -> list[list[PlacedField]]:
    """The rows of ``text``, whose lines end in a newline alone; empty lines are no rows.

    Tabs separate the fields if the first line has one, else commas. Raises :class:`BadFile` for a
    quote that does not close.
    """
    mark = "\t" if "\t" in text.partition("\n")[0] else ","
    rows: list[list[PlacedField]] = [[]]
    at, line, began = 0, 1, 0  # ``began``: where the line begins
    while True:
        found = _QUOTED.match(text, at) if text[at : at + 1] == '"' else None
        value = found[1].replace('""', '"') if found else ""
        bare = _BARE[mark].match(text, found.end() if found else at)
        assert bare is not None  # it matches the empty text
        if bare[0] and (found or bare[0].startswith('"')):
            raise BadFile.at(
                Place(file, line, at - began + 1),
                "this quote does not close its field",
                rule="quotes",
                todo='begin and end the field with one ", and write "" for a quote in it',
            )
        rows[-1].append(PlacedField(value if found else bare[0], line, at - began + 1))
        breaks = text.count("\n", at, bare.end())
        line, began = line + breaks, text.rfind("\n", 0, bare.end()) + 1 if breaks else began
        at = bare.end() + 1
        if bare.end() >= len(text):
            break
        if text[bare.end()] == "\n":
            rows.append([])
            line, began = line + 1, at
    return [row for row in rows if [cell.text for cell in row] != [""]]
