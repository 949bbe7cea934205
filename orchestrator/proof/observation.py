"""What a probe did, once: the lines that it wrote, and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field

MAX_TEXT = 400  # characters of one text of a probe that are kept


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a probe, whether it got through, and what it saw, as text."""

    name: str
    through: bool
    saw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One probe in one container. ``verdict`` is how that ended, empty if probes shared it.

    ``done``: the probe came to its own end. ``planted`` are the files that it left for the host to
    mishandle, ``fair`` those that may be harvested, both as ``filenames.shown`` writes them;
    ``why`` is the end of its stderr.
    """

    attempts: tuple[Attempt, ...] = ()
    planted: tuple[str, ...] = ()
    fair: tuple[str, ...] = ()
    done: bool = False
    verdict: str = ""
    why: str = ""

    @property
    def through(self) -> tuple[Attempt, ...]:
        return tuple(one for one in self.attempts if one.through)


BareAndGuarded = tuple[Observation, Observation, str]
"""What was seen of a probe bare and guarded, and the guarded container's id."""


def one_attempt(name: str, *, through: bool, saw: str) -> Observation:
    """One attempt, as the host observed it."""
    return Observation(attempts=(Attempt(name, through, saw),), done=True)


class _Line(BaseModel):
    """One line of a probe: an attempt, a planted or a fair file, or its end."""

    model_config = ConfigDict(extra="forbid", strict=True)

    probe: str = Field(default="", max_length=100)
    attempt: str | None = Field(default=None, max_length=201)
    through: bool = False
    saw: str = ""
    planted: str | None = Field(default=None, max_length=201)
    fair: str | None = Field(default=None, max_length=201)
    done: bool = False
    why: str = ""


def parse_observations(output: str, *, alone: str = "") -> dict[str, Observation]:
    """Each probe's report from a container's output, by the probe's id.

    ``alone`` is the id of a probe that had the container to itself, and does not name itself.
    Other lines are skipped: a container may write anything.
    """
    reports: dict[str, Observation] = {alone: Observation()} if alone else {}
    for text in output.splitlines():
        try:
            line = _Line.model_validate(json.loads(text if text.startswith("{") else ""))
        except (ValueError, RecursionError):
            continue
        name = line.probe or alone
        seen = reports.get(name, Observation())
        if line.attempt is not None:
            attempt = Attempt(line.attempt, line.through, line.saw[:MAX_TEXT])
            seen = replace(seen, attempts=(*seen.attempts, attempt))
        if line.planted is not None:
            seen = replace(seen, planted=(*seen.planted, line.planted))
        if line.fair is not None:
            seen = replace(seen, fair=(*seen.fair, line.fair))
        why = seen.why or line.why[-MAX_TEXT:]
        reports[name] = replace(seen, done=seen.done or line.done, why=why)
    return reports
