"""How a run ended, by its record: finished, failed, or not yet, and then why it stands where it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.audit.record import UNREADABLE_BODY, JournalLog, RunRecord
from orchestrator.record.end_notes import RunFailed
from orchestrator.record.events import Asked, CallFailed, Event, Forked, Noted
from orchestrator.record.notes import IdeaEnded, Note, read_note

_LONGEST = 200  # characters of what a record says


@dataclass(frozen=True, slots=True)
class RunEnd:
    """``state`` is said of the research, not of the record: the record of a failed run may hold."""

    state: Literal["finished", "failed", "unfinished"] = "unfinished"
    why: str = ""

    @property
    def text(self) -> str:
        """A sentence, where it did not end well."""
        words = {"failed": "The run failed", "unfinished": "The run is not finished"}
        return f"{words[self.state]}: {self.why}." if self.why else ""


def run_end(record: RunRecord) -> RunEnd:
    """How the run in ``record`` ended."""
    if not record.ended:
        return RunEnd("unfinished", _why_unfinished(record))
    notes = _notes_of_branch(record.run)
    failed = next((note for note in notes if isinstance(note, RunFailed)), None)
    if failed is not None:
        one = failed.failure
        what = ": ".join(one.what.splitlines()[:2])
        return RunEnd("failed", f"{one.stage}: {what[:_LONGEST]}")
    states = {note.idea: note.status for note in notes if isinstance(note, IdeaEnded)}
    if "failed" in states.values() and "finished" not in states.values():
        return RunEnd("failed", "no idea finished, and at least one failed")
    return RunEnd("finished")


def _why_unfinished(record: RunRecord) -> str:
    """Which of the honest ways to no end it is, as far as the record tells."""
    if record.working:
        return "another process is working on this run"
    last = _last_line(record)
    place = getattr(last, "scope", "its start")
    if record.torn:
        return f"it was killed while it wrote a line, after {place}; no process works on it"
    if isinstance(last, CallFailed):
        return f"it stopped at {place}: {last.error.what.partition(chr(10))[0][:_LONGEST]}"
    ended = [note for note in _notes_of_branch(record.run) if isinstance(note, IdeaEnded)]
    if any(note.status == "stopped" for note in ended[-1:]):
        return "an idea was to end at a stage, as asked"
    during = "during" if isinstance(last, Asked) else "after"
    return f"it was interrupted or killed {during} {place}; no process works on it"


def _last_line(record: RunRecord) -> Event | None:
    last = [log.lines[-1].event for log in record.logs if log.lines]
    return max(last, key=lambda event: str(event.at), default=None)


def _notes_of_branch(log: JournalLog) -> list[Note]:
    """The notes since the last fork that can be read."""
    notes: list[Note] = []
    for line in log.lines:
        if isinstance(line.event, Forked):
            notes.clear()
        elif isinstance(line.event, Noted):
            try:
                notes.append(read_note(log.load(line.event.body)))
            except UNREADABLE_BODY:
                continue  # the check of blobs reports it
    return notes
