"""A request to a language model, and its reply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.core.tree import UNWRITTEN

SWEEP = "builtin/sweep"
"""The name of the author that is a program and asks no model."""


DEFAULT_ROLE = "default"
"""The role of the model that is used where no other role is configured."""

Batches = Literal["", "keep", "cancel"]
"""Whether reviews are asked for as a batch, and what becomes of it when a person stops the run."""

FALLBACK = "fallback"
"""The role of the model that answers any request whose own model gives no answer."""

REVIEWING = "reviewing"
"""The role of the model that reviews."""

ROLES: dict[str, tuple[str, ...]] = {
    "ideas": ("ideas.", "novelty.", "plan."),
    "editing": ("experiment.", "instruments.", "notes."),
    "plotting": ("plots.edit",),
    "vision": ("plots.look",),
    "citing": ("writeup.queries", "cite."),
    "writing": ("writeup.", "compile.", "verify.", "survey."),
    REVIEWING: ("critique", "review.", "doubt."),
    FALLBACK: (),
}
"""Each role, and how the purposes of its requests begin; the first that fits counts."""


def role_of(purpose: str) -> str:
    """The role that answers requests of this purpose."""
    return next(
        (name for name, begins in ROLES.items() if purpose.startswith(begins)), DEFAULT_ROLE
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file that a message shows: its name, and the SHA-256 of its content in the record."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, with the pictures that follow its text.

    ``cache`` marks the end of a prefix that later requests repeat; vendors that want it are told.
    """

    role: Literal["system", "user", "assistant"]
    content: str
    cache: bool = False
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to a model. ``purpose`` names the stage's step, such as ``ideas.propose``.

    ``reply_schema`` is the JSON Schema that the reply must keep, as JSON text; empty for free text. A vendor
    that cannot hold a reply to it does not get it. ``effort`` is how much the model is to think, a level of
    :data:`orchestrator.core.effort.EFFORTS`; empty: as its vendor has it.
    """

    purpose: str
    messages: tuple[Message, ...]
    temperature: float = 0.7
    max_tokens: int = 4096
    reply_schema: str = ""
    effort: str = field(default="", metadata=UNWRITTEN)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What the journal keeps of a request: which model, and what it was asked."""

    model: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, and US dollars where a price is known (None: unknown, never zero). ``cached`` are prompt
    tokens that the vendor read from its cache, ``written`` those that it wrote there. ``requests`` are
    the HTTP requests of a call, repeats included; 0 for a model that needs none.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0
    cached: int = 0
    written: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer. ``text`` may be empty; ``finish`` is the vendor's reason for its end."""

    text: str
    usage: Usage
    model: str
    finish: str = "stop"

    @property
    def cut(self) -> bool:
        """Whether it ended at the limit of tokens, and not where the model would have ended it."""
        return self.finish == "length"
