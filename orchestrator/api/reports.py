"""Write every page of a run again, from its journals alone."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api import find_run
from orchestrator.api.export import open_journal
from orchestrator.core.files import write
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths
from orchestrator.report import idea_report, run_report
from orchestrator.research.pins import read_pins


def write_reports(name: str, results: Path) -> tuple[Path, ...]:
    """Write report.html for the run and for each of its ideas, finished or not."""
    paths = find_run.find_run(name, results)
    read_pins(paths)  # raises where there is nothing to report
    run = Journal(paths.journal, BlobStore(paths.blobs), Mode.REPLAY)
    found = sorted(paths.folder.glob(f"*/{find_run.JOURNAL}"))
    ideas = [IdeaPaths(journal.parent) for journal in found]
    journals = [open_journal(idea) for idea in ideas]
    for idea, journal in zip(ideas, journals, strict=True):
        write(idea.report, idea_report(journal, run))
    write(paths.report, run_report(run, journals))
    return (*(idea.report for idea in ideas), paths.report)
