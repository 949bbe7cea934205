"""The lines of a journal: one frozen class per kind of line, their union, and the reader.

``docs/journal.schema.json`` is made from these classes by ``scripts/journal-schema.sh``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from orchestrator.core.model import Usage
from orchestrator.core.protocols import Blobs
from orchestrator.core.research import Idea
from orchestrator.core.tree import UNWRITTEN, canonical, digest
from orchestrator.core.untrusted import check_depth
from orchestrator.record.pins import ImageContents, Origin, Pins, StrictRecord

JOURNAL_SCHEMA = 4
"""The version of the journal's format; other versions are refused."""

MOST_BODY = 64 << 20  # bytes of one body

GENESIS = "0" * 64
"""The hash that the first line names as that of its predecessor."""

INLINE = 16 * 1024  # bytes of canonical JSON; larger bodies become blobs

Port = Literal["model", "editor", "sandbox", "literature"]

_MOST_DIGITS = 60  # of an integer

NESTED = "/editor"
"""The end of the scope of a model call inside an edit."""


def from_json(raw: bytes) -> Any:
    """The JSON value of a line or a blob. Raises ValueError, also for an integer of more digits than
    anything here has (arithmetic with it could fail, or take for ever), and for NaN, above no limit.
    """
    return json.loads(raw, parse_int=_integer, parse_constant=_integer)


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"an integer has {len(digits)} digits, over {_MOST_DIGITS}")
    return int(digits)


def to_json(value: Any) -> Any:
    """``value`` as JSON: dictionaries, lists, texts and numbers."""
    return json.loads(canonical(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(StrictRecord):
    """A JSON value in the line itself, or in the blob store by its SHA-256."""

    inline: Any = None
    blob: str | None = None

    @classmethod
    def of(cls, value: Any, blobs: Blobs) -> Body:
        """Of the JSON ``value``: a blob, if its canonical form exceeds ``INLINE`` bytes."""
        raw = canonical(value)
        return cls(inline=value) if len(raw) <= INLINE else cls(blob=blobs.put(raw))

    def read(self, blobs: Blobs) -> Any:
        """The JSON value. Raises :class:`BadJournal` if its blob is missing, changed or too large,
        ValueError if it is no JSON or nested too deep.
        """
        value = self.inline
        if self.blob is not None:
            value = from_json(blobs.get(self.blob, MOST_BODY))
        check_depth(value)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRecord(StrictRecord):
    """An :class:`AisciError` that a call raised; ``type`` is the name of its class."""

    type: str
    what: str
    where: str = ""
    why: str = ""
    todo: str = ""
    transient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line(StrictRecord):
    """The fields of every line: its number from 0, the SHA-256 of the line before it, UTC time."""

    n: int = 0
    prev: str = GENESIS
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Line):
    """The first line of a run's journal."""

    kind: Literal["run_started"] = "run_started"
    schema: int = JOURNAL_SCHEMA
    pins: Pins
    by: Origin | None = field(default=None, metadata=UNWRITTEN)
    contents: tuple[ImageContents, ...] = field(default=(), metadata=UNWRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked(_Line):
    """The run continues as another branch, with other pins. Earlier calls and notes belong to it
    only if it recalls or notes them again.
    """

    kind: Literal["forked"] = "forked"
    pins: Pins
    by: Origin | None = field(default=None, metadata=UNWRITTEN)
    contents: tuple[ImageContents, ...] = field(default=(), metadata=UNWRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaStarted(_Line):
    """The first line of an idea's journal."""

    kind: Literal["idea_started"] = "idea_started"
    schema: int = JOURNAL_SCHEMA
    id: str
    idea: Idea


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaForked(_Line):
    """The idea continues in the new branch of its run."""

    kind: Literal["idea_forked"] = "idea_forked"


@dataclass(frozen=True, slots=True, kw_only=True)
class _CallLine(_Line):
    """A line about a port call; (port, scope, ord) is its key, ``request`` the request's hash."""

    port: Port
    scope: str
    ord: int
    request: str

    @property
    def key(self) -> tuple[str, str, int]:
        return self.port, self.scope, self.ord

    @classmethod
    def of(cls, asked: _CallLine, **fields: Any) -> Self:
        """A line about the call of ``asked``."""
        return cls(
            port=asked.port, scope=asked.scope, ord=asked.ord, request=asked.request, **fields
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(_CallLine):
    """A port is about to be called; ``ceiling`` is the most that the call can cost."""

    kind: Literal["asked"] = "asked"
    body: Body
    ceiling: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(_CallLine):
    """The port's answer, the attestation of its container, and the duration in seconds."""

    kind: Literal["answered"] = "answered"
    body: Body
    evidence: Body | None = None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(_CallLine):
    """The error that the port raised, after so many HTTP requests."""

    kind: Literal["failed"] = "failed"
    error: ErrorRecord
    seconds: float
    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(_Line):
    """A note of ``record/notes.py``; ``name`` is its kind. ``ord`` is -1 for one that may change."""

    kind: Literal["noted"] = "noted"
    scope: str
    ord: int
    name: str
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed(_Line):
    """The end: the number of lines before it, the hash of the last one, a hash of this line. A
    run's seal also has the head of each idea's journal, by the name of its folder.
    """

    kind: Literal["sealed"] = "sealed"
    count: int
    head: str
    ideas: dict[str, str] | None = None
    check: str = ""

    @property
    def own_hash(self) -> str:
        """The SHA-256 of this line without ``check``."""
        fields = asdict(self)
        del fields["check"]
        return digest(fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled(_CallLine):
    """A call was answered from the record. It is written once in each branch that follows a fork;
    otherwise only listeners receive it.
    """

    kind: Literal["recalled"] = "recalled"


_Start = RunStarted | Forked | IdeaStarted | IdeaForked
Event = _Start | Asked | Answered | CallFailed | Recalled | Noted | Sealed
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def read_event(raw: bytes) -> Event:
    """The event in a journal's line, without its newline. Raises ValueError for any other line."""
    value = from_json(raw)
    check_depth(value)
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - callers expect one kind of error
    try:
        return EVENT.validate_python(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise ValueError(f"{place}: {problem['msg']}" if place else problem["msg"]) from error
