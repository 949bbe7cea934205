"""Exceptions: settings that allow more than the parent's, each with its reason; who approved it; until when.

::

    exceeds:
      experiment.network: "looks papers up while it runs"
      experiment.time.wall: {reason: "the long study of spring", approver: A. Person, until: 2027-03-01}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from orchestrator.core.problems import Form, Wrong
from orchestrator.policy.values import Description

_WORDS, _CHARACTERS = 3, 15  # the shortest reason of an exception
DAY = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
"""The pattern of a last day, such as 2027-03-01."""
EXCEPTION = "exception"
"""The rule that a reason says something, and is needed; for programs."""
HOST_EDITOR = "editor.process"
"""The exception that a file gives a reason for even if it extends nothing: Aider gets a person's rights."""


class Granted(BaseModel):
    """An exception with the person who approved it, and its last day."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    reason: Description = Field(description="Why more is allowed, in three words or more.")
    approver: Annotated[str, Field(min_length=2, max_length=200)] = Field(
        description="Who approved it."
    )
    until: Annotated[
        str,
        Form(
            DAY,
            "is not a day: {!r}",
            "write year, month and day, such as 2027-03-01",
        ),
    ] = Field(description="Its last day, such as 2027-03-01; after it the policy is refused.")


_Plain = Annotated[Description, Tag("text")]
_Object = Annotated[Granted, Tag("granted")]
_text_or_object = Discriminator(lambda value: "text" if isinstance(value, str) else "granted")
Exceeds = Annotated[dict[str, Annotated[_Plain | _Object, _text_or_object]], Field(max_length=64)]


@dataclass(frozen=True, slots=True)
class ExceptionOf:
    """An exception as a file writes it: a text, or a mapping with approver and last day."""

    written: str | Mapping[str, str]

    @property
    def reason(self) -> str:
        return self.written if isinstance(self.written, str) else self.written["reason"]

    @property
    def last_day(self) -> date | None:
        """The last day of it; None where none is written. Raises ValueError for no real day."""
        return None if isinstance(self.written, str) else date.fromisoformat(self.written["until"])

    def __str__(self) -> str:
        if isinstance(self.written, str):
            return self.written
        return (
            f"{self.reason} (approved by {self.written['approver']}, until {self.written['until']})"
        )


def vague(data: Any) -> Iterator[Wrong]:
    """Reasons that tell a reviewer nothing, such as a dot or one word; and days that are in no calendar."""
    reasons = data.get("exceeds") if isinstance(data, dict) else None
    for key, written in reasons.items() if isinstance(reasons, dict) else ():
        inside = written if isinstance(written, dict) else {"reason": written}
        below = ("reason",) if isinstance(written, dict) else ()
        reason, until = inside.get("reason"), inside.get("until")
        said = reason.strip() if isinstance(reason, str) else ""
        if said and (len(said) < _CHARACTERS or len(re.findall(r"\w+", said)) < _WORDS):
            what = f"{said[:40]!r} is no reason that a reviewer can judge"
            todo = f"say why in {_WORDS} words or more, and {_CHARACTERS} characters"
            yield Wrong(("exceeds", key, *below), what, todo, EXCEPTION)
        if isinstance(until, str) and re.fullmatch(r"20\d\d-\d\d-\d\d", until, re.ASCII):
            try:
                date.fromisoformat(until)
            except ValueError:
                what = f"no calendar has the day {until}"
                yield Wrong(("exceeds", key, "until"), what, "write a day that there is", EXCEPTION)
