"""The files beside the record: the paper, results, reviews and pages that people pass on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.audit.bodies import named_hashes
from orchestrator.audit.finding import (
    FINISH,
    LET_READ,
    AuditFinding,
    CheckResult,
    FindingLevel,
    check_result,
)
from orchestrator.audit.record import RunRecord
from orchestrator.core.files import UNFINISHED
from orchestrator.core.untrusted import denied_entries, file_hash, folder_entries
from orchestrator.record.paths import beside_record

_REMAKE = (
    "`aisci replay RUN --into FOLDER` makes the files that the record stands for; do not rely on "
    "this one"
)
_LEFT = re.compile(
    rf"(.*/)?({re.escape(UNFINISHED)}([a-z0-9_]{{8}}|live-[0-9a-f]{{16}})|journal\.torn)", re.DOTALL
)
"""What a killed process leaves: a file that it was writing, the board of a job, bytes that resume set aside."""


def check_files(
    record: RunRecord, made: Mapping[str, str] | None, why_not: str, *, anchored: bool
) -> CheckResult:
    """Every file of the folder against ``made``, the SHA-256 of each file that the record makes.

    None: the record could not be played; then only what is no plain file is found, and if there is
    a ``why_not``, it is noted. ``anchored``: there is a head or a key that was kept elsewhere.
    """
    folder = record.paths.folder
    plain: dict[str, str] = {}
    found: list[AuditFinding] = []
    for name, is_plain in folder_entries(folder):
        if not is_plain:
            what = "a link or a special file, which aisci never makes"
            found.append(AuditFinding("files", name, what, todo=_REMAKE))
        elif beside_record(name) or _of_no_check(name, record):
            plain[name] = file_hash(folder / name)
        elif _LEFT.fullmatch(name):
            what = "what a killed process left: no check looks at it, and nothing uses it"
            found.append(AuditFinding("files", name, what, todo="remove it", level="noted"))
    if made is None and not why_not:
        return check_result("files", 0, found)
    if made is None:
        what = f"{len(plain)} files beside the journals were not compared with the record"
        todo = "audit with the version that recorded the run; until then rely on the journals alone"
        todo = todo if record.ended else FINISH
        found.append(AuditFinding("files", ".", what, why_not, todo, level="noted"))
        return check_result("files", 0, found)
    if made and not plain:
        what = "the record stands alone: papers, results and pages were removed"
        todo = "`aisci replay RUN --into FOLDER` makes them again, or `aisci resume RUN` in their place"
        found.append(AuditFinding("files", ".", what, "", todo, level="noted"))
        return check_result("files", 0, found)
    wanted = {name: sha256 for name, sha256 in made.items() if beside_record(name)}
    found += _different(plain, wanted, record, anchored=anchored)
    return check_result("files", len(plain), found)


def _of_no_check(name: str, record: RunRecord) -> bool:
    """Whether a file has a place or a name of those with own checks, and none of these sees it."""
    *folders, last = name.split("/")
    journals = {log.folder.name for log in record.ideas}
    owned = not folders or folders[0] in journals or folders[0] in {"blobs", "evidence"}
    return not owned or (last.startswith(UNFINISHED) and not _LEFT.fullmatch(name))


def unread_findings(folder: Path) -> Iterator[AuditFinding]:
    """What this account may not read: an audit without it is not complete."""
    what = "this account may not read it, so the audit is not complete"
    for name in denied_entries(folder):
        yield AuditFinding("files", name, what, todo=LET_READ)


def _different(
    plain: Mapping[str, str], wanted: Mapping[str, str], record: RunRecord, *, anchored: bool
) -> Iterator[AuditFinding]:
    # The run's page is written last: without it the program was stopped while it wrote files. Who kept
    # a head saw the run end.
    whole = anchored or record.paths.report.name in plain
    level: FindingLevel = "wrong" if whole else "unfinished"
    for name in sorted(wanted.keys() - plain.keys()):
        what = "a file that the record makes is missing"
        yield AuditFinding("files", name, what, todo=_REMAKE, level=level)
    for name in sorted(wanted.keys() & plain.keys()):
        if plain[name] != wanted[name]:
            what = "this file is not the one that the record makes: it was changed or replaced"
            if not plain[name]:
                what = "this file cannot be read, so it was not compared"
            yield AuditFinding("files", name, what, todo=_REMAKE)
    foreign = sorted(plain.keys() - wanted.keys())
    known = _known_hashes(record) if foreign else frozenset()
    for name in foreign:
        if plain[name] in known:
            what = "a file of an earlier state of the run, which its last state no longer has"
            yield AuditFinding("files", name, what, todo="nothing", level="noted")
        else:
            what = "a foreign file: nothing in the record makes it"
            yield AuditFinding("files", name, what, todo=_REMAKE)


def _known_hashes(record: RunRecord) -> frozenset[str]:
    every = (named_hashes(line, log) for log in record.logs for line in log.lines)
    return frozenset(sha256 for names in every for sha256, _ in names)
