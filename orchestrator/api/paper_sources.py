"""A paper and what it is held to: from a run's idea, or from a folder in the AI Scientist's format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.export import journal_of_run, open_journal
from orchestrator.api.find_run import JOURNAL, find_idea
from orchestrator.core.errors import BadFile, BadResults, UnknownName
from orchestrator.core.files import utf8_text
from orchestrator.core.untrusted import read_plain
from orchestrator.record.paths import IdeaPaths
from orchestrator.report.reading import IdeaFacts, read_idea, read_run
from orchestrator.research.claims.build import RunMeasurements, build_ledger
from orchestrator.research.claims.check import Checked
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import with_compared
from orchestrator.research.paper.appendix import appendix
from orchestrator.research.paper.latex import BEGIN, END, TEX
from orchestrator.research.paper.prose import Sentence
from orchestrator.research.paper.references import references
from orchestrator.research.paper.results_tables import results_tables
from orchestrator.research.paper.tables import runs_table
from orchestrator.research.stages.assembly import CODE_HEADING
from orchestrator.research.stages.study_ledger import run_measurements
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import parse_final_info, per_seed
from orchestrator.template.template import from_files

_LABEL = re.compile(r"\\label\{[^}]*\}")
_APPENDIX = "\\appendix\n"
_MOST_RUNS = 200
_MOST_BYTES = 4 << 20  # of a paper's source, or of a file of code


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPaper:
    """A paper's source, and all that is known of its study. ``tex`` has blanks in place of the program's own
    tables, ``changed`` are those of them that differ from what this release prints. ``described`` says in words
    what each run is, by its number.
    """

    source: str
    tex: str
    changed: tuple[Checked, ...] = ()
    ledger: Ledger
    records: tuple[RunMeasurements, ...]
    manifest: Manifest | None
    scale: str
    described: Mapping[int, str]

    @property
    def by_reference(self) -> bool:
        """Whether its numbers were printed by the program."""
        return r"\measured{" in self.tex


def held_paper(folder: Path, scale: str = "", results: Path | None = None) -> HeldPaper:
    """Find a paper and the results beside it. ``scale`` is that of a folder without a record; if none,
    the manifest's first, or ``full``. What is no folder is an idea, or the run of one idea alone, below
    ``results``. Raises :class:`UnknownName` if there is no paper.
    """
    if results is not None and not folder.is_dir():
        return _of_idea(find_idea(str(folder), results)[1])
    if (folder / JOURNAL).is_file() and (folder.parent / JOURNAL).is_file():
        return _of_idea(IdeaPaths(folder))
    if (folder / JOURNAL).is_file():
        ideas = sorted(path.parent for path in folder.glob(f"*/{JOURNAL}"))
        if len(ideas) == 1:
            return _of_idea(IdeaPaths(ideas[0]))
        names = ", ".join(path.name for path in ideas) or "none"
        raise UnknownName(
            "this is a run, not one of its ideas",
            where=str(folder),
            why=f"its ideas: {names}",
            todo="name the folder of one idea: `aisci check paper RUN/IDEA`",
        )
    return _of_folder(folder, scale)


def facts_of(paths: IdeaPaths) -> IdeaFacts:
    """What an idea's journal says, with its run's where that is beside it."""
    journal = open_journal(paths)
    run = journal_of_run(journal)
    return read_idea(journal, read_run(run) if run is not None else None)


def _of_idea(paths: IdeaPaths) -> HeldPaper:
    facts = facts_of(paths)
    source = facts.reached.tree.get(TEX)
    if source is None or facts.reached.paper is None:
        raise UnknownName(
            "this idea has no paper",
            where=str(paths.folder),
            why=f"it ended as: {facts.status}",
            todo="`aisci resume` goes on with a run that was stopped",
        )
    return source_of_idea(facts, facts.blob(source).decode())


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
        texts=[facts.idea.experiment, *texts], years=_years(tex),
    )  # fmt: skip


def _of_folder(folder: Path, scale: str) -> HeldPaper:
    """A folder with ``run_i/final_info.json``, the code of the runs, and a paper."""
    source = _source_in(folder)
    tex = _text(source)
    records = [one for number in range(_MOST_RUNS) if (one := _record(folder, number))]
    if not records:
        raise UnknownName(
            "there are no results beside this paper",
            where=str(folder),
            why="it holds no run_0/final_info.json",
            todo="name the folder that holds run_0/, run_1/ … and the paper",
        )
    manifest = _manifest(folder)
    metrics = manifest.metrics if manifest else {}
    headline = manifest.headline if manifest else ()
    first = next(iter(manifest.scales)) if manifest else "full"
    scale = scale or first
    return HeldPaper(
        source=str(source.relative_to(folder)),
        tex=tex,
        ledger=build_ledger(records, metrics, headline, scale, manifest, years=_years(tex)),
        records=tuple(records),
        manifest=manifest,
        scale=scale,
        described={},
    )


def _source_in(folder: Path) -> Path:
    names = (TEX, "paper.tex", "latex/paper.tex", "template.tex")
    found = [folder / name for name in names if (folder / name).is_file()]
    found += sorted(folder.glob("*.tex")) if folder.is_dir() else []
    for path in found:
        if BEGIN in _text(path):
            return path
    raise UnknownName(
        "there is no paper",
        where=str(folder),
        why="it holds no latex/template.tex, and no other LaTeX source with a document",
        todo="name an idea's folder, results/TEMPLATE/DATE_TIME/IDEA, or a folder with a paper",
    )


def _record(folder: Path, number: int) -> RunMeasurements | None:
    info = folder / f"run_{number}" / "final_info.json"
    if not info.is_file():
        return None
    data = read_plain(info, _MOST_BYTES)
    own = folder / f"run_{number}.py"
    code = own if own.is_file() else folder / "experiment.py"
    try:
        results = parse_final_info(data)
    except BadResults as error:
        raise BadFile(error.what, where=str(info), why=error.why, todo=error.todo) from error
    return RunMeasurements(
        number=number,
        name="baseline" if number == 0 else f"run {number}",
        base=0,
        seconds=0.0,
        results=results,
        values=per_seed(data),
        code={"experiment.py": _text(code)} if code.is_file() else {},
    )


def _manifest(folder: Path) -> Manifest | None:
    path = folder / "template.yaml"
    if not path.is_file():
        return None
    files: Mapping[str, bytes] = {"template.yaml": read_plain(path, _MOST_BYTES)}
    return from_files(dict(files), folder.name, str(folder)).manifest


def _text(path: Path) -> str:
    return utf8_text(read_plain(path, _MOST_BYTES), "this file", str(path), BadFile)


def _years(tex: str) -> list[int]:
    years = [one.fields.get("year", "") for one in references(tex)]
    return [int(year) for year in years if re.fullmatch(r"\d{4}", year)]
