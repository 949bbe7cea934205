"""The words of a text, as both libraries search them."""

from __future__ import annotations

import re

STOP_WORDS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how",
    "in", "into", "is", "it", "of", "on", "or", "that", "the", "their", "this", "to", "via", "we",
    "what", "when", "which", "why", "with",
})  # fmt: skip


def words(text: str) -> list[str]:
    """Lower-case words without stop words; a final s is removed, so plurals match."""
    found = re.findall(r"[^\W_]+", text.lower())
    return [
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
        for word in found
        if word not in STOP_WORDS
    ]
