"""The forms of replies, and what a model's JSON object means as one of them.

Read as meant: keys in another case or with blanks, underscores and hyphens; words of a choice
likewise; one text for a list of texts; null for a value that may be left out; whole numbers as
``"3"``, ``3.0`` and, on a scale to ten, ``"8/10"``. Keys that the form does not have are dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic_core import core_schema

from orchestrator.core.problems import Invalid

_WRITTEN = re.compile(r"\s*([+-]?\d{1,9}(?:\.\d{1,9})?)\s*(?:(?:/|out of)\s*(\d{1,9})\s*)?")
_JOINTS = str.maketrans("", "", " _-\t\n")


class ReplyForm(BaseModel):
    """The base of forms; :func:`as_form` prepares an object for one."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, value: Any) -> Any:
        """Null for a key that may be left out is one that was, also in the objects of a list."""
        if not isinstance(value, Mapping):
            return value
        required = {name for name, one in cls.model_fields.items() if one.is_required()}
        return {key: one for key, one in value.items() if one is not None or key in required}


def as_said(reply: ReplyForm) -> str:
    """A reply as a conversation repeats it: in the fence that it was asked for."""
    return f"```json\n{reply.model_dump_json()}\n```"


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number from ``lowest`` to ``highest``, for ``Annotated``."""

    lowest: int
    highest: int

    def read(self, value: Any) -> int:
        """The number that ``value`` means. Raises :class:`Invalid`; a half is not rounded."""
        number = self._number(value)
        if number is None or not self.lowest <= number <= self.highest:
            shown = repr(value)[:40]
            span = f"a whole number from {self.lowest} to {self.highest}"
            raise Invalid(f"must be {span}, not {shown}", "write the number alone")
        if not number.is_integer():
            below = math.floor(number)
            raise Invalid(f"{number:g} is between two marks", f"write {below} or {below + 1}")
        return int(number)

    def _number(self, value: Any) -> float | None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value) if abs(value) < 1e9 else None
        written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
        if written is None or written[2] not in (None, str(self.highest)):
            return None
        return float(written[1])

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))


def as_form(form: type[BaseModel], value: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of ``form`` that ``value`` has, with their values as they are meant."""
    names = {_squeezed(name): name for name in form.model_fields}
    known = {
        name: found
        for key, found in value.items()
        if (name := names.get(_squeezed(key))) is not None
    }
    return {
        name: _as_meant(form.model_fields[name].annotation, found)
        for name, found in known.items()
        if found is not None or form.model_fields[name].is_required()
    }


def keys_named(form: type[BaseModel], text: str) -> int:
    """How many keys of ``form`` occur in ``text``, which need not be JSON."""
    squeezed = _squeezed(text).replace("'", '"')
    return sum(f'"{_squeezed(name)}"' in squeezed for name in form.model_fields)


def _as_meant(annotation: Any, found: Any) -> Any:
    if isinstance(found, str) and get_origin(annotation) is Literal:
        words = {_squeezed(word): word for word in get_args(annotation)}
        return words.get(_squeezed(found), found)
    if isinstance(found, str) and get_origin(annotation) is tuple:
        return [found] if found.strip() else []
    return found


def _squeezed(name: str) -> str:
    return name.translate(_JOINTS).casefold()
