"""What a section is for, by its heading: other people's work, rules and formulae, or results as any other."""

from __future__ import annotations

import re
from functools import lru_cache

_OTHERS = re.compile(
    r"\b(?:related|prior|previous|earlier|existing)\s+(?:works?|research|studies|approaches|methods|literature)\b|\bbackground\b"
    r"|\bliterature(?:\s+review)?\b|\bstate[- ]of[- ]the[- ]art\b"
)
_OURS = re.compile(
    r"\b(?:findings?|results?|experiments?|evaluation|ours?|we|set-?\s?up|methods?|methodology|approach|comparisons?|this|discussion|conclusions?"
    r"|limitations?|analysis|ablations?)\b"
)
_RULES = re.compile(
    r"^(?:(?:our|the|proposed|experimental|research)\s+)*(?:methods?|methodology|approach|set-?\s?up|design)\b"
)


@lru_cache(512)
def is_of_others(heading: str) -> bool:
    """Whether a section is about other people's work, and says nothing of this study in its heading: the numbers there
    are theirs unless a sentence is about ours.
    """
    said = heading.lower()
    return bool(_OTHERS.search(said)) and not _OURS.search(_OTHERS.sub(" ", said))


@lru_cache(512)
def has_rules(heading: str) -> bool:
    """Whether a section says how runs are made and compared: its 0, 1 and 2 are parts of formulae."""
    return bool(_RULES.search(heading.lower()))
