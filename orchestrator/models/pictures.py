"""Messages in the chat format, with their pictures: PNG files that nobody on the host decodes.

What one side says in several messages is one turn: many servers take no other conversations.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.core.model import Message

PICTURE_TOKENS = 40_000
"""The most tokens that one picture is charged as. Vendors scale pictures down first: most charge
300 to 3,000 tokens, and OpenAI's gpt-4o-mini up to 36,835."""

ReadPicture = Callable[[str], bytes]
"""A picture's content by its SHA-256."""


def chat_message(message: Message, read: ReadPicture) -> dict[str, Any]:
    """``message`` as vendors take it: a text, or a list of parts where it shows pictures."""
    if not message.pictures:
        return {"role": message.role, "content": message.content}
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.content}]
    for picture in message.pictures:
        data = base64.b64encode(read(picture.sha256)).decode()
        parts.append({"type": "text", "text": f"{picture.name}:"})
        parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}})
    return {"role": message.role, "content": parts}


def in_turns(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages in which no role follows itself: such messages are one, their texts and pictures in order."""
    turns = list[dict[str, Any]]()
    for one in messages:
        if turns and turns[-1]["role"] == one["role"]:
            turns[-1] = {**one, "content": _joined(turns[-1]["content"], one["content"])}
        else:
            turns.append(one)
    return turns


def _joined(first: Any, second: Any) -> Any:
    """Two contents as one: a text where both are, else parts, so that a mark stays where it is."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
