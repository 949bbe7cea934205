"""Bodies and files: everything that a line names by its hash exists and has that hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.audit.finding import AuditFinding, CheckResult, check_result
from orchestrator.audit.record import UNREADABLE_BODY, JournalLine, JournalLog, RunRecord
from orchestrator.core.files import UNFINISHED
from orchestrator.core.untrusted import NotPlain, open_plain
from orchestrator.record.events import Event, Forked, RunStarted, to_json

_HEX = re.compile(r"[0-9a-f]{64}")


def check_blobs(record: RunRecord) -> CheckResult:
    """Every file of every store against its name, and every name in a line against the stores."""
    folders = {log.folder: _hashes(log.blobs.folder) for log in record.logs}
    changed = "a stored file was changed: its bytes do not match its name"
    unread = "a stored file cannot be read, or is no plain file"
    found = [
        AuditFinding(
            "blobs",
            str((folder / "blobs" / name).relative_to(record.paths.folder)),
            changed if sha256 else unread,
        )
        for folder, hashes in folders.items()
        for name, sha256 in hashes.items()
        if name != sha256
    ]
    shared, count = folders[record.run.folder], 0
    for log in record.logs:
        known = folders[log.folder].keys() | shared.keys()
        for line in log.lines:
            names = dict(named_hashes(line, log))
            count += len(names)
            what = "a line names a file that is missing"
            whys = (
                f"{names[one]}, {one[:12]}…, is in no store" for one in names if one not in known
            )
            found += [AuditFinding("blobs", line.where, what, why) for why in whys]
    return check_result("blobs", count, found)


def _hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in a store, by the file's name."""
    if not folder.is_dir():
        return {}
    hashes = {}
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(UNFINISHED):
            try:
                with open_plain(path) as file:
                    hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
            except (NotPlain, OSError):
                hashes[path.name] = ""  # whatever it is, it has not the bytes of its name
    return hashes


def named_hashes(line: JournalLine[Event], log: JournalLog) -> Iterator[tuple[str, str]]:
    """(SHA-256, what it is) of each body and file that a line names, also within its bodies."""
    event = line.event
    if isinstance(event, RunStarted | Forked):
        yield from _files(to_json([event.pins.template, event.pins.imported]))
        lists = (one for one in event.contents if one.packages)
        yield from ((one.packages, f"the package list of {one.name}") for one in lists)
    for body in (getattr(event, "body", None), getattr(event, "evidence", None)):
        if body is None:
            continue
        if body.blob is not None:
            yield body.blob, "a body"
        try:
            yield from _files(log.load(body))
        except UNREADABLE_BODY:
            continue  # a missing or changed body is already found by its own name


def _files(value: Any) -> Iterator[tuple[str, str]]:
    """The files of every tree within a JSON value."""
    if isinstance(value, dict):
        files = value.get("files")
        for pair in files if isinstance(files, list) else ():
            match pair:
                case [path, str(sha256)] if _HEX.fullmatch(sha256):
                    yield sha256, f"the file {path!r}"
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _files(part)
