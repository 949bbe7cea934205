"""Tokens of a vendor's cache, as each vendor counts them."""

from __future__ import annotations

from typing import Any


def cached_of(counted: Any) -> int:
    """Prompt tokens that came from the vendor's cache, as it counted them."""
    details = getattr(counted, "prompt_tokens_details", None)
    return _size(getattr(details, "cached_tokens", None))


def written_of(counted: Any) -> int:
    """Prompt tokens that were written to the vendor's cache: Claude's count, or OpenAI's."""
    details = getattr(counted, "prompt_tokens_details", None)
    named = getattr(counted, "cache_creation_input_tokens", None)
    return _size(named) or _size(getattr(details, "cache_creation_tokens", None))


def _size(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
