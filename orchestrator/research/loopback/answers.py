"""What a model's server answers: a reply in OpenAI's chat format, whole or streamed, or one of its failures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

ChatBody = dict[str, Any]
"""The JSON object of a request or of a reply."""


@dataclass(frozen=True, slots=True)
class Fail:
    """An HTTP error, with the body and headers of a vendor's."""

    status: int
    message: str = "made to fail"
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> str:
        error = {"message": self.message, "type": "error", "code": self.code}
        return json.dumps({"error": error})


@dataclass(frozen=True, slots=True)
class Raw:
    """A reply's body as it is: no JSON, an empty choice, another shape."""

    body: str


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed with no answer."""


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer for so many seconds, then the connection is closed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drip:
    """Blanks for so many seconds, one every tenth: no time-out between two bytes ever ends it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """A reply that ended for another reason than ``stop``."""

    text: str | None
    reason: str
    written: int | None = None  # the tokens that it is said to have, if not the real number


ServerAnswer = str | Fail | Raw | Drop | Hang | Drip | Stop


def text_of(content: Any) -> str:
    """The text of a message, which may come in parts; pictures are left out."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content if part.get("type") == "text")


def completion(body: ChatBody, answer: str | Stop) -> ChatBody:
    """A chat completion in OpenAI's format; a token is counted as four characters."""
    stop = Stop(answer, "stop") if isinstance(answer, str) else answer
    prompt = sum(len(text_of(message["content"])) for message in body["messages"]) // 4
    written = len(stop.text or "") // 4 if stop.written is None else stop.written
    message = {"role": "assistant", "content": stop.text}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": body.get("model", ""),
        "choices": [{"index": 0, "finish_reason": stop.reason, "message": message}],
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written,
        },
    }  # fmt: skip


def streamed(whole: ChatBody) -> str:
    """A completion as server-sent events: its message, its end, its usage."""
    (choice,) = whole["choices"]
    parts: list[ChatBody] = [
        {"choices": [{"index": 0, "delta": choice["message"], "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]},
        {"choices": [], "usage": whole["usage"]},
    ]
    head = whole | {"object": "chat.completion.chunk", "usage": None}
    events = [json.dumps(head | part) for part in parts]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])
