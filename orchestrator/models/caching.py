"""Where a vendor's cache begins: markers in messages, for vendors that want them and no others.

Claude caches a prefix only where a marker ends it, whoever serves it. OpenAI's models from GPT-5.6 on find a
prefix again only where one ended; litellm gives the marker OpenAI's name. Older ones, Gemini, DeepSeek and xAI
cache by themselves and may refuse a marker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.model import Message

MOST_MARKS = 4  # of one request, by Anthropic's documents and by OpenAI's
_SERVE_CLAUDE = frozenset(
    {"anthropic", "bedrock", "bedrock_converse", "vertex_ai", "openrouter", "azure_ai"}
)
_BREAKPOINTS = frozenset({"openai", "azure_ai"})
_MARK = {"type": "ephemeral"}


def wants_marks(name: str, provider: str, facts: Mapping[str, Any]) -> bool:
    """Whether the vendor caches what markers end."""
    if provider in _BREAKPOINTS and facts.get("supports_prompt_cache_breakpoint"):
        return True
    served = provider.partition("-")[0] in _SERVE_CLAUDE and "claude" in name.lower()
    return served and facts.get("supports_prompt_caching") is not False


def marked_places(messages: Sequence[Message]) -> frozenset[int]:
    """The messages that get a marker: the first that ends a prefix, and the last ones."""
    ends = [at for at, message in enumerate(messages) if message.cache]
    return frozenset(ends if len(ends) <= MOST_MARKS else [ends[0], *ends[1 - MOST_MARKS :]])


def with_mark(message: dict[str, Any]) -> dict[str, Any]:
    """A message in the chat format whose last part ends a prefix."""
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    return {**message, "content": [*parts[:-1], {**parts[-1], "cache_control": dict(_MARK)}]}
