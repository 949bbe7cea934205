r"""Text from models and containers, made safe to display on a terminal or a page.

Control characters, terminal escapes, marks that turn the reading direction, invisible
characters and lone surrogates become visible escapes such as ``\x1b`` or ``\u202e``.
"""

from __future__ import annotations

import unicodedata

_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT = frozenset("\n\t")
_FEW_MARKS = 4  # combining marks after one letter that a language may need


def plain(text: object, *, limit: int = 2000) -> str:
    """``text`` with at most ``limit`` characters; line breaks and tabs stay."""
    whole = str(text)
    shown = _visible(whole[:limit].replace("\r\n", "\n"))
    return shown if len(whole) <= limit else shown + f"… ({len(whole) - limit} characters more)"


def plain_line(text: object, *, limit: int = 200) -> str:
    """``text`` on one line."""
    line = " ".join(str(text)[: 4 * limit].split())
    shown = _visible(line[:limit])
    return shown if len(line) <= limit else shown + "…"


def _visible(text: str) -> str:
    out, marks = [], 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if char in _KEPT or (category not in _ACTING and marks <= _FEW_MARKS):
            out.append(char)
        else:
            out.append(char.encode("unicode_escape").decode())
    return "".join(out)
