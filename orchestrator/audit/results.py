"""The claims of finished runs: a recorded container must have written every file."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.calls import AuditedCalls
from orchestrator.audit.finding import AuditFinding, CheckResult, check_result
from orchestrator.audit.record import UNREADABLE_BODY, JournalLine, JournalLog, RunRecord
from orchestrator.record.events import Noted
from orchestrator.record.notes import RunFinished, read_note


def check_results(record: RunRecord, calls: AuditedCalls) -> CheckResult:
    """Every `run_finished` note against the earlier jobs of its own idea."""
    notes = [
        (line, log)
        for log in record.logs
        for line in log.of(Noted)
        if line.event.name == "run_finished"
    ]
    found = (finding for line, log in notes for finding in _note_findings(line, log, calls))
    return check_result("results", len(notes), found)


def _note_findings(
    line: JournalLine[Noted], log: JournalLog, calls: AuditedCalls
) -> Iterator[AuditFinding]:
    try:
        note = read_note(log.load(line.event.body))
    except UNREADABLE_BODY:
        yield AuditFinding("results", line.where, "a finished run's note cannot be read")
        return
    if not isinstance(note, RunFinished):
        what = "a finished run's note has another kind than its line states"
        yield AuditFinding("results", line.where, what)
        return
    # Jobs of another idea, or after the note, do not count: the claim would be unsupported then.
    written = {
        file
        for container in calls.containers
        if container.result is not None and container.result.ok
        if container.call.log is log and container.call.asked.number < line.number
        for file in container.result.files.files
    }
    for path, sha256 in note.run.files.files:
        if (path, sha256) not in written:
            what = f"run {note.run.number} claims {path!r}, which no finished job wrote"
            yield AuditFinding("results", line.where, what)
