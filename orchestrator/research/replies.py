"""A model's reply, validated once; the model is asked again if its reply is invalid."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator.core.errors import BadReply
from orchestrator.core.model import Ask, Message
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import render

_M = TypeVar("_M", bound=BaseModel)

_FENCE = re.compile(r"```(?:json)?[^\n]*\n(.*?)```", re.DOTALL)
_LONGEST = 256 * 1024  # characters; no request needs a longer reply
_ATTEMPTS = 3
_RETRY = "choose a model that keeps formats better: --model"


def parse_reply(text: str, model: type[_M]) -> _M:
    """The last JSON object of ``text`` that is a valid ``model``. Raises :class:`BadReply`."""
    if len(text) > _LONGEST:
        raise BadReply(
            f"the reply has {len(text)} characters, over {_LONGEST}",
            where="the model's reply",
            todo=_RETRY,
        )
    trouble = "it holds no JSON object"
    start, end = text.find("{"), text.rfind("}")
    outermost = [text[start : end + 1]] if 0 <= start < end else []
    for candidate in reversed([*outermost, *_FENCE.findall(text)]):
        try:
            return model.model_validate(json.loads(candidate, parse_constant=_refuse))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            trouble = f"{key or 'the object'}: {first['msg']}"
        except (ValueError, RecursionError) as error:
            trouble = f"not JSON: {error}"[:200]
    raise BadReply(
        "the reply does not have the requested format",
        where="the model's reply",
        why=trouble,
        todo=_RETRY,
    )


def ask_for(ports: Ports, ask: Ask, model: type[_M]) -> _M:
    """Ask up to three times, telling each error, for a valid reply; else :class:`BadReply`."""
    for _ in range(_ATTEMPTS - 1):
        text = ports.complete(ask).text
        try:
            return parse_reply(text, model)
        except BadReply as error:
            again = render("bad_reply", trouble=error.why or error.what)
            more = (Message("assistant", text or "(nothing)"), Message("user", again))
            ask = replace(ask, messages=(*ask.messages, *more))
    return parse_reply(ports.complete(ask).text, model)


def ask_and_reflect(
    ports: Ports, ask: Ask, model: type[_M], purpose: str, rounds: int, done: Callable[[_M], bool]
) -> _M:
    """Ask, then up to ``rounds`` times, until the reply is ``done``, for a better one.

    ``purpose``, with ``_`` in place of the dot, names the prompt of the later requests.
    """
    reply = ask_for(ports, ask, model)
    for _ in range(rounds):
        if done(reply):
            break
        again = Message("user", render(purpose.replace(".", "_")))
        said = Message("assistant", reply.model_dump_json())
        ask = replace(ask, purpose=purpose, messages=(*ask.messages, said, again))
        reply = ask_for(ports, ask, model)
    return reply


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
