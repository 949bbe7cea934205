"""``aisci report``: every page of a run again, from its journals alone."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api import find_run as runs
from orchestrator.api.export import open_journal
from orchestrator.console import output as out
from orchestrator.core.files import write
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths
from orchestrator.report import idea_report, run_report
from orchestrator.research.pins import read_pins


def write_all(name: str, results: Path, *, as_json: bool) -> None:
    """Write report.html for the run and for each of its ideas, finished or not."""
    paths = runs.find(name, results)
    read_pins(paths)  # says so where there is nothing to report
    run = Journal(paths.journal, BlobStore(paths.blobs), Mode.REPLAY)
    ideas = [
        IdeaPaths(journal.parent) for journal in sorted(paths.folder.glob(f"*/{runs.JOURNAL}"))
    ]
    journals = [open_journal(idea) for idea in ideas]
    written = []
    for idea, journal in zip(ideas, journals, strict=True):
        write(idea.report, idea_report(journal, run))
        written.append(str(idea.report))
    write(paths.report, run_report(run, journals))
    written.append(str(paths.report))
    if as_json:
        out.as_json({"written": written})
    else:
        out.say("\n".join(written))
