"""Hostile titles and abstracts go through a whole run as data: nothing but words of the paper changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from orchestrator.api.export import FileExporter
from orchestrator.core.literature import PaperRef, Query
from orchestrator.literature.sources import Sources
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.ports import Edges
from orchestrator.research.paper.references import cited, references
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from orchestrator.research.sweep import SweepModel
from tests.support import run_rig as rig
from tests.support.corpus import corpus, odd


class Shelf:
    """These papers, whatever is asked."""

    def __init__(self, papers: tuple[PaperRef, ...]) -> None:
        self._papers = papers

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        return self._papers[: query.limit]


def run_with(
    folder: Path, papers: tuple[PaperRef, ...]
) -> tuple[PursuedIdea, set[str], list[tuple[str, ...]]]:
    """A run's outcome, the names of its files, and the commands of its containers."""

    def edges(blobs: BlobStore) -> Edges:
        usual = rig.scripted_edges(SweepModel())(blobs)
        return replace(usual, literature=Sources([("library", Shelf(papers))]))

    made = rig.setup(folder)
    place = folder / "run"
    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    (outcome,) = research(made, rig.place(place, Mode.RECORD), tools)
    names = {
        str(path.relative_to(place))
        for path in place.rglob("*")
        if path.is_file() and not {"blobs", "history.git", "evidence"} & set(path.parts)
    }
    shared = BlobStore(RunPaths(place).blobs)
    (own,) = place.glob("*/journal.jsonl")
    journal = Journal(own, BlobStore(own.parent / "blobs", shared), Mode.REPLAY)
    commands = [step.job.argv for step in steps(journal) if step.port == "sandbox"]
    return outcome, names, commands


def test_hostile_papers_change_no_file_no_command_no_score_and_no_format(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain, files, commands = run_with(tmp_path / "a", corpus()[:10])
    evil, evil_files, evil_commands = run_with(tmp_path / "b", odd())
    assert (plain.status, evil.status) == ("finished", "finished")
    assert (evil_files, evil_commands) == (files, commands)
    assert evil.study.novelty.decision == plain.study.novelty.decision == "undecided"
    assert plain.study.review is not None
    assert evil.study.review is not None
    assert evil.study.review.scores == plain.study.review.scores
    assert evil.study.results == plain.study.results
    tex = BlobStore(next((tmp_path / "b/run").glob("*/blobs")), BlobStore(tmp_path / "b/run/blobs"))
    source = tex.get(evil.study.tree.as_dict()["latex/template.tex"]).decode()
    listed = {one.key for one in references(source)}
    assert set(cited(source)) <= listed
    chosen = {one.paper.key for one in evil.study.citations}
    assert len(chosen) > 3, "some of them can be cited, as what they are"
    assert not {one.key for one in odd() if one.retracted} & chosen
    for words in ("\\input{/etc", "\\write18", "<script", "\x1b"):
        assert words not in source
    rows = json.loads(next((tmp_path / "b/run").glob("*/citations.json")).read_text())
    assert {row["reference"]["key"] for row in rows} <= listed
