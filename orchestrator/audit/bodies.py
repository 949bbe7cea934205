"""Bodies and files: everything that a line names by its hash is there, and is that."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.audit.finding import Checked, Finding, checked
from orchestrator.audit.record import Line, Log, Record
from orchestrator.core.errors import BadJournal
from orchestrator.core.files import UNFINISHED
from orchestrator.record.bodies import plain
from orchestrator.record.events import Event, Forked, RunStarted

_HEX = re.compile(r"[0-9a-f]{64}")
_STEP = 1 << 20


def blobs(record: Record) -> Checked:
    """Every file of every store against its name, and every name in a line against the stores."""
    folders = {log.folder: _hashes(log.blobs.folder) for log in record.logs}
    found = [
        Finding(
            check="blobs",
            where=str((folder / "blobs" / name).relative_to(record.paths.folder)),
            what="a kept file was changed: its bytes no longer match its name",
        )
        for folder, hashes in folders.items()
        for name, sha256 in hashes.items()
        if name != sha256
    ]
    shared, count = folders[record.run.folder], 0
    for log in record.logs:
        known = folders[log.folder].keys() | shared.keys()
        for line in log.lines:
            names = dict(named(line, log))
            count += len(names)
            found += [_missing(line, name, names[name]) for name in names if name not in known]
    return checked("blobs", count, found)


def _missing(line: Line[Event], sha256: str, what: str) -> Finding:
    why = f"{what}, {sha256[:12]}…, is in no store"
    return Finding(check="blobs", where=line.where, what="a line names what is missing", why=why)


def _hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a store, by its name."""
    if not folder.is_dir():
        return {}
    return {
        path.name: _hash(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(UNFINISHED)
    }


def _hash(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_STEP):
            hasher.update(chunk)
    return hasher.hexdigest()


def named(line: Line[Event], log: Log) -> Iterator[tuple[str, str]]:
    """(SHA-256, what it is) of each body and file that a line names, inside its bodies too."""
    event = line.event
    if isinstance(event, RunStarted | Forked):
        yield from _files(plain(event.pins.template))
    for body in (getattr(event, "body", None), getattr(event, "evidence", None)):
        if body is None:
            continue
        if body.blob is not None:
            yield body.blob, "a body"
        try:
            yield from _files(log.load(body))
        except (BadJournal, ValueError, KeyError, RecursionError):
            continue  # a body that is not there, or no JSON, is found by its own name


def _files(value: Any) -> Iterator[tuple[str, str]]:
    """The files of every tree within a JSON value."""
    if isinstance(value, dict):
        files = value.get("files")
        if isinstance(files, list):
            yield from ((pair[1], f"the file {pair[0]!r}") for pair in files if _is_file(pair))
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _files(part)


def _is_file(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[1], str)
        and _HEX.fullmatch(pair[1]) is not None
    )
