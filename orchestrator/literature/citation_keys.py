"""Keys of references: made by the program, plain ASCII, the same for the same paper."""

from __future__ import annotations

import re
import unicodedata

from orchestrator.literature.words import STOP_WORDS

_LONGEST = 24  # letters of each part
_LETTERS = {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "Ae",
            "œ": "oe", "Œ": "Oe", "ı": "i", "þ": "th", "Þ": "Th", "ð": "d"}  # fmt: skip
_PARTICLES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd"})


def citation_key(authors: tuple[str, ...], year: int | None, title: str) -> str:
    """``power2022grokking``: family name of the first author, year, first word of the title that says
    something. A part that has no ASCII letters becomes ``anon``, ``nd`` or ``untitled``.
    """
    words = [word for word in _words(title) if word not in STOP_WORDS and len(word) > 1]
    name = family_name(authors[0]) if authors else ""
    return "".join((
        ("".join(_words(name)) or "anon")[:_LONGEST],
        str(year) if year is not None else "nd",
        (words[0] if words else "untitled")[:_LONGEST],
    ))  # fmt: skip


def family_name(author: str) -> str:
    """The family name in ``First Last`` or ``Last, First``."""
    last, comma, _ = author.partition(",")
    if comma:
        return last.strip()
    parts = [part for part in author.split() if part.strip(".").lower() not in _PARTICLES]
    return parts[-1] if parts else author


def _words(text: str) -> list[str]:
    plain = "".join(_LETTERS.get(c, c) for c in text)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain.replace("'", ""))
