"""What a written entry says, and whether it is harmless."""

from __future__ import annotations

import re

from orchestrator.core.literature import PaperRef
from orchestrator.literature.bibtex.entries import entry
from orchestrator.literature.bibtex.strict import BibEntry, entries

HARMLESS = re.compile(
    r"\\(?:[`'^~=.\"]\{|[uvHdcr]\{|\^\{\}|[&%#_${}]|(?:ss|ae|AE|oe|OE|[oOlLij]|aa|AA|dots)(?![A-Za-z]))"
    r"|\$(?:\\[A-Za-z]+(?:\{\})?|\^\{\\circ\}|[<>|'o-])\$"
)
"""An accent, a letter, a character that TeX would act on, a sign: all that a text may make."""


def read(paper: PaperRef) -> BibEntry:
    (one,) = entries(entry(paper), "x")
    return one


def harmless(text: str) -> bool:
    """Whether an entry is ASCII, balanced as BibTeX counts, and without commands that do anything."""
    depth = 0
    for char in re.findall(r"[{}]", text):
        depth += 1 if char == "{" else -1
        if depth < 0:
            return False
    rest = HARMLESS.sub("", text)
    return text.isascii() and depth == 0 and not set(rest) & set("\\$^~#%&")
