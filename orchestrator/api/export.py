"""The files of a run that are made from its journals: evidence, history, papers, reports."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path

from orchestrator.api.find_run import JOURNAL, find_run
from orchestrator.api.printed import write_printed
from orchestrator.api.run_lines import as_written
from orchestrator.core.errors import UserError
from orchestrator.core.files import slug, write
from orchestrator.core.tree import Tree
from orchestrator.core.untrusted import require_plain
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps, write_evidence
from orchestrator.record.events import IdeaStarted
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import StageReached
from orchestrator.record.paths import PAPER_PDF, IdeaPaths, RunPaths
from orchestrator.report import RunFacts, idea_report, read_run, run_report
from orchestrator.report.git_history import History
from orchestrator.research.pins import read_pins
from orchestrator.research.run_spec import PursuedIdea, RunLocation
from orchestrator.research.stages.review_file import reviews_text


class FileExporter:
    """Implements :class:`orchestrator.research.run_spec.Exporter`, for one run."""

    def __init__(self) -> None:
        self._shared: RunFacts | None = None

    def idea(self, output: IdeaPaths, journal: Journal, outcome: PursuedIdea) -> None:
        """Evidence, git history, paper, review and report of one idea."""
        write_evidence(output.evidence, journal)
        write_history(output.history, journal)
        write_printed(output, journal, journal_of_run(journal))
        study = outcome.study
        sha256 = study.tree.get(PAPER_PDF) if study.paper is not None else None
        pdf = output.folder / f"{slug(study.idea.name)}.pdf"
        if sha256 is not None:  # under the idea's name, as its users know it
            write(pdf, journal.blobs.get(sha256))
        elif pdf.is_file():  # of before a stage that was made again: it is not this study's
            pdf.replace(pdf.with_stem(f"{pdf.stem}_earlier"))
        for number, one in enumerate(study.improvements, start=1):
            other = one.before if one.kept == "improved" else one.after
            if other is not None and other.pdf:  # the version of this pass that is not the paper
                name = f"{slug(study.idea.name)}_{'before' if one.kept == 'improved' else 'after'}_{number}"
                write(output.folder / f"{name}.pdf", journal.blobs.get(other.pdf))
        if study.review is not None:
            write(output.review, reviews_text(study.meta_review, study.reviews))
        else:
            output.review.unlink(missing_ok=True)
        if self._shared is None and (run := journal_of_run(journal)) is not None:
            self._shared = read_run(run)
        write(output.report, idea_report(journal, self._shared))

    def run(self, place: RunLocation, journal: Journal, outcomes: tuple[PursuedIdea, ...]) -> None:
        """The evidence of what ideas share, and the run's own report over every idea's journal."""
        write_evidence(place.output.evidence, journal)
        begun = _begun_journals(place.record)
        pursued = {place.record.idea(outcome.study.idea).folder for outcome in outcomes}
        for one in begun:
            if (
                one.path.parent not in pursued
            ):  # taken out of the list: nobody else writes its files
                self._left(IdeaPaths(place.output.folder / one.path.parent.name), one, journal)
        write(place.output.report, run_report(journal, begun))

    def _left(self, output: IdeaPaths, journal: Journal, run: Journal) -> None:
        """The files of an idea that the run left as it stood, as far as its journal alone makes them."""
        write_evidence(output.evidence, journal)
        write_history(output.history, journal)
        write_printed(output, journal, run)
        reached = journal.notes(StageReached, below="idea")[-1:]
        _linked_papers(output, journal)
        if reached and reached[0].reviews:
            write(output.review, reviews_text(reached[0].meta_review, reached[0].reviews))
        else:
            output.review.unlink(missing_ok=True)
        if self._shared is None:
            self._shared = read_run(run)
        write(output.report, idea_report(journal, self._shared))


def open_journal(paths: IdeaPaths, *, torn: bool = False) -> Journal:
    """An idea's journal for reading, its blobs over its run's; with ``torn`` up to a torn last line."""
    blobs = BlobStore(paths.blobs, BlobStore(paths.folder.parent / "blobs"))
    return Journal(paths.journal, blobs, Mode.REPLAY, torn=torn)


def write_history(folder: Path, journal: Journal) -> None:
    """Every finished edit as a commit, after one of the files before the first edit."""
    if journal.mode is Mode.FORK and folder.is_dir():
        shutil.rmtree(folder)  # a new branch of the record: its history is written again
    edits = [step for step in steps(journal) if step.port == "editor" and step.answer is not None]
    history, tree = History(folder), Tree()
    for number, step in enumerate(edits, start=1):
        edit = step.edit
        if number == 1:
            tree = step.edit_request.files
            history.record(0, tree, "the template, before any edit", journal.blobs)
        tree = tree.updated(edit.files)
        history.record(number, tree, f"{step.edit_request.purpose}: {step.place}", journal.blobs)


def journal_of_run(journal: Journal) -> Journal | None:
    """The journal of the run that an idea belongs to: in the folder above."""
    folder = journal.path.parent.parent
    path = folder / journal.path.name
    return Journal(path, BlobStore(folder / "blobs"), Mode.REPLAY) if path.is_file() else None


def differences(made: Path, recorded: Path) -> tuple[list[str], list[str]]:
    """(files that are the same byte for byte, files that differ or are missing) below ``made``."""
    same: list[str] = []
    different: list[str] = []
    for path in sorted(path for path in made.rglob("*") if path.is_file()):
        name = path.relative_to(made)
        other = recorded / name
        equal = other.is_file() and filecmp.cmp(path, other, shallow=False)
        (same if equal else different).append(str(name))
    return same, different


def write_reports(name: str, results: Path, into: Path | None = None) -> tuple[Path, ...]:
    """Write report.html for the run and for each of its ideas, finished or not; ``into`` another folder, with
    the papers that the pages link to. Raises :class:`UserError` for a run that one may only read,
    :class:`BadJournal`.
    """
    paths = find_run(name, results)
    require_plain(paths.folder)
    to = RunPaths(into or paths.folder)
    if into is None and not os.access(paths.folder, os.W_OK):
        raise UserError(
            "you may only read this run's folder",
            where=str(paths.folder),
            todo="`--into DIR` writes the pages into a folder of yours",
        )
    read_pins(paths)  # raises where there is nothing to report
    run = Journal(paths.journal, BlobStore(paths.blobs), Mode.REPLAY, torn=True)
    journals = _begun_journals(paths, torn=True)
    owned = [(IdeaPaths(to.folder / one.path.parent.name), one) for one in journals]
    with as_written(str(paths.folder)):
        shared = read_run(run)
        pages = {own.report: idea_report(journal, shared) for own, journal in owned}
        pages[to.report] = run_report(run, journals)
    for path, page in pages.items():
        write(path, page)
    for own, journal in owned if into is not None else ():
        _linked_papers(own, journal)
    return tuple(pages)


def _linked_papers(output: IdeaPaths, journal: Journal) -> None:
    """The PDF that an idea's page links to."""
    reached = journal.notes(StageReached, below="idea")[-1:]
    name = next(line.idea.name for line in journal.events if isinstance(line, IdeaStarted))
    if reached and reached[0].paper and (sha256 := reached[0].tree.get(PAPER_PDF)):
        write(output.folder / f"{slug(name)}.pdf", journal.blobs.get(sha256))


def _begun_journals(paths: RunPaths, *, torn: bool = False) -> list[Journal]:
    """The journals of a run's ideas in the order in which they were begun."""
    found = sorted(paths.folder.glob(f"*/{JOURNAL}"))
    ideas = [open_journal(IdeaPaths(path.parent), torn=torn) for path in found]

    def begun(journal: Journal) -> str:
        first = journal.events[0] if journal.events else None
        return first.at if isinstance(first, IdeaStarted) else "~"  # after every time

    return sorted((one for one in ideas if one.events), key=begun)
