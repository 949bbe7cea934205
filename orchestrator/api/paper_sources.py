"""A paper and what it is held to: from a run's idea, or from a folder in the AI Scientist's format."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from orchestrator.api.export import journal_of_run, open_journal
from orchestrator.api.find_run import JOURNAL, find_idea
from orchestrator.api.held_papers import HeldPaper
from orchestrator.api.paper_folders import paper_in_folder, require_no_file, years_in
from orchestrator.core.errors import UnknownName, UserError
from orchestrator.core.untrusted import NotPlain, read_plain
from orchestrator.record.paths import IdeaPaths
from orchestrator.report.reading import IdeaFacts, read_idea, read_run
from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.check import Checked
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import with_compared
from orchestrator.research.paper.appendix import appendix
from orchestrator.research.paper.latex import END, TEX
from orchestrator.research.paper.prose import Sentence
from orchestrator.research.paper.results_tables import results_tables
from orchestrator.research.paper.tables import runs_table
from orchestrator.research.stages.assembly import CODE_HEADING
from orchestrator.research.stages.study_ledger import run_measurements

_LABEL = re.compile(r"\\label\{[^}]*\}")
_APPENDIX = "\\appendix\n"


def held_paper(folder: Path, scale: str = "", results: Path | None = None) -> HeldPaper:
    """Find a paper and the results beside it. ``scale`` is that of a folder without a record; if none,
    the manifest's first, or ``full``. What is no folder is an idea, or the run of one idea alone, below
    ``results``. Raises :class:`UnknownName` if there is no paper.
    """
    if str(folder) != "latest":
        require_no_file(folder)
    if results is not None and not folder.is_dir():
        return _of_idea(find_idea(str(folder), results)[1], scale)
    if (folder / JOURNAL).is_file() and (folder.parent / JOURNAL).is_file():
        return _of_idea(IdeaPaths(folder), scale)
    if (folder / JOURNAL).is_file():
        ideas = sorted(path.parent for path in folder.glob(f"*/{JOURNAL}"))
        if len(ideas) == 1:
            return _of_idea(IdeaPaths(ideas[0]), scale)
        names = ", ".join(path.name for path in ideas) or "none"
        raise UnknownName(
            "this is a run, not one of its ideas",
            where=str(folder),
            why=f"its ideas: {names}",
            todo="name the folder of one idea: `aisci check paper RUN/IDEA`",
        )
    return paper_in_folder(folder, scale)


def facts_of(paths: IdeaPaths) -> IdeaFacts:
    """What an idea's journal says, with its run's where that is beside it."""
    journal = open_journal(paths)
    run = journal_of_run(journal)
    return read_idea(journal, read_run(run) if run is not None else None)


def _of_idea(paths: IdeaPaths, scale: str) -> HeldPaper:
    facts = facts_of(paths)
    source = facts.reached.tree.get(TEX)
    if source is None or facts.reached.paper is None:
        raise UnknownName(
            "this idea has no paper",
            where=str(paths.folder),
            why=f"it ended as: {facts.status}",
            todo="`aisci resume` goes on with a run that was stopped",
        )
    if scale and facts.pins and scale != facts.pins.scale:
        raise UserError(
            "this run was made at another scale",
            where=f"--scale {scale[:80]!a}",
            why=f"its record says: {facts.pins.scale}",
            todo="leave --scale out: it is for a folder without a record",
        )
    recorded = facts.blob(source)
    held = source_of_idea(facts, recorded.decode())
    return replace(held, differs=_differs(paths.folder / TEX, recorded))


def _differs(path: Path, recorded: bytes) -> str:
    """How the file on disk is not the recorded source; empty where it is the same, or is not there."""
    if not os.path.lexists(path):
        return ""
    try:
        same = read_plain(path, max(len(recorded), 1)) == recorded
    except (NotPlain, OSError):
        same = False  # also of a file that is longer
    return "" if same else f"{path} is not the recorded source"


def source_of_idea(facts: IdeaFacts, tex: str) -> HeldPaper:
    """A source that is held to an idea's record, and the tables that the program prints."""
    records = run_measurements(facts.runs, dict(facts.results), facts.journal.blobs)
    scale = facts.pins.scale if facts.pins else "full"
    ledger = with_compared(_ledger_of(facts, tex, records, scale), [tex])
    rest, changed = _without_own(tex, facts, ledger)
    return HeldPaper(
        source=TEX,
        tex=rest,
        changed=tuple(changed),
        ledger=ledger,
        records=tuple(records),
        manifest=facts.manifest,
        scale=scale,
        described={run.number: run.description for run in facts.runs},
    )


def _without_own(tex: str, facts: IdeaFacts, ledger: Ledger) -> tuple[str, list[Checked]]:
    """``tex`` with blanks in place of the program's own tables, and a problem for each table that differs
    from the one that this release prints from the record.
    """
    tables = (*results_tables(ledger), runs_table(facts.runs))
    own = [(text, label[0]) for text in tables if (label := _LABEL.search(text))]
    changed = []
    for text, mark in [*own, (appendix(ledger, tex), _APPENDIX)]:
        there = text if text in tex else _around(mark, tex)
        if text and there and there != text:
            said = f"{mark.strip()}: this differs from what this release prints from the record"
            changed.append(Checked(Sentence("program", ""), (), (said,)))
        tex = tex.replace(there, re.sub(r"[^\n]", " ", there)) if text and there else tex
    listing = tex.find(CODE_HEADING)
    return (tex[:listing] + END if listing >= 0 else tex), changed


def _around(mark: str, tex: str) -> str:
    """The float that a label stands in, or all of an appendix before its code; empty if there is none."""
    at = tex.find(mark)
    start = at if mark == _APPENDIX else tex.rfind(r"\begin{table", 0, max(at, 0))
    closed = CODE_HEADING if mark == _APPENDIX else r"\end{table"
    end = tex.find(closed, max(at, 0))
    if at < 0 or start < 0:
        return ""
    return tex[start : end if end >= 0 else len(tex)]


def _ledger_of(facts: IdeaFacts, tex: str, records: list[RunMeasurements], scale: str) -> Ledger:
    added = [one.name for note in facts.plans for one in note.plan.metrics if one.headline]
    decides = [name for note in facts.plans[:1] for name in note.plan.decides]
    declared = facts.manifest.headline if facts.manifest else ()
    headline = tuple(dict.fromkeys((*decides, *added, *declared)))
    planned = (run for note in facts.plans for run in note.plan.runs)
    texts = [text for one in planned for text in (one.tests, one.expects, one.refuted_by)]
    return build_ledger(
        records, facts.metrics, headline, scale, facts.manifest,
        texts=[facts.idea.experiment, *texts], years=years_in(tex),
    )  # fmt: skip
