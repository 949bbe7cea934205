"""A run's folder as an auditor reads it: every line that can be read, with its place and hash.

Where the program would stop at the first line that does not hold, an audit goes on, so that
all is found at once. What is wrong with a line's form or place in the chain is found here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.audit.finding import Finding
from orchestrator.core.tree import canonical, digest
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import GENESIS, SCHEMA
from orchestrator.record.paths import RunPaths

Kind = Literal["run_started", "idea_started", "forked", "asked", "answered", "noted", "sealed"]
_CALL = ("port", "scope", "ord", "request", "seconds")
_NEEDS: dict[str, tuple[str, ...]] = {
    "run_started": ("pins",),
    "idea_started": ("idea", "id"),
    "forked": ("pins",),
    "asked": (*_CALL[:4], "body"),
    "answered": _CALL,
    "noted": ("scope", "name", "body"),
    "sealed": ("count", "head"),
}


class Line(BaseModel):
    """One line of a journal; which fields it has depends on its kind."""

    model_config = ConfigDict(frozen=True, strict=True)

    journal: str  # its file, below the run's folder
    number: int  # from 1, as editors count
    hash: str
    n: int
    prev: str
    at: str
    kind: Kind
    port: str = ""
    scope: str = ""
    ord: int = 0
    name: str = ""
    request: str = ""
    body: dict[str, Any] | None = None
    evidence: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    seconds: float = 0.0
    pins: dict[str, Any] = {}
    idea: dict[str, Any] = {}
    id: str = ""
    count: int = -1
    head: str = ""
    ideas: dict[str, str] | None = None
    check: str = ""

    @property
    def where(self) -> str:
        return f"{self.journal}:{self.number}"


@dataclass(frozen=True, slots=True)
class Log:
    """One journal: its lines, the hash of its last one, and the stores of its bodies."""

    name: str
    folder: Path
    lines: tuple[Line, ...]
    head: str
    blobs: BlobStore
    findings: tuple[Finding, ...]

    def of(self, *kinds: str) -> Iterator[Line]:
        return (line for line in self.lines if line.kind in kinds)

    @property
    def sealed(self) -> Line | None:
        """The last line, if it is a seal."""
        return self.lines[-1] if self.lines and self.lines[-1].kind == "sealed" else None

    def load(self, body: dict[str, Any]) -> Any:
        """The value that a line carries. Raises :class:`BadJournal` or ValueError."""
        return body["inline"] if "inline" in body else json.loads(self.blobs.get(str(body["blob"])))


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
    lines: list[Line] = []
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
) -> tuple[Line | None, list[tuple[str, str]]]:
    """The line, if it can be read, and (what, why) of everything that is wrong with it."""
    try:
        data, line = _parsed(raw, name, number)
        same = canonical(data) == raw
    except (ValueError, TypeError, RecursionError) as error:
        return None, [("this is no line that aisci writes", _short(error))]
    wrong = []
    if line.prev != head:
        wrong.append(
            (
                "the chain breaks here: this line, or the one before it, was changed, removed or moved",
                f"it follows a line with the hash {line.prev[:12]}…; the one before has {head[:12]}…",
            )
        )
    if line.n != number - 1:
        wrong.append(("lines are missing, or stand in another order", f"this is number {line.n}"))
    if not same:
        wrong.append(("this line's bytes are not as aisci writes them", ""))
    if number == 1 and (data.get("schema") != SCHEMA or not line.kind.endswith("_started")):
        why = f"it is {line.kind!r}, schema {data.get('schema')!r}; this aisci reads {SCHEMA}"
        wrong.append(("a journal does not begin so", why))
    return line, wrong


def _parsed(raw: bytes, name: str, number: int) -> tuple[dict[str, Any], Line]:
    data = json.loads(raw)
    if not isinstance(data, dict):
        raise TypeError("it is no object")
    missing = [key for key in _NEEDS.get(str(data.get("kind")), ()) if key not in data]
    if missing:
        raise TypeError(f"it has no {', '.join(missing)}")
    about = {"journal": name, "number": number, "hash": digest(raw)}
    return data, Line.model_validate(data | about)


def _short(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return str(error)[:200]
