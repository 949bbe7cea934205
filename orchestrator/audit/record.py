"""A run's folder as an auditor reads it: every readable line, with its place and hash.

The program stops at the first invalid line; an audit continues, so that one audit finds every
fault. This module finds faults in the form of a line and in its place in the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from orchestrator.audit.finding import FINISH, AuditFinding, FindingLevel
from orchestrator.core.errors import BadJournal
from orchestrator.core.tree import canonical, digest
from orchestrator.core.untrusted import NotPlain, open_plain
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import MOST_JOURNAL, MOST_LINE
from orchestrator.record.events import (
    GENESIS,
    JOURNAL_SCHEMA,
    Body,
    Event,
    IdeaStarted,
    RunStarted,
    Sealed,
    read_event,
)
from orchestrator.record.paths import RunPaths

_E = TypeVar("_E", bound=Event)
_E_co = TypeVar("_E_co", bound=Event, covariant=True)

MOST_FINDINGS = 1000  # of one journal's lines

UNREADABLE_BODY = (BadJournal, ValueError, KeyError, RecursionError)
"""The errors of :meth:`JournalLog.load` and of decoding its value."""


@dataclass(frozen=True, slots=True)
class JournalLine(Generic[_E_co]):
    """One line of a journal: its file below the run's folder, its number from 1, its SHA-256."""

    journal: str
    number: int
    hash: str
    event: _E_co

    @property
    def where(self) -> str:
        return f"{self.journal}:{self.number}"


@dataclass(frozen=True, slots=True)
class JournalLog:
    """One journal: its readable lines, the hash of its last line, and the store of its bodies."""

    name: str
    folder: Path
    lines: tuple[JournalLine[Event], ...]
    head: str
    blobs: BlobStore
    findings: tuple[AuditFinding, ...]

    def of(self, kind: type[_E]) -> Iterator[JournalLine[_E]]:
        """The lines of this kind, in order."""
        for line in self.lines:
            if isinstance(line.event, kind):
                yield cast("JournalLine[_E]", line)

    @property
    def sealed(self) -> JournalLine[Sealed] | None:
        """The last line, if it is a seal."""
        ended = bool(self.lines) and isinstance(self.lines[-1].event, Sealed)
        return cast("JournalLine[Sealed]", self.lines[-1]) if ended else None

    def load(self, body: Body | None) -> Any:
        """The JSON value of a body. Raises :class:`BadJournal` or ValueError."""
        return (body or Body()).read(self.blobs)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: its own journal, and the journals of its ideas in the order of their folders. While a process is
    ``working`` on it, files may be newer than the journals that were read.
    """

    paths: RunPaths
    run: JournalLog
    ideas: tuple[JournalLog, ...]
    working: bool = False

    @property
    def logs(self) -> tuple[JournalLog, ...]:
        return (self.run, *self.ideas)

    @property
    def torn(self) -> bool:
        """Whether a journal ends within a line."""
        return any(one.level == "unfinished" for log in self.logs for one in log.findings)

    @property
    def ended(self) -> bool:
        """Whether the run has its seal, and no journal of an idea goes on after it."""
        last = self.run.sealed
        heads = (last.event.ideas or {}) if last else {}
        whole = all(heads.get(log.folder.name, log.head) == log.head for log in self.ideas)
        return last is not None and whole and not self.torn and not self.working


def read_record(paths: RunPaths, *, working: bool = False) -> RunRecord:
    """Read the run in a folder that contains a journal."""
    shared, run = BlobStore(paths.blobs), _read(paths.journal, "", None)
    found = sorted(
        path
        for path in paths.folder.glob(f"*/{paths.journal.name}")
        if not path.parent.is_symlink()
    )
    ideas = [_read(path, path.parent.name + "/", shared) for path in found]
    # Before its ideas: an idea's line that is newer than the run's is no fault.
    return RunRecord(paths, run, tuple(ideas), working)


def _read(path: Path, prefix: str, shared: BlobStore | None) -> JournalLog:
    name = prefix + path.name
    lines: list[JournalLine[Event]] = []
    findings: list[AuditFinding] = []
    head, number, torn = GENESIS, 0, b""

    def found(what: str, why: str) -> None:
        findings.append(AuditFinding("chain", f"{name}:{max(number, 1)}", what, why))

    try:
        with open_plain(path, MOST_JOURNAL) as file:
            for number, raw in enumerate(iter(lambda: file.readline(MOST_LINE), b""), start=1):
                if not raw.endswith(b"\n"):
                    torn = raw
                    break
                line, wrong = _line(raw[:-1], name, number, head)
                for what, why in wrong:
                    found(what, why)
                lines += [line] if line is not None else []
                # The hash of the bytes as they are: a changed line then also breaks the next one.
                head = digest(raw[:-1])
                if len(findings) >= MOST_FINDINGS:
                    found("the rest of the journal is not read", f"{MOST_FINDINGS} faults so far")
                    break
    except (NotPlain, OSError) as error:
        found("the journal cannot be read", str(getattr(error, "strerror", None) or error))
    if findings and not number:
        pass  # it was not read
    elif len(torn) == MOST_LINE:
        found("the rest of the journal is not read", f"a line has {MOST_LINE} bytes or more")
    elif torn or not number:
        what = f"the last line has no end: {len(torn)} bytes" if torn else "the journal is empty"
        why = "the program was stopped during a write, or the file was truncated"
        where = f"{name}:{max(number, 1)}"
        # Of a run without a first line nothing is known that could be finished.
        level: FindingLevel = "unfinished" if torn or shared else "wrong"
        findings.append(AuditFinding("chain", where, what, why, FINISH, level))
    blobs = BlobStore(path.parent / "blobs", *([shared] if shared else []))
    return JournalLog(name, path.parent, tuple(lines), head, blobs, tuple(findings))


def _line(
    raw: bytes, name: str, number: int, head: str
) -> tuple[JournalLine[Event] | None, list[tuple[str, str]]]:
    """The line, if it is readable, and (what, why) of each of its faults."""
    try:
        event = read_event(raw)
        same = canonical(event) == raw
    except (ValueError, RecursionError) as error:
        return None, [("this is not a line that aisci writes", str(error)[:200])]
    wrong = []
    if event.prev != head:
        what = "this line, or the one before it, was changed, removed or moved"
        why = f"it names the hash {event.prev[:12]}…; the line before it has {head[:12]}…"
        wrong.append((f"the chain breaks here: {what}", why))
    if event.n != number - 1:
        wrong.append(("lines are missing, or have another order", f"this is number {event.n}"))
    if not same:
        wrong.append(("this line's bytes are not in the form that aisci writes", ""))
    schema = event.schema if isinstance(event, RunStarted | IdeaStarted) else None
    if number == 1 and schema != JOURNAL_SCHEMA:
        why = f"it is {event.kind!r}, schema {schema!r}; this aisci reads {JOURNAL_SCHEMA}"
        wrong.append(("this is not the first line of a journal", why))
    return JournalLine(name, number, digest(raw), event), wrong
