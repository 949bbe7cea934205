"""A deck about a finished study: numbers by reference, figures once, few words, and the mark on each slide."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.prepare import prepare
from orchestrator.api.slides import SlidesRequest, slides_of
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import IdeaFailed, StageLeft, UnknownName, WrongFormat
from orchestrator.core.job import Job
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.literature.sources import Sources
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.paper.deck import deck_source
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.slides import make_slides
from orchestrator.research.stages.writeup import AUTHOR_NOTE
from orchestrator.research.sweep import SweepModel
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from tests.support import run_rig as rig


@dataclass
class Speaker:
    """``builtin/sweep``, which makes the decks that it is given before its own."""

    decks: list[str]
    name: str = "builtin/sweep"
    asks: list[Ask] = field(default_factory=list)

    def ceiling(self, ask: Ask) -> Usage:
        return SweepModel().ceiling(ask)

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        self.asks.append(ask)
        return (
            Reply(self.decks.pop(0), Usage(), self.name)
            if self.decks
            else SweepModel().complete(ask, within)
        )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, BlobStore]:
    """A finished study, and its store."""
    folder = tmp_path_factory.mktemp("slides")
    spec = prepare(rig.wanted(folder)).setup
    (outcome,) = rig.run_scripted(folder / "run", SweepModel(), Mode.RECORD, spec=spec)
    own = next((folder / "run").glob("*_*/blobs"))
    return outcome.study, BlobStore(own, BlobStore(folder / "run" / "blobs"))


def ports(folder: Path, store: BlobStore, author: Speaker, *, broken: bool = False) -> Ports:
    blobs = BlobStore(folder / "blobs", store, *store.parents)
    journal = Journal(folder / "journal.jsonl", blobs, Mode.RECORD)

    def ending(job: Job) -> Ending:
        return Ending(files={}, exit_code=1) if broken else rig.pretend(blobs)(job)

    edges = Edges(author, rig.asking_editor(blobs), ScriptedSandbox(blobs, ending), Sources())
    return Ports(edges, journal, blobs, JournalBudget(), "slides")


def deck(**changed: Any) -> str:
    slides = [{"title": f"Slide {n}", "points": ["One thing."], "figure": None} for n in "abcdef"]
    slides[0] |= changed
    return f"```json\n{json.dumps({'slides': slides})}\n```"


def test_a_deck_has_every_figure_its_numbers_and_the_mark_on_each_slide(
    finished: tuple[Study, BlobStore], tmp_path: Path
) -> None:
    study, store = finished
    author = Speaker([])
    tex, made = make_slides(study, ports(tmp_path, store, author))
    frames = tex.count("\\begin{frame}")
    assert 7 <= frames <= 11
    for figure in study.figures:
        assert tex.count(f"{{{figure}}}") == 1
    assert AUTHOR_NOTE in tex
    assert "\\val{" not in tex
    assert "\\by{" not in tex
    assert made.get("latex/out/paper.pdf")
    (ask,) = author.asks
    assert ask.messages[:-1] == study.said, "the paper's conversation goes on"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (deck(figure="none.png"), "no figure is named 'none.png'"),
        (deck(points=["word " * 30]), "has more than 24 words"),
        (deck(points=["The loss of the baseline is 0.98765."]), "slide 1: 'The loss of the baseline is 0.98765.'"),
        (deck(points=[r"\input{/etc/passwd}"]), "leave out"),
        (deck(points=[r"As \citet{x} says."]), "no citation"),
        (deck(title="x"), "title"),
    ],
)  # fmt: skip
def test_a_rule_that_a_deck_breaks_is_told_to_its_author(
    finished: tuple[Study, BlobStore], tmp_path: Path, bad: str, why: str
) -> None:
    author = Speaker([bad])
    make_slides(finished[0], ports(tmp_path, finished[1], author))
    assert len(author.asks) == 2
    assert why in author.asks[1].messages[-1].content


def test_names_with_signs_of_latex_are_printed(
    finished: tuple[Study, BlobStore], tmp_path: Path
) -> None:
    author = Speaker([deck(points=["STEP_SIZE & 5\\% of $x_1$"])])
    tex, _ = make_slides(finished[0], ports(tmp_path, finished[1], author))
    assert r"STEP\_SIZE \& 5\% of $x_1$" in tex


def test_a_deck_that_stays_unusable_or_does_not_compile_is_a_failure_with_its_reason(
    finished: tuple[Study, BlobStore], tmp_path: Path
) -> None:
    study, store = finished
    with pytest.raises(WrongFormat):
        make_slides(study, ports(tmp_path / "a", store, Speaker(["Nothing."] * 3)))
    with pytest.raises(StageLeft, match="do not compile"):
        make_slides(study, ports(tmp_path / "b", store, Speaker([]), broken=True))
    with pytest.raises(IdeaFailed, match="no paper"):
        make_slides(replace(study, paper=None), ports(tmp_path / "c", store, Speaker([])))


def test_a_folder_that_is_no_idea_of_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="there is no run"):
        slides_of(SlidesRequest(idea=str(tmp_path)))


@pytest.mark.engine
def test_slides_of_a_recorded_run_compile_and_asking_again_costs_nothing(
    quick_run: Path, tmp_path: Path
) -> None:
    (idea,) = (path.parent for path in quick_run.glob("*/journal.jsonl"))
    request = SlidesRequest(idea=str(idea), results=tmp_path)
    done = slides_of(request)
    assert done.pdf.read_bytes().startswith(b"%PDF")
    assert done.slides >= 7
    before = (done.folder / "journal.jsonl").read_bytes()
    assert slides_of(request).pdf == done.pdf
    assert (done.folder / "journal.jsonl").read_bytes() == before


def test_a_title_stands_as_its_author_wrote_it_without_its_line_breaks() -> None:
    tex = deck_source(r"Does \emph{Decay} Help \\[2pt] \& When?", "a & b", "no person", ())
    assert r"Does \emph{Decay} Help \& When?\par" in tex
    assert r"a \& b" in tex
