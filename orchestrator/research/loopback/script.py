"""A file of one's own answers and faults for the server, read strictly: YAML, or JSON, which is YAML too::

answers:
- {purpose: review.form, contains: "page one", text: "…", times: 1}
faults:
- {at: 3, status: 429, retry_after: 1}
- {purpose: plan.make, at: 1, times: 2, cut: 40}
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from orchestrator.core.problems import Invalid
from orchestrator.core.strict_yaml import read, validated
from orchestrator.models.scripted import ReplyLine
from orchestrator.research.loopback.answers import (
    ChatBody,
    Drop,
    Fail,
    Hang,
    Raw,
    ServerAnswer,
    Stop,
)
from orchestrator.research.loopback.server import Script

_Count = Annotated[int, Field(ge=1, strict=True)]
_KINDS = ("status", "hang", "drop", "raw", "cut")


class ScriptedFault(BaseModel, extra="forbid", frozen=True):
    """What requests get in place of the answer, from the one numbered ``at`` on, ``times`` of them.

    They are counted from 1, with a ``purpose`` those of that purpose alone. One of: ``status`` (with ``message``
    and ``retry_after``, in seconds), ``hang`` (seconds without an answer), ``drop`` (the connection ends),
    ``raw`` (this body), ``cut`` (the right answer ends after so many characters, at its limit of tokens).
    """

    purpose: str = ""
    at: _Count
    times: _Count = 1
    status: Annotated[int | None, Field(ge=400, le=599, strict=True)] = None
    message: str = "made to fail"
    retry_after: Annotated[float | None, Field(ge=0, le=3600)] = None
    hang: Annotated[float | None, Field(gt=0, le=3600)] = None
    drop: bool = False
    raw: str | None = None
    cut: Annotated[int | None, Field(ge=0, strict=True)] = None

    @model_validator(mode="after")
    def _one_kind(self) -> ScriptedFault:
        given = [name for name in _KINDS if getattr(self, name) not in (None, False)]
        if len(given) != 1:
            what = f"a fault is one of {', '.join(_KINDS)}, not {' and '.join(given) or 'none'}"
            raise Invalid(what, "write one of them")
        extra = self.model_fields_set & {"message", "retry_after"}
        if extra and self.status is None:
            raise Invalid(f"{min(extra)} belongs to a status", "add `status`, or remove it")
        return self

    def fits(self, asked: Counter[str]) -> bool:
        """Whether the request is meant that made ``asked`` of each purpose; all count under ``""``."""
        return self.at <= asked[self.purpose] < self.at + self.times

    def answer(self, right: ServerAnswer) -> ServerAnswer:
        """What is sent in place of the ``right`` answer."""
        if self.status is not None:
            wait = () if self.retry_after is None else (("Retry-After", f"{self.retry_after:g}"),)
            return Fail(self.status, self.message, headers=wait)
        if self.hang is not None:
            return Hang(self.hang)
        if self.raw is not None:
            return Raw(self.raw)
        if self.cut is None:
            return Drop()
        return Stop(right[: self.cut], "length") if isinstance(right, str) else right


class ServerScript(BaseModel, extra="forbid", frozen=True):
    """The whole file. The first answer that expects a request and is not used up is given."""

    answers: tuple[ReplyLine, ...] = ()
    faults: tuple[ScriptedFault, ...] = ()


def server_script(path: Path) -> ServerScript:
    """The script in a file. Raises :class:`BadFile` with every error of it."""
    return validated(read(path), ServerScript)


def with_faults(script: Script, faults: tuple[ScriptedFault, ...]) -> Script:
    """``script`` with the first fault that fits a request in place of its answer."""
    asked = Counter[str]()

    def faulty(body: ChatBody) -> ServerAnswer:
        purpose = body["purpose"]
        asked.update({"", purpose})
        fault = next(
            (
                one
                for one in faults
                if (not one.purpose or one.purpose == purpose) and one.fits(asked)
            ),
            None,
        )
        if fault is None:
            return script(body)
        return fault.answer(script(body) if fault.cut is not None else "")

    return faulty
