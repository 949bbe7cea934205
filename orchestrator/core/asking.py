"""Asking a model until its reply can be used: with what was wrong, and with more room after a cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from orchestrator.core.errors import BadReply, CutReply, EmptyReply, TooLong
from orchestrator.core.model import Ask, Message, Reply

_T = TypeVar("_T")

_CONDENSED = "(Earlier turns of this conversation are left out: it was too long for you.)"
ATTEMPTS = 3
"""Requests until a reply can be used, the first included."""


def ask_until(
    complete: Callable[[Ask], Reply],
    ask: Ask,
    use: Callable[[Reply, Ask], _T],
    instruct: Callable[[BadReply], str],
    more: Callable[[int], bool] = lambda asked: asked < ATTEMPTS,
) -> _T:
    """What ``use`` makes of the first reply that it does not refuse with a :class:`BadReply`.
    ``instruct`` says what was wrong to the model; ``more`` whether to ask again after so many
    requests. A conversation that is too long for the model is asked again without its earlier turns.
    Raises the last error of ``use``.
    """
    asked = 0
    while True:
        try:
            reply, asked = complete(ask), asked + 1
        except TooLong:
            if (shorter := condensed(ask)) is None:
                raise
            ask = shorter
            continue
        try:
            return use(reply, ask)
        except BadReply as error:
            if not more(asked):
                raise
            ask = _again(ask, reply, error, instruct(error))


def condensed(ask: Ask) -> Ask | None:
    """``ask`` without half of the turns between its first message and its last; None if there is none."""
    if len(ask.messages) < 4:  # a task, an answer, what was said to it, the newest task
        return None
    first, *middle, last = ask.messages
    left_out = max(2, len(middle) // 4 * 2)  # an answer and what was said to it
    note = last.content if _CONDENSED in last.content else f"{last.content}\n\n{_CONDENSED}"
    messages = (first, *middle[left_out:], replace(last, content=note))
    return replace(ask, messages=messages)


def require_whole(reply: Reply, ask: Ask) -> Reply:
    """``reply``. Raises :class:`CutReply`, or :class:`EmptyReply` if it is blank."""
    where = f"step {ask.purpose}"
    if reply.cut:
        tokens = reply.usage.completion_tokens
        raise CutReply(
            f"{reply.model}'s reply was cut off at its limit of tokens",
            where=where,
            why=f"it was cut off after {tokens} tokens, reasoning included, before it was complete",
            todo="choose a model that can write longer answers, or that reasons less: --model",
        )
    if not reply.text.strip():
        raise EmptyReply(
            f"{reply.model} answered with no text",
            where=where,
            why=f"it holds no text beside reasoning; the vendor's reason for its end: {reply.finish!r}",
            todo="choose another model: --model",
        )
    return reply


def _again(ask: Ask, reply: Reply, error: BadReply, instruction: str) -> Ask:
    """``ask`` after ``reply`` and ``instruction``; after a cut, with room for twice the tokens. A
    model's adapter bounds the room by what its model can write.
    """
    said = Message("assistant", reply.text if reply.text.strip() else "(nothing)")
    room = ask.max_tokens * (2 if isinstance(error, CutReply) else 1)
    messages = (*ask.messages, said, Message("user", instruction))
    return replace(ask, messages=messages, max_tokens=room)
