"""A correction that changes nothing is asked for once more, and no container compiles the same source again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.errors import StageLeft
from orchestrator.core.job import Job
from orchestrator.core.model import Ask
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.events import IdeaStarted
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.assembly import assembled
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.writeup import write_sections
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.support import paper_rig as rig
from tests.support.journal_rig import IDEA
from tests.support.run_rig import compiled


class Bench:
    r"""A paper that LaTeX refuses while ``\wrong`` stands in it, and an author of corrections."""

    def __init__(self, folder: Path, answer: Callable[[int], str]) -> None:
        self.folder, self.blobs = folder, BlobStore(folder / "blobs")
        self.compiled = 0
        self.asked = 0

        def change(ask: Ask, text: str) -> str:
            if ask.purpose != "compile.fix":
                return text
            self.asked += 1
            return answer(self.asked)

        self.model = rig.Writer(change)
        self.study: Study | None = None

    def ports(self, mode: Mode = Mode.RESUME) -> Ports:
        edges = Edges(
            self.model,
            rig.editor(self.blobs),
            ScriptedSandbox(self.blobs, self.ending),
            rig.TWO_PAPERS,
        )
        journal = Journal(self.folder / "journal.jsonl", self.blobs, mode)
        if not journal.events:
            journal.append(IdeaStarted(id=IDEA.id, idea=IDEA))
        return Ports(edges, journal, self.blobs, JournalBudget(), "idea")

    def ending(self, job: Job) -> Ending:
        self.compiled += 1
        source = self.blobs.get(job.files.as_dict()["latex/template.tex"]).decode()
        files = compiled(source) | {"latex/out/pages.json": b'["a page"]'}
        if "\\wrong" in source:
            report = json.loads(files["latex/out/report.json"])
            report |= {"ok": False, "errors": ["line 9: Undefined control sequence."]}
            files = {"latex/out/report.json": json.dumps(report).encode()}
        return Ending(files=files)

    def compile(self, mode: Mode = Mode.RESUME) -> Study:
        ports = self.ports(mode)
        study = write_sections(rig.study(self.blobs), ports.within("writeup"))
        rows = dict(study.sections)
        rows["abstract"] += " \\wrong"
        study = compile_paper(
            assembled_with(study, tuple(rows.items()), ports), ports.within("compile")
        )
        self.study = study
        return study


def assembled_with(study: Study, sections: tuple[tuple[str, str], ...], ports: Ports) -> Study:
    study = replace(study, sections=sections)
    return assembled(study, ports, study_ledger(study, ports, study.skeleton))


def nothing(_: int) -> str:
    return '```json\n{"corrections": []}\n```'


def mended(_: int) -> str:
    row = {"section": "abstract", "old": "\\wrong", "new": ""}
    return f"```json\n{json.dumps({'corrections': [row]})}\n```"


def test_two_corrections_that_change_nothing_end_the_stage_after_one_container(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, nothing)
    with pytest.raises(StageLeft, match="2 corrections, the last of which changed nothing"):
        bench.compile()
    assert (bench.asked, bench.compiled) == (2, 1)


def test_resume_asks_anew_and_goes_on_after_the_tries_that_were_made(tmp_path: Path) -> None:
    bench = Bench(tmp_path, lambda number: nothing(number) if number < 4 else mended(number))
    with pytest.raises(StageLeft):
        bench.compile()
    study = bench.compile()
    assert study.paper is not None
    assert bench.asked == 4, "two before, one more that changed nothing, then the correction"
    assert bench.compiled == 2
    asked, compiled_before = bench.asked, bench.compiled
    assert bench.compile(Mode.REPLAY).tree == study.tree
    assert (bench.asked, bench.compiled) == (asked, compiled_before)


def test_one_that_changes_nothing_is_asked_once_more_and_its_correction_is_compiled(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, lambda number: nothing(number) if number == 1 else mended(number))
    assert bench.compile().paper is not None
    assert (bench.asked, bench.compiled) == (2, 2)
