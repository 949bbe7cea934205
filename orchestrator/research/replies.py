"""A model's reply, validated once; the model is asked again if its reply is invalid."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import ValidationError

from orchestrator.core.asking import ask_until, require_whole
from orchestrator.core.errors import LONGEST_ROW, BadReply, WrongFormat, listed
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.core.problems import explained, row
from orchestrator.core.sanitize import plain_line
from orchestrator.record.notes import TriesEnded
from orchestrator.record.ports import Ports
from orchestrator.research.loose_json import json_objects, read_object
from orchestrator.research.prompts import render
from orchestrator.research.reply_form import ReplyForm, as_form, as_said, keys_named
from orchestrator.research.reply_schema import schema_of
from orchestrator.research.tries import may_ask

_F = TypeVar("_F", bound=ReplyForm)
_T = TypeVar("_T")

_LONGEST = 256 * 1024  # characters; no request needs a longer reply
_RETRY = "choose a model that keeps formats better: --model"


@dataclass(frozen=True, slots=True)
class _Reading(Generic[_F]):
    """What one object of a reply is: the form, or what is wrong; and how many keys it has."""

    value: _F | None
    troubles: tuple[str, ...]
    rank: tuple[int, bool, int] = (-1, False, 0)
    """How close it comes: keys of the form, whether it is JSON, errors as a negative number."""


def parse_reply(text: str, form: type[_F]) -> _F:
    """The last JSON object of ``text`` that is a valid ``form`` and has a key of it. Raises
    :class:`WrongFormat` with every error of the object that comes closest.
    """
    best: _Reading[_F] = _Reading(None, ("it holds no JSON object that has an end",))
    if len(text) > _LONGEST:
        best = _Reading(None, (f"it has {len(text)} characters, over {_LONGEST}",))
        text = ""
    for found in reversed(json_objects(text)):
        reading = _read(found, form)
        if reading.value is not None:
            return reading.value
        best = max(best, reading, key=lambda one: one.rank)
    raise WrongFormat(
        "the reply does not have the requested format",
        where="the model's reply",
        why=listed([plain_line(trouble, limit=LONGEST_ROW) for trouble in best.troubles]),
        todo=_RETRY,
    )


def _read(found: str, form: type[_F]) -> _Reading[_F]:
    try:
        value = as_form(form, read_object(found))
    except ValueError as error:
        return _Reading(None, (f"not JSON: {error}",), (keys_named(form, found), False, 0))
    if not value:
        trouble = f"it has none of the keys {', '.join(form.model_fields)}"
        return _Reading(None, (trouble,), (0, True, -1))
    try:
        return _Reading(form.model_validate(value), ())
    except ValidationError as error:
        troubles = tuple(row(wrong) for wrong in explained(error, value))
        return _Reading(None, troubles, (len(value), True, -len(troubles)))


def ask_for(ports: Ports, ask: Ask, form: type[_F]) -> _F:
    """Ask up to three times, and as often after each resume, telling all errors, for a valid reply.
    Raises :class:`EmptyReply`, :class:`CutReply` or :class:`WrongFormat`, as the last reply was.
    """

    def use(reply: Reply, ask: Ask) -> _F:
        last = json_objects(reply.text)[-1:]
        if reply.cut and last and "{" not in reply.text.rpartition(last[0])[2]:
            with suppress(WrongFormat):  # else only words after the object were lost
                return parse_reply(last[0], form)
        return parse_reply(require_whole(reply, ask).text, form)

    return ask_and_use(ports, in_form(ask, form), use, repeat_request)


def in_form(ask: Ask, form: type[ReplyForm]) -> Ask:
    """``ask``, whose reply a vendor that can is to hold to ``form``."""
    return replace(ask, reply_schema=schema_of(form))


def ask_and_use(
    ports: Ports,
    ask: Ask,
    use: Callable[[Reply, Ask], _T],
    instruct: Callable[[BadReply], str],
) -> _T:
    """What ``use`` makes of a reply that it does not refuse; asked as often as :func:`ask_for`."""
    first = ports.asked
    try:
        return ask_until(ports.complete, ask, use, instruct, lambda _: may_ask(ports, first))
    except BadReply:
        ports.note(TriesEnded(tries=ports.asked), settled=False)
        raise


def repeat_request(error: BadReply) -> str:
    """What a model is told whose reply cannot be used."""
    return render("bad_reply", trouble="\n" * ("\n" in error.why) + error.why)


def ask_and_reflect(
    ports: Ports, ask: Ask, form: type[_F], purpose: str, rounds: int, done: Callable[[_F], bool]
) -> _F:
    """Ask, then up to ``rounds`` times, until the reply is ``done``, for a better one.

    ``purpose``, with ``_`` in place of the dot, names the prompt of the later requests.
    """
    reply = ask_for(ports, ask, form)
    for _ in range(rounds):
        if done(reply):
            break
        again = Message("user", render(purpose.replace(".", "_")))
        said = Message("assistant", as_said(reply))
        ask = replace(ask, purpose=purpose, messages=(*ask.messages, said, again))
        reply = ask_for(ports, ask, form)
    return reply
