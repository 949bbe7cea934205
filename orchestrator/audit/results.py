"""What finished runs claim: every file of theirs came out of a container that is on record."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.calls import Calls
from orchestrator.audit.finding import Checked, Finding, checked
from orchestrator.audit.record import Line, Log, Record
from orchestrator.core.errors import BadJournal
from orchestrator.record.events import Noted
from orchestrator.record.notes import RunFinished, read_note


def results(record: Record, calls: Calls) -> Checked:
    """Every `run_finished` note against the jobs of its own idea, before it."""
    found: list[Finding] = []
    count = 0
    for log in record.logs:
        for line in log.of(Noted):
            if line.event.name == "run_finished":
                count += 1
                found += _claimed(line, log, calls)
    return checked("results", count, found)


def _claimed(line: Line[Noted], log: Log, calls: Calls) -> Iterator[Finding]:
    try:
        note = read_note(log.load(line.event.body))
    except (BadJournal, ValueError, KeyError, RecursionError):
        yield _wrong(line, "a finished run's note cannot be read")
        return
    if not isinstance(note, RunFinished):
        yield _wrong(line, "a finished run's note is of another kind than its line says")
        return
    run = note.run
    came = {
        pair
        for box in calls.boxes
        if box.result is not None and box.result.ok
        if box.call.log is log and box.call.asked.number < line.number
        for pair in box.result.files.files
    }
    for path, sha256 in run.files.files:
        if (path, sha256) not in came:
            yield _wrong(line, f"run {run.number} claims {path!r}, which no finished job left")


def _wrong(line: Line[Noted], what: str) -> Finding:
    return Finding(check="results", where=line.where, what=what)
