"""A run's folder as an auditor reads it: every line that can be read, with its place and hash.

Where the program would stop at the first line that does not hold, an audit goes on, so that
all is found at once. What is wrong with a line's form or place in the chain is found here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from orchestrator.audit.finding import Finding
from orchestrator.core.tree import canonical, digest
from orchestrator.record import bodies
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import (
    GENESIS,
    SCHEMA,
    Body,
    Event,
    IdeaStarted,
    RunStarted,
    Sealed,
    read_event,
)
from orchestrator.record.paths import RunPaths

E = TypeVar("E", bound=Event)
E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Line(Generic[E_co]):
    """One line of a journal. ``journal`` is its file below the run's folder, ``number`` from 1."""

    journal: str
    number: int
    hash: str
    event: E_co

    @property
    def where(self) -> str:
        return f"{self.journal}:{self.number}"


@dataclass(frozen=True, slots=True)
class Log:
    """One journal: its lines, the hash of its last one, and the stores of its bodies."""

    name: str
    folder: Path
    lines: tuple[Line[Event], ...]
    head: str
    blobs: BlobStore
    findings: tuple[Finding, ...]

    def of(self, kind: type[E]) -> Iterator[Line[E]]:
        """The lines of this kind, in order."""
        for line in self.lines:
            if isinstance(line.event, kind):
                yield cast("Line[E]", line)

    @property
    def sealed(self) -> Line[Sealed] | None:
        """The last line, if it is a seal."""
        last = self.lines[-1] if self.lines else None
        return cast("Line[Sealed]", last) if last and isinstance(last.event, Sealed) else None

    def load(self, body: Body | None) -> Any:
        """The value that a line carries. Raises :class:`BadJournal` or ValueError."""
        return bodies.load(body or Body(), self.blobs)


@dataclass(frozen=True, slots=True)
class Record:
    """A run: its own journal, and those of its ideas by the names of their folders."""

    paths: RunPaths
    run: Log
    ideas: tuple[Log, ...]

    @property
    def logs(self) -> tuple[Log, ...]:
        return (self.run, *self.ideas)


def read_record(paths: RunPaths) -> Record:
    """Everything that can be read of the run in a folder that holds a journal."""
    shared = BlobStore(paths.blobs)
    found = sorted(path for path in paths.folder.glob(f"*/{paths.journal.name}") if path.is_file())
    ideas = [_read(path, path.parent.name + "/", shared) for path in found]
    return Record(paths, _read(paths.journal, "", None), tuple(ideas))


def _read(path: Path, prefix: str, shared: BlobStore | None) -> Log:
    name = prefix + path.name
    lines: list[Line[Event]] = []
    findings: list[Finding] = []
    head = GENESIS
    *raws, torn = path.read_bytes().split(b"\n")
    for number, raw in enumerate(raws, start=1):
        line, wrong = _line(raw, name, number, head)
        findings += [
            Finding(check="chain", where=f"{name}:{number}", what=what, why=why)
            for what, why in wrong
        ]
        lines += [line] if line is not None else []
        head = digest(raw)
    if torn or not raws:
        what = f"the last line has no end: {len(torn)} bytes" if torn else "the journal is empty"
        why = "the program was stopped in the middle of a write, or the file was cut"
        findings.append(Finding(check="chain", where=f"{name}:{len(raws) + 1}", what=what, why=why))
    blobs = BlobStore(path.parent / "blobs", *([shared] if shared else []))
    return Log(name, path.parent, tuple(lines), head, blobs, tuple(findings))


def _line(
    raw: bytes, name: str, number: int, head: str
) -> tuple[Line[Event] | None, list[tuple[str, str]]]:
    """The line, if it can be read, and (what, why) of everything that is wrong with it."""
    try:
        event = read_event(raw)
        same = canonical(event) == raw
    except (ValueError, RecursionError) as error:
        return None, [("this is not a line that aisci writes", str(error)[:200])]
    wrong = []
    if event.prev != head:
        wrong.append(
            (
                "the chain breaks here: this line, or the one before it, was changed, removed or moved",
                f"it follows a line with the hash {event.prev[:12]}…; the one before has {head[:12]}…",
            )
        )
    if event.n != number - 1:
        wrong.append(("lines are missing, or are in another order", f"this is number {event.n}"))
    if not same:
        wrong.append(("this line's bytes are not as aisci writes them", ""))
    if number == 1 and not (isinstance(event, RunStarted | IdeaStarted) and event.schema == SCHEMA):
        schema = getattr(event, "schema", None)
        why = f"it is {event.kind!r}, schema {schema!r}; this aisci reads {SCHEMA}"
        wrong.append(("this is not how a journal begins", why))
    return Line(name, number, digest(raw), event), wrong
