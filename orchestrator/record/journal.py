"""The journal: an append-only, hash-chained log for resume, replay, tests and audit.

Every line is one JSON object, an event of ``record/events.py``. It contains ``prev``, the SHA-256
of the line before it (64 zeros in the first), ``n`` (its number) and ``at`` (UTC).

A call's key is (port, scope, ordinal in that scope). When a run is repeated, the hash of its
request must match, else :class:`Diverged`. Bodies over 16 KiB are in the blob store.

Longer than 250 lines: appending, recalling and repeating are one mechanism over one state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from itertools import accumulate
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from orchestrator.core.decode import decode, encode
from orchestrator.core.errors import AisciError, BadJournal, Interrupted, ModelFailed
from orchestrator.core.model import Usage
from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import canonical, digest
from orchestrator.record.attestation import container_statement
from orchestrator.record.batch_notes import BatchSent
from orchestrator.record.chain import append_line, read_lines
from orchestrator.record.divergence import (
    diverged,
    error_from,
    error_record,
    unrecorded,
    was_interrupted,
)
from orchestrator.record.events import (
    GENESIS,
    Answered,
    Asked,
    Body,
    CallFailed,
    Event,
    Forked,
    IdeaForked,
    Noted,
    Port,
    Recalled,
    RunStarted,
    Sealed,
    to_json,
)
from orchestrator.record.heard import Heard
from orchestrator.record.ledger import CallKey, CostLedger
from orchestrator.record.note_index import NoteIndex
from orchestrator.record.notes import Note, TriesEnded, read_note
from orchestrator.record.pins import Pins

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Event)
_N = TypeVar("_N", bound=Note)
Listener = Callable[[Heard], None]

_UNUSABLE = frozenset({"EmptyReply", "CutReply"})
_ALONE: AbstractContextManager[object] = nullcontext()
UNSETTLED = -1  # the ordinal of notes that a repeated run need not produce


class Mode(Enum):
    """How recorded calls are used: there are none, they must match, they may differ, exclusively."""

    RECORD = "record"
    RESUME = "resume"
    FORK = "fork"
    REPLAY = "replay"


@dataclass(slots=True)
class _Call:
    """The recorded lines of one port call."""

    asked: Asked
    end: Answered | CallFailed | None = None


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A port call at its place: its request as JSON, and what is recorded of it."""

    port: Port
    scope: str
    ordinal: int
    plain: Any
    recorded: _Call | None


class Journal:
    """One file, one writer. ``listener`` receives each line as it is written or read. With ``torn``, lines are
    read up to a torn last one: another process may be writing them.
    """

    def __init__(
        self,
        path: Path,
        blobs: Blobs,
        mode: Mode = Mode.RECORD,
        listener: Listener = lambda _: None,
        *,
        torn: bool = False,
    ) -> None:
        self.path, self.blobs, self.mode, self.listener = path, blobs, mode, listener
        self.events: list[Event] = []
        self.head = GENESIS
        self.ledger = CostLedger()
        self._calls: dict[CallKey, _Call] = {}
        self.tries_ended: dict[str, int] = {}
        """The last try of each step that was left for resume, by its scope."""
        self.failed_edits: Counter[str] = Counter()
        """How often the edits of a scope failed at a reply that could not be used."""
        self.batches: dict[CallKey, str] = {}
        """The vendor's id of the batch that a call was last sent in."""
        self._scopes: set[str] = set()  # of recorded calls, with those above them
        self._branch: set[CallKey] = set()  # the calls of the present branch
        self._notes = NoteIndex()
        self._ordinals: Counter[tuple[str, str]] = Counter()
        for event, head in read_lines(path, torn=torn) if path.exists() else ():
            try:
                self._take(event)
            except (KeyError, TypeError, ValueError) as error:
                raise BadJournal(
                    "a line is not one that this program wrote",
                    where=f"{path}:{len(self.events)}",
                    why=f"{type(error).__name__}: {error}",
                    todo="restore the journal from a copy; a changed record is never replayed",
                ) from error
            self.head = head

    # --- writing ---------------------------------------------------------------------------

    def append(self, event: _E) -> _E:
        """Write ``event`` as the next line, sync it to the disk, and return it as written.

        Raises :class:`BadJournal` in a replay, which only reads.
        """
        if self.mode is Mode.REPLAY:
            raise BadJournal(
                f"the record lacks a line: {event.kind}",
                where=str(self.path),
                todo="restore the journal from a copy; a replay adds nothing to a record",
            )
        event = self._placed(event)
        raw = canonical(event)
        append_line(self.path, raw)
        self._take(event)
        self.head = digest(raw)
        return event

    def _placed(self, event: _E) -> _E:
        now = event.at or datetime.now(UTC).isoformat(timespec="milliseconds")
        return replace(event, n=len(self.events), prev=self.head, at=now)

    def note(self, scope: str, note: Note, *, settled: bool = True) -> None:
        """Record a note once; a repeated run must produce the same note. A note that is not
        ``settled`` (a failure that resume tries again) is written each time and is not expected
        again. Raises :class:`Diverged` if a repeated run produces another note.
        """
        if not settled:
            if self.mode is not Mode.REPLAY:
                self._write_note(scope, UNSETTLED, note)
            return
        ordinal = self._next(f"note:{note.note}", scope)
        known = self._notes.expect(note, scope, ordinal)
        if known == note:
            return
        what = f"the note {note.note!r}"
        if known is not None and self.mode is not Mode.FORK:
            raise diverged(what, scope, ordinal, to_json(known), to_json(note))
        if self.mode is Mode.REPLAY:
            raise unrecorded(what, scope, ordinal)
        self._write_note(scope, ordinal, note)

    def _write_note(self, scope: str, ordinal: int, note: Note) -> None:
        body = Body.of(to_json(note), self.blobs)
        self.append(Noted(scope=scope, ord=ordinal, name=note.note, body=body))

    def seal(self, ideas: dict[str, str] | None = None) -> str:
        """End the journal with its count and head, unless it is sealed; return its head."""
        if self.mode is not Mode.REPLAY and not self.sealed:
            # No later line contains the hash of this one, so it contains a hash of itself.
            seal = self._placed(Sealed(count=len(self.events), head=self.head, ideas=ideas))
            self.append(replace(seal, check=seal.own_hash))
        return self.head

    # --- reading ---------------------------------------------------------------------------

    @property
    def sealed(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], Sealed)

    @property
    def pins(self) -> Pins | None:
        """The pins of the run's start or of its last fork; None in an idea's journal."""
        return next(
            (line.pins for line in reversed(self.events) if isinstance(line, RunStarted | Forked)),
            None,
        )

    def notes(self, kind: type[_N], *, below: str, now: bool = False) -> list[_N]:
        """Every note of ``kind`` in the scope ``below`` or under it, in the order of the lines of the
        present branch. ``now`` omits notes that this process has not produced (again).
        """
        return self._notes.of(kind, below=below, now=now)

    def load(self, body: Body) -> Any:
        """The JSON value of a line's body. Raises :class:`BadJournal` if it is missing."""
        return body.read(self.blobs)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Asked):
            self._calls[event.key] = _Call(event)
            self._branch.add(event.key)
            self._scopes.update(accumulate(event.scope.split("/"), "{}/{}".format))
            self.ledger.asked(event, self.load(event.body))
        elif isinstance(event, Answered):
            self._open_call(event).end = event
            self.ledger.answered(event, self.load(event.body) if event.port == "model" else None)
        elif isinstance(event, CallFailed):
            self._open_call(event).end = event
            self.ledger.failed(event)
            if event.port == "editor" and event.error.type in _UNUSABLE:
                self.failed_edits[event.scope] += 1
        elif isinstance(event, Noted):
            self._take_note(read_note(self.load(event.body)), event)
        elif isinstance(event, Recalled):
            if event.key in self._branch or event.key not in self._calls:
                raise ValueError(f"no earlier branch made the {event.port} call in {event.scope!r}")
            self._branch.add(event.key)
        elif isinstance(event, Forked | IdeaForked):
            self._branch, self._notes = set(), NoteIndex()
        self.listener(event)

    def _take_note(self, note: Note, event: Noted) -> None:
        self._notes.take(note, event.scope, event.ord)
        if isinstance(note, TriesEnded):
            self.tries_ended[event.scope] = note.tries
        if isinstance(note, BatchSent):
            self.batches |= {("model", *call): note.batch for call in note.calls}

    def _open_call(self, event: Answered | CallFailed) -> _Call:
        if event.key not in self._branch:
            raise ValueError(f"the {event.port} call in {event.scope!r} was not asked")
        return self._calls[event.key]

    # --- calls -----------------------------------------------------------------------------

    def call(
        self,
        port: Port,
        scope: str,
        request: Any,
        answer: type[_T],
        make: Callable[[], _T],
        *,
        ceiling: Usage | None = None,
        admit: Callable[[Usage], None] = lambda _: None,
        turn: AbstractContextManager[object] = _ALONE,
    ) -> _T:
        """Answer from the record, or call ``make`` and record request, answer and, of a container,
        its statement. ``admit`` is called only before an outgoing call, and may raise
        ``BudgetSpent``; ``turn`` is held from there until the request is recorded. Raises :class:`Diverged` if the record has another request here, or none in
        a replay; else the errors of ``make``.
        """
        found = self.find(port, scope, request)
        if self.is_final(found):
            return self.recall(found, answer)
        out = self.outgoing(found, ceiling or Usage())
        # On the disk before the call: a crash during it leaves the request, charged at its ceiling.
        with turn:
            admit(out.ceiling)
            asked = self.append(out)
        began = monotonic()
        try:
            value = make()
        except AisciError as error:
            self.fail(asked, error, began)
            raise
        self.end(found, asked, answer, value, began)
        return value

    def find(self, port: Port, scope: str, request: Any) -> FoundCall:
        """The next call of this scope, and what is recorded of it. Raises :class:`Diverged` if the record has
        another request here, or none in a replay.
        """
        ordinal = self._next(port, scope)
        plain = to_json(request)
        recorded = self._calls.get((port, scope, ordinal))
        if recorded and recorded.asked.request != digest(plain):
            # A paid call must not be repeated in silence: only a fork may ask something else.
            if self.mode is not Mode.FORK:
                known = self.load(recorded.asked.body)
                raise diverged(f"the {port} call", scope, ordinal, known, plain)
            recorded = None
        found = FoundCall(port, scope, ordinal, plain, recorded)
        if self.mode is Mode.REPLAY and not self.is_final(found):
            raise unrecorded(f"the {port} call", scope, ordinal)
        return found

    def is_final(self, found: FoundCall) -> bool:
        """Whether a call's recorded end is the answer: resume tries transient failures again, replay does not."""
        end = found.recorded.end if found.recorded else None
        return end is not None and (
            self.mode is Mode.REPLAY or isinstance(end, Answered) or not end.error.transient
        )

    def recall(self, found: FoundCall, answer: type[_T]) -> _T:
        """The recorded answer of a call that has its end; raises the recorded error."""
        assert found.recorded is not None
        assert found.recorded.end is not None
        self.rejoin(found.recorded.asked)
        if isinstance(found.recorded.end, CallFailed):
            raise error_from(found.recorded.end.error)
        return decode(answer, self.load(found.recorded.end.body))

    def rejoin(self, asked: Asked) -> None:
        """Make a recorded call one of the present branch."""
        line = Recalled.of(asked)
        if asked.key in self._branch or self.mode is Mode.REPLAY:
            self.listener(line)
        else:
            self.append(line)

    def outgoing(self, found: FoundCall, ceiling: Usage) -> Asked:
        """The line of a call that is about to go out."""
        return Asked(
            port=found.port,
            scope=found.scope,
            ord=found.ordinal,
            request=digest(found.plain),
            body=Body.of(found.plain, self.blobs),
            ceiling=ceiling,
        )

    def fail(self, asked: Asked, error: AisciError, began: float) -> None:
        """Record the failure of a call. What fails because a person stopped the run says nothing about the
        call and is not recorded: then :class:`Interrupted` is raised.
        """
        if was_interrupted(error):
            raise Interrupted(
                "the run was stopped",
                where=asked.scope,
                why=error.what,
                todo="`aisci resume` continues it",
            ) from error
        seconds = round(monotonic() - began, 3)
        made = error.asked if isinstance(error, ModelFailed) else 1
        failure = error_record(error)
        self.append(CallFailed.of(asked, error=failure, seconds=seconds, requests=made))

    def end(
        self, found: FoundCall, asked: Asked, answer: type[_T], value: _T, began: float
    ) -> None:
        """Record the answer of a call and, of a container, its statement."""
        seconds = round(monotonic() - began, 3)
        body, statement = encode(answer, value), None
        if asked.port in {"editor", "sandbox"}:
            call = (*asked.key, asked.request)
            statement = container_statement(*call, found.plain, to_json(body))
        self.append(
            Answered.of(
                asked,
                body=Body.of(body, self.blobs),
                evidence=Body.of(statement, self.blobs) if statement else None,
                seconds=seconds,
            )
        )

    def asked(self, port: str, scope: str) -> int:
        """How many calls of this scope were made, or recalled, by this process."""
        return self._ordinals[port, scope]

    def recorded_call(self, port: Port, scope: str, ordinal: int) -> bool:
        return (port, scope, ordinal) in self._calls

    def recorded(self, scope: str) -> bool:
        """Whether a call of this scope, or of one below it, is recorded."""
        return scope in self._scopes

    def _next(self, port: str, scope: str) -> int:
        ordinal = self._ordinals[port, scope]
        self._ordinals[port, scope] += 1
        return ordinal
