"""The journal: an append-only, hash-chained log that is resume, replay, fixture and audit.

Every line is one JSON object, an event of ``record/events.py``. It carries ``prev``, the SHA-256
of the line before it (64 zeros first), ``n`` (its number) and ``at`` (UTC).

Longer than 250 lines: appending, recalling and repeating are one mechanism over one state.

A call's key is (port, scope, ordinal in that scope); its request's hash must match when the
run is repeated, else :class:`Diverged`. Bodies over 16 KiB are in the blob store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from orchestrator.core.decode import decode, encode
from orchestrator.core.errors import AisciError, BadJournal, Interrupted
from orchestrator.core.model import Usage
from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import canonical, digest
from orchestrator.record import bodies
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
    Heard,
    Noted,
    Port,
    Recalled,
    RunStarted,
    Sealed,
)
from orchestrator.record.ledger import CallKey, CostLedger
from orchestrator.record.note_index import NoteIndex
from orchestrator.record.notes import Note, read_note
from orchestrator.record.pins import Pins

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Event)
_N = TypeVar("_N", bound=Note)
Listener = Callable[[Heard], None]
Evidence = Callable[[str, str, int, str, Any, Any], Any]
"""Port, scope, ordinal, request hash, request, answer → what is kept with the answer, or None."""

UNSETTLED = -1  # the ordinal of notes that need not come about again


class Mode(Enum):
    """How recorded calls are used: never (live), where they match, or exclusively."""

    RECORD = "record"
    RESUME = "resume"
    FORK = "fork"
    REPLAY = "replay"


@dataclass(slots=True)
class _Call:
    """What the journal knows of one port call."""

    asked: Asked
    end: Answered | CallFailed | None = None


class Journal:
    """One file, one writer. ``listener`` receives each line as it is written or read."""

    def __init__(
        self,
        path: Path,
        blobs: Blobs,
        mode: Mode = Mode.RECORD,
        listener: Listener = lambda _: None,
    ) -> None:
        self.path, self.blobs, self.mode, self.listener = path, blobs, mode, listener
        self.events: list[Event] = []
        self.head = GENESIS
        self.ledger = CostLedger()
        self._calls: dict[CallKey, _Call] = {}
        self._notes = NoteIndex()
        self._ordinals: Counter[tuple[str, str]] = Counter()
        for event, head in read_lines(path) if path.exists() else ():
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
        """Write ``event`` as the next line and sync it to the disk before returning."""
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
        """Record a fact once; when the run is repeated the same fact must come again.

        A fact that is not ``settled`` (a failure that resume asks again) is written each time it
        comes about, and is not expected again.
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
            raise diverged(what, scope, ordinal, bodies.to_json(known), bodies.to_json(note))
        if self.mode is Mode.REPLAY:
            raise unrecorded(what, scope, ordinal)
        self._write_note(scope, ordinal, note)

    def _write_note(self, scope: str, ordinal: int, note: Note) -> None:
        body = bodies.store_body(bodies.to_json(note), self.blobs)
        self.append(Noted(scope=scope, ord=ordinal, name=note.note, body=body))

    def seal(self, ideas: dict[str, str] | None = None) -> str:
        """End the journal with its count and head; a sealed one stays as it is.

        No line follows that would hold the last one, so it carries a hash of itself.
        """
        if self.mode is not Mode.REPLAY and not self.sealed:
            seal = self._placed(Sealed(count=len(self.events), head=self.head, ideas=ideas))
            self.append(replace(seal, check=seal.own_hash))
        return self.head

    # --- reading ---------------------------------------------------------------------------

    @property
    def sealed(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], Sealed)

    @property
    def pins(self) -> Pins | None:
        """What a run was started with, or forked with last; None in an idea's journal."""
        return next(
            (line.pins for line in reversed(self.events) if isinstance(line, RunStarted | Forked)),
            None,
        )

    def notes(self, kind: type[_N], *, below: str, now: bool = False) -> list[_N]:
        """Every note of ``kind`` in the scope ``below`` or under it, as written.

        ``now`` leaves out those that did not come about (again) in this process: after a fork,
        an earlier branch's are in the record too.
        """
        return self._notes.of(kind, below=below, now=now)

    def load(self, body: Body) -> Any:
        """The JSON value of a line's body. Raises :class:`BadJournal` where it is missing."""
        return bodies.read_body(body, self.blobs)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Asked):
            self._calls[event.key] = _Call(event)
            self.ledger.asked(event, self.load(event.body))
        elif isinstance(event, Answered):
            self._calls[event.key].end = event
            self.ledger.answered(event, self.load(event.body) if event.port == "model" else None)
        elif isinstance(event, CallFailed):
            self._calls[event.key].end = event
            self.ledger.failed(event)
        elif isinstance(event, Noted):
            self._notes.take(read_note(self.load(event.body)), event.scope, event.ord)
        self.listener(event)

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
        evidence: Evidence | None = None,
    ) -> _T:
        """Answer from the record, or make the call and record both sides.

        ``admit`` is called before an outgoing call only, and may raise ``BudgetSpent``.
        ``evidence`` makes what is kept with the answer, from the call and its bodies.
        """
        ordinal = self._next(port, scope)
        plain = bodies.to_json(request)
        found = self._calls.get((port, scope, ordinal))
        if found and found.asked.request != digest(plain):
            if self.mode is not Mode.FORK:
                known = self.load(found.asked.body)
                raise diverged(f"the {port} call", scope, ordinal, known, plain)
            found = None
        if found and found.end and self._final(found.end):
            self.listener(Recalled(port=port, scope=scope, ord=ordinal))
            if isinstance(found.end, CallFailed):
                raise error_from(found.end.error)
            return decode(answer, self.load(found.end.body))
        if self.mode is Mode.REPLAY:
            raise unrecorded(f"the {port} call", scope, ordinal)
        ceiling = ceiling or Usage()
        admit(ceiling)
        asked = self.append(
            Asked(
                port=port,
                scope=scope,
                ord=ordinal,
                request=digest(plain),
                body=bodies.store_body(plain, self.blobs),
                ceiling=ceiling,
            )
        )
        return self._ask(asked, plain, answer, make, evidence)

    def _ask(
        self,
        asked: Asked,
        plain: Any,
        answer: type[_T],
        make: Callable[[], _T],
        evidence: Evidence | None,
    ) -> _T:
        port, scope, ordinal, request = asked.port, asked.scope, asked.ord, asked.request
        began = monotonic()
        try:
            value = make()
        except AisciError as error:
            if was_interrupted(error):
                raise Interrupted(
                    "the run was stopped",
                    where=scope,
                    why=error.what,
                    todo="`aisci resume` continues it",
                ) from error
            took = round(monotonic() - began, 3)
            failed = error_record(error)
            self.append(
                CallFailed(
                    port=port, scope=scope, ord=ordinal, request=request, error=failed, seconds=took
                )
            )
            raise
        took = round(monotonic() - began, 3)
        body = encode(answer, value)
        made = evidence and evidence(port, scope, ordinal, request, plain, bodies.to_json(body))
        self.append(
            Answered(
                port=port,
                scope=scope,
                ord=ordinal,
                request=request,
                body=bodies.store_body(body, self.blobs),
                evidence=bodies.store_body(made, self.blobs) if made else None,
                seconds=took,
            )
        )
        return value

    def _final(self, end: Answered | CallFailed) -> bool:
        """Replay answers all as they were; resume asks transient failures again."""
        return self.mode is Mode.REPLAY or isinstance(end, Answered) or not end.error.transient

    def _next(self, port: str, scope: str) -> int:
        ordinal = self._ordinals[port, scope]
        self._ordinals[port, scope] += 1
        return ordinal
