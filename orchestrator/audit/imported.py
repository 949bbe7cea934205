"""Imported runs: each is of the folder that the run's pins name, and no container stands behind it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.finding import AuditFinding
from orchestrator.audit.record import UNREADABLE_BODY, JournalLine, JournalLog, RunRecord
from orchestrator.record.events import Noted, RunStarted
from orchestrator.record.import_notes import Imported
from orchestrator.record.notes import read_note


def imported_findings(record: RunRecord) -> Iterator[AuditFinding]:
    """A note for the imported runs of each idea, and what of them the pinned folder does not have."""
    pins = [line.event.pins.imported for line in record.run.of(RunStarted)]
    files = {pair for pin in pins if pin for pair in pin.files.files}
    for log in record.ideas:
        for line in log.of(Noted):
            if line.event.name == "imported":
                yield from _findings(line, log, files)


def _findings(
    line: JournalLine[Noted], log: JournalLog, files: set[tuple[str, str]]
) -> Iterator[AuditFinding]:
    try:
        note = read_note(log.load(line.event.body))
    except UNREADABLE_BODY:
        note = None
    if not isinstance(note, Imported):
        yield AuditFinding("results", line.where, "a note of imported runs cannot be read")
        return
    yield AuditFinding(
        "results",
        line.where,
        f"{len(note.runs)} runs were imported from {note.folder!r}",
        "no container of aisci measured them: this audit says nothing of their numbers",
        "to trust them, run the experiments again",
        level="noted",
    )
    for run in note.runs:
        own = [*run.files.files, (f"run_{run.number}.py", run.code.get("experiment.py"))]
        for path, sha256 in own:
            if sha256 is not None and (path, sha256) not in files:
                what = f"run {run.number} claims {path!r}, which the imported folder does not have"
                yield AuditFinding("results", line.where, what)
