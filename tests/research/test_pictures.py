"""A model that can see is shown the figures, and what it finds wrong goes back to their author."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.prepare import open_author, shows_pictures
from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import UserError
from orchestrator.core.model import ROLES, SWEEP, Ask, Reply
from orchestrator.core.papers import Paper
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal
from orchestrator.record.ports import Ports
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import look, panel, review
from tests.research.test_plots import CAPTION, drawn, stage
from tests.support import paper_rig
from tests.support.plots_rig import Stage, program

PAPER = Paper(files=Tree(), pages=("A paper of one page.",))
HIDDEN = "a.png, as a reader saw it: The second line hides the first; offset them."


def seen(*problems: str, file: str = "a.png") -> str:
    return json.dumps({"figures": [{"file": file, "problems": problems}]})


class Seeing(Stage):
    """A stage whose author sees, and answers a look with the next of ``looks``."""

    def __init__(self, one: Stage, *looks: str) -> None:
        self.__dict__ |= one.__dict__
        self.shown: list[Ask] = []
        self.looks, self.complete = list(looks), one.author.complete
        self.author.complete = self._answer  # type: ignore[method-assign]  # it answers looks too

    def _answer(self, ask: Ask, within: Deadline) -> Reply:
        if ask.purpose != "plots.look":
            return self.complete(ask, within)
        self.shown.append(ask)
        text = self.looks[min(len(self.shown), len(self.looks)) - 1]
        return replace(self.complete(replace(ask, messages=()), within), text=text)

    def study(self) -> Study:
        return replace(super().study(), sees=frozenset(ROLES))


def seeing(folder: Path, *looks: str, replies: int = 4) -> Seeing:
    texts = (program(str(n)) + CAPTION for n in range(replies))
    return Seeing(stage(folder, lambda _: drawn("a.png"), *texts), *looks)


def test_what_a_reader_sees_goes_back_and_is_looked_at_again_when_it_is_drawn_anew(
    tmp_path: Path,
) -> None:
    one = seeing(tmp_path, seen("The second line hides the first; offset them."), seen())
    study = one.draw()
    assert HIDDEN in one.author.troubles
    assert len(one.shown) == 2
    (picture,) = one.shown[0].messages[-1].pictures
    assert picture.name == "a.png"
    assert one.blobs.get(picture.sha256) == paper_rig.png(40, 30)
    assert "Loss against updates." in one.shown[0].messages[-1].content
    assert one.noted.problems == ()
    assert study.figures == ("a.png",)


def test_a_reader_who_is_never_content_looks_twice_and_the_figure_is_shown(tmp_path: Path) -> None:
    one = seeing(tmp_path, seen("It is dull."))
    assert one.draw().figures == ("a.png",)
    assert len(one.shown) == 2


def test_a_problem_of_a_file_that_was_not_shown_is_no_problem(tmp_path: Path) -> None:
    one = seeing(tmp_path, seen("Draw it again.", file="../b.png"))
    one.draw()
    assert len(one.shown) == 1


def test_a_model_that_does_not_see_is_not_asked(tmp_path: Path) -> None:
    one = seeing(tmp_path, seen("It is dull."))
    one.study = super(Seeing, one).study  # type: ignore[method-assign]  # its study does not see
    one.draw()
    assert one.shown == []


def test_a_picture_too_large_for_vendors_and_a_ninth_one_are_not_sent(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    ports = Ports(
        None,  # type: ignore[arg-type]  # nothing is asked
        Journal(tmp_path / "journal.jsonl", blobs), blobs, None, "idea",  # type: ignore[arg-type]
    )  # fmt: skip
    study = replace(paper_rig.study(blobs), sees=frozenset(ROLES))
    large = blobs.put(bytes(look.LARGEST_PICTURE + 1))
    files = Tree.of({f"{n}.png": blobs.put(b"%d" % n) for n in range(9)} | {"0.png": large})
    names = [one.name for one in look.pictures_of(study, files, ports, "vision")]
    assert names == [f"{n}.png" for n in range(1, 9)]
    assert look.pictures_of(replace(study, sees=frozenset()), files, ports, "vision") == ()


def test_a_reviewer_that_sees_gets_the_papers_figures(tmp_path: Path) -> None:
    one = seeing(tmp_path, seen())
    study = replace(paper_rig.study(one.blobs), sees=frozenset(ROLES), paper=PAPER)
    asked: list[Ask] = []

    def answer(ask: Ask, within: Deadline) -> Reply:
        asked.append(ask)
        form = {"Summary": "It tells of runs of a template.", "Strengths": [], "Weaknesses": []}
        return replace(one.complete(replace(ask, messages=()), within), text=json.dumps(form))

    one.author.complete = answer  # type: ignore[method-assign]  # it reviews
    panel.review_paper(study, one.ports)
    shown = [picture.name for picture in asked[0].messages[-1].pictures]
    assert shown == ["final_comparison.png", "val_curves.png"]


def test_a_reviewer_gets_the_pages_in_their_order(tmp_path: Path) -> None:
    """Not in that of their names, where page 10 comes before page 2."""
    one = seeing(tmp_path, seen())
    pages = {f"latex/out/page-{n}.png": one.ports.blobs.put(b"%d" % n) for n in range(1, 15)}
    paper = replace(PAPER, files=PAPER.files.updated(pages))
    study = replace(paper_rig.study(one.blobs), sees=frozenset(ROLES), paper=paper)
    shown = review.under_review(study, one.ports).pictures
    assert [picture.name for picture in shown] == [*pages][: review.PAGE_PICTURES]
    blind = replace(study, sees=frozenset())
    assert review.under_review(blind, one.ports).pictures == ()


def test_a_program_that_looks_at_nothing_cannot_be_told_to_look() -> None:
    model = open_author(SWEEP, environ={})
    assert not shows_pictures(model, asked=None)
    with pytest.raises(UserError, match="looks at nothing"):
        shows_pictures(model, asked=True)


def test_what_is_known_of_a_model_decides_unless_it_is_said() -> None:
    environ = {"OPENAI_API_KEY": "none"}
    seeing, blind = (
        open_author(name, environ=environ) for name in ("openai/gpt-4o", "openai/gpt-3.5-turbo")
    )
    assert (shows_pictures(seeing, asked=None), shows_pictures(blind, asked=None)) == (True, False)
    assert (shows_pictures(seeing, asked=False), shows_pictures(blind, asked=True)) == (False, True)
