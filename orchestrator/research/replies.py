"""A model's reply, validated once; the model is asked again if its reply is invalid."""

from __future__ import annotations

import json
import re
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
    for candidate in reversed([*_outermost(text), *_FENCE.findall(text)]):
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
    """Ask at most three times until the reply is valid; a repeated request states the error. Raises
    :class:`BadReply` if the last reply is invalid too.
    """
    for _ in range(_ATTEMPTS - 1):
        reply = ports.complete(ask)
        try:
            return parse_reply(reply.text, model)
        except BadReply as error:
            again = Message("user", render("bad_reply", trouble=error.why or error.what))
            reply_message = Message("assistant", reply.text or "(nothing)")
            ask = Ask(
                purpose=ask.purpose,
                messages=(*ask.messages, reply_message, again),
                temperature=ask.temperature,
                max_tokens=ask.max_tokens,
            )
    return parse_reply(ports.complete(ask).text, model)


def _outermost(text: str) -> list[str]:
    start, end = text.find("{"), text.rfind("}")
    return [text[start : end + 1]] if 0 <= start < end else []


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
