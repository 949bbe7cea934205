"""The journal: an append-only, hash-chained log that is resume, replay, fixture and audit.

Every line is one JSON object and carries ``prev``, the SHA-256 of the line before it (64
zeros first), ``n`` (its number) and ``at`` (UTC). These kinds of line exist:

``run_started``  the pins: versions, schema, template, policies, prompts, images, prices
``forked``       the pins that hold from here on, where a person went on under other ones
``asked``        a port is about to be called: port, scope, ordinal, request hash and body
``answered``     what the port answered, with the evidence of a container; or the error it raised
``noted``        a fact that a stage or a person added (a verdict, an edited idea list)
``sealed``       the end: how many lines, the head, a hash of this line itself; a run's also
                 says the head of each idea's journal

A call's key is (port, scope, ordinal in that scope); its request's hash must match when the
run is played again, else :class:`Diverged`. Bodies over 16 KiB live in the blob store.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from pydantic import TypeAdapter

from orchestrator.core.errors import AisciError, BadJournal, BudgetSpent, Interrupted
from orchestrator.core.files import disk_errors
from orchestrator.core.model import Usage
from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import canonical, digest
from orchestrator.record.chain import GENESIS, read_lines
from orchestrator.record.divergence import diverged, error_from, error_record, unrecorded

T = TypeVar("T")
Evidence = Callable[[str, str, int, str, Any, Any], Any]
"""Port, scope, ordinal, request hash, request, answer → what is written beside it, or None."""

NESTED = "/editor"  # model calls inside an edit; their time is the edit's
UNSETTLED = -1  # the ordinal of notes that are not expected again
INLINE = 16 * 1024  # bytes of canonical JSON; larger bodies become blobs


class Mode(Enum):
    """How recorded calls are used: never (live), where they match, or exclusively."""

    RECORD = "record"
    RESUME = "resume"
    FORK = "fork"
    REPLAY = "replay"


@dataclass(slots=True)
class Call:
    """What the journal knows of one port call."""

    request: str
    body: Any
    ceiling: Usage
    line: int
    answer: Any = None
    error: dict[str, Any] | None = None
    answered: bool = False


class Journal:
    """One file, one writer. ``listener`` sees each line as it is written or passed again."""

    def __init__(
        self,
        path: Path,
        blobs: Blobs,
        mode: Mode = Mode.RECORD,
        listener: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        self.path, self.blobs, self.mode, self.listener = path, blobs, mode, listener
        self.lines: list[dict[str, Any]] = []
        self.head = GENESIS
        self.spent: list[Usage] = []  # of each call to a model
        self.seconds = 0.0
        self.gpu_seconds = 0.0
        self._calls: dict[tuple[str, str, int], Call] = {}
        self._notes: dict[tuple[str, str, int], Any] = {}
        self._came: set[tuple[str, str, int]] = set()  # notes that came about in this process
        self._ordinals: Counter[tuple[str, str]] = Counter()
        for line, head in read_lines(path) if path.exists() else ():
            try:
                self._take(line)
            except (KeyError, TypeError, ValueError) as error:
                raise BadJournal(
                    "a line is not one that this program wrote",
                    where=f"{path}:{len(self.lines)}",
                    why=f"{type(error).__name__}: {error}",
                    todo="restore the journal from a copy; a changed record is never played again",
                ) from error
            self.head = head

    # --- writing ---------------------------------------------------------------------------

    def append(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write one line and sync it to the disk before returning."""
        return self._write(self._line(kind, **fields))

    def _line(self, kind: str, **fields: Any) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {"n": len(self.lines), "prev": self.head, "at": now, "kind": kind, **fields}

    def _write(self, line: dict[str, Any]) -> dict[str, Any]:
        raw = canonical(line)
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what a full disk refused must not be written again when the file closes.
            with self.path.open("ab", buffering=0) as file:
                start, left = file.tell(), memoryview(raw + b"\n")
                try:
                    while left:
                        left = left[file.write(left) :]
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(file.fileno(), start)
                    raise
        self._take(line)
        self.head = digest(raw)
        return line

    def note(self, scope: str, name: str, value: Any, *, settled: bool = True) -> None:
        """Record a fact once; when the run is played again the same fact must come again.

        A fact that is not ``settled`` (a failure that resume will ask again) is written each
        time it comes about, and is not expected again.
        """
        if not settled:
            if self.mode is not Mode.REPLAY:
                body = self._store(_plain(value))
                self.append("noted", scope=scope, ord=UNSETTLED, name=name, body=body)
            return
        key = (name, scope, self._next(f"note:{name}", scope))
        self._came.add(key)
        plain = _plain(value)
        if key in self._notes:
            known = self._notes[key]
            if self.mode is not Mode.FORK and known != plain:
                raise diverged(f"the note {name!r}", scope, key[2], known, plain)
            if known == plain:
                return
        if self.mode is Mode.REPLAY:
            raise unrecorded(f"the note {name!r}", scope, key[2])
        self.append("noted", scope=scope, ord=key[2], name=name, body=self._store(plain))

    def notes(self, name: str, *, below: str, now: bool = False) -> list[Any]:
        """The values of every note ``name`` in the scope ``below`` or under it, as written.

        ``now`` leaves out those that did not come about (again) in this process: after a fork,
        an earlier branch's are in the record too.
        """
        return [
            value
            for key, value in self._notes.items()
            if key[0] == name and (key[1] == below or key[1].startswith(f"{below}/"))
            if not now or key in self._came
        ]

    def body(self, line: dict[str, Any], part: str = "body") -> Any:
        """The value that an asked, answered or noted line carries, wherever it is kept."""
        return self._load(line[part])

    def seal(self, **also: Any) -> str:
        """End the journal with its count and head; a sealed one stays as it is.

        No line follows that would hold the last one, so it carries a hash of itself.
        """
        if self.mode is not Mode.REPLAY and not self.sealed:
            line = self._line("sealed", count=len(self.lines), head=self.head, **also)
            self._write(line | {"check": digest(line)})
        return self.head

    @property
    def sealed(self) -> bool:
        return bool(self.lines) and self.lines[-1]["kind"] == "sealed"

    @property
    def pins(self) -> dict[str, Any]:
        """What a run was started with, or forked with last; empty in an idea's journal."""
        found: dict[str, Any] = next((x["pins"] for x in reversed(self.lines) if "pins" in x), {})
        return found

    # --- calls -----------------------------------------------------------------------------

    def call(
        self,
        port: str,
        scope: str,
        request: Any,
        answer: TypeAdapter[T],
        make: Callable[[], T],
        *,
        ceiling: Usage | None = None,
        admit: Callable[[Usage], None] = lambda _: None,
        evidence: Evidence | None = None,
    ) -> T:
        """Answer from the record, or ask the world and record both sides.

        ``admit`` is asked before an outgoing call only, and may raise ``BudgetSpent``.
        ``evidence`` makes what is written beside the answer, from the call and its bodies.
        """
        ordinal = self._next(port, scope)
        plain = _plain(request)
        found = self._calls.get((port, scope, ordinal))
        if found and found.request != digest(plain):
            if self.mode is not Mode.FORK:
                raise diverged(f"the {port} call", scope, ordinal, found.body, plain)
            found = None
        if found and found.answered and self._final(found):
            self.listener({"kind": "recalled", "port": port, "scope": scope, "ord": ordinal})
            return self._give(found, answer)
        if self.mode is Mode.REPLAY:
            raise unrecorded(f"the {port} call", scope, ordinal)
        ceiling = ceiling or Usage()
        admit(ceiling)
        return self._ask(port, scope, ordinal, plain, answer, make, ceiling, evidence)

    def _ask(
        self,
        port: str,
        scope: str,
        ordinal: int,
        plain: Any,
        answer: TypeAdapter[T],
        make: Callable[[], T],
        ceiling: Usage,
        evidence: Evidence | None,
    ) -> T:
        request = digest(plain)
        key = {"port": port, "scope": scope, "ord": ordinal, "request": request}
        self.append("asked", **key, body=self._store(plain), ceiling=asdict(ceiling))
        began = monotonic()
        try:
            value = make()
        except AisciError as error:
            if interrupted(error):
                raise Interrupted("the run was stopped", why=error.what) from error
            took = round(monotonic() - began, 3)
            self.append("answered", **key, error=error_record(error), seconds=took)
            raise
        took = round(monotonic() - began, 3)
        body = answer.dump_python(value, mode="json")
        made = evidence and evidence(port, scope, ordinal, request, plain, _plain(body))
        beside = {"evidence": self._store(made)} if made else {}
        self.append("answered", **key, body=self._store(body), **beside, seconds=took)
        return value

    def _final(self, call: Call) -> bool:
        """Replay answers all as they were; resume asks transient failures again."""
        return self.mode is Mode.REPLAY or call.error is None or not call.error["transient"]

    def _give(self, call: Call, answer: TypeAdapter[T]) -> T:
        if call.error is not None:
            raise error_from(call.error)
        return answer.validate_python(self._load(call.answer), strict=False)

    def _next(self, port: str, scope: str) -> int:
        ordinal = self._ordinals[port, scope]
        self._ordinals[port, scope] += 1
        return ordinal

    # --- bodies and reading ----------------------------------------------------------------

    def _store(self, plain: Any) -> dict[str, Any]:
        raw = canonical(plain)
        return {"inline": plain} if len(raw) <= INLINE else {"blob": self.blobs.put(raw)}

    def _load(self, body: dict[str, Any]) -> Any:
        return body["inline"] if "inline" in body else json.loads(self.blobs.get(body["blob"]))

    def _take(self, line: dict[str, Any]) -> None:
        self.lines.append(line)
        if line["kind"] == "asked":
            self._take_asked(line)
        elif line["kind"] == "answered":
            self._take_answered(line)
        elif line["kind"] == "noted":
            self._notes[line["name"], line["scope"], line["ord"]] = self._load(line["body"])
        self.listener(line)

    def _take_asked(self, line: dict[str, Any]) -> None:
        ceiling = Usage(**line["ceiling"])
        key = (line["port"], line["scope"], line["ord"])
        self._calls[key] = Call(line["request"], self._load(line["body"]), ceiling, len(self.spent))
        if line["port"] == "model":
            self.spent.append(ceiling)

    def _take_answered(self, line: dict[str, Any]) -> None:
        call = self._calls[line["port"], line["scope"], line["ord"]]
        call.answered, call.error = True, line.get("error")
        call.answer = line.get("body")
        if not line["scope"].endswith(NESTED):
            self.seconds += line["seconds"]
        if line["port"] == "sandbox":
            self.gpu_seconds += call.body["limits"]["gpus"] * line["seconds"]
        if line["port"] != "model":
            return
        if call.error and call.error["type"] == BudgetSpent.__name__:
            return  # given up under way: its vendor may charge it, so its ceiling stays
        charged = Usage() if call.error else Usage(**self._load(line["body"])["usage"])
        self.spent[call.line] = charged

    def total(self) -> Usage:
        """All that the recorded model calls cost; ``usd`` is None where a price is unknown."""
        usd = [usage.usd for usage in self.spent]
        known = [price for price in usd if price is not None]
        return Usage(
            sum(usage.prompt_tokens for usage in self.spent),
            sum(usage.completion_tokens for usage in self.spent),
            sum(known) if len(known) == len(usd) else None,
        )


def _plain(value: Any) -> Any:
    return json.loads(canonical(value))


def interrupted(error: BaseException | None) -> bool:
    """Whether ``error`` came up while a person's stop was being obeyed: then it is no answer."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
