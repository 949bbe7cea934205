"""The words of a query as services take them: a model's query is data, never a service's syntax."""

from __future__ import annotations

import re
import unicodedata

from orchestrator.core.literature import LONGEST_QUERY
from orchestrator.literature.words import STOP_WORDS


def plain_words(text: str) -> str:
    """Letters, digits and hyphens inside of words; quotes, brackets and operators are left out."""
    text = unicodedata.normalize("NFC", text[:LONGEST_QUERY])  # an accent of its own is no letter
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", text)
    operators = {"AND", "OR", "NOT", "NEAR", "ANDNOT"}
    return " ".join(word.lower() if word in operators else word for word in words)


def content_words(text: str) -> list[str]:
    """The words that say something, each once, in their order; without hyphens."""
    words = plain_words(text).replace("-", " ").lower().split()
    chosen = [word for word in words if word not in STOP_WORDS and len(word) > 1]
    return list(dict.fromkeys(chosen or words))
