"""Messages in the chat format, with their pictures: PNG files that nobody on the host decodes."""

from __future__ import annotations

import base64
from collections.abc import Callable
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
