"""What a run left out because it was asked to: noted, so that nobody takes it for done or for lost."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.audit.finding import AuditFinding
from orchestrator.audit.record import UNREADABLE_BODY, JournalLog, RunRecord
from orchestrator.record.events import Noted
from orchestrator.record.notes import IdeaFinished, read_note

_TODO = "nothing: the run was asked to leave it out; `aisci writeup` or `aisci review` makes it"


def left_out_findings(record: RunRecord) -> Iterator[AuditFinding]:
    """A note for each idea whose last end says that its paper, or its review, was left out."""
    for log in record.ideas:
        ends = list(_ends(log))
        if ends and ends[-1][1].left_out:
            where, note = ends[-1]
            what = f"the {note.left_out} was left out"
            yield AuditFinding("seal", where, what, todo=_TODO, level="noted")


def _ends(log: JournalLog) -> Iterator[tuple[str, IdeaFinished]]:
    for line in log.of(Noted):
        if line.event.name == "finished":
            try:
                note = read_note(log.load(line.event.body))
            except UNREADABLE_BODY:  # the check of blobs, or of the chain, says so
                continue
            if isinstance(note, IdeaFinished):
                yield line.where, note
