"""Texts of papers made harmless: on one line, bounded, without characters that act."""

from __future__ import annotations

import unicodedata


def harmless_line(text: str, most: int) -> str:
    """``text`` on one line without control, invisible and lone surrogate characters, cut to ``most``."""
    some = text[: most * 4]
    if not some.isprintable():
        some = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in some)
    line = " ".join(some.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
