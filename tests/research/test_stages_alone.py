"""A stage of one idea by itself: what comes after it, and the run's other ideas, are left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.export import FileExporter
from orchestrator.api.stage_request import StageCommand, StageRequest, resume_of
from orchestrator.core.errors import ModelBusy, UserError
from orchestrator.core.model import Ask
from orchestrator.record.journal import Mode
from orchestrator.record.notes import StagesAsked
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from tests.research.test_changes import Author, Change, go, numbered, pinned, same_again
from tests.research.test_improving import POINTS, TEXT, reply
from tests.research.test_review import form
from tests.support import run_rig as rig

pytestmark = pytest.mark.program


def alone(
    folder: Path, author: Author, stage: StageCommand, *, mode: Mode = Mode.RESUME, idea: str = "*"
) -> tuple[PursuedIdea, ...]:
    """The stage by itself, as the command asks for it, on scripted edges."""
    (path,) = (path.parent for path in folder.glob(f"{idea}/journal.jsonl"))
    resume = resume_of(StageRequest(stage=stage, idea=str(path)))
    tools = RunDeps(
        edges=rig.scripted_edges(author), exporter=FileExporter(), listener=lambda _: None
    )
    place = replace(rig.place(folder, mode), asked=resume.asked, idea=resume.idea)
    return research(pinned(folder), place, tools)


def judging(*marks: int, text: str = TEXT) -> Change:
    """A reviewer who gives these marks, and an author who answers its three points."""
    left = [*marks]

    def change(ask: Ask, _number: int) -> str | None:
        if ask.purpose == "review.form":
            return form(Overall=left.pop(0), **POINTS)
        if ask.purpose == "review.reflect":
            return "DONE"
        if ask.purpose == "review.answered":
            return '{"settled": [1], "Overall": 6}'
        answers = reply("change", "limit", "change", sections=f"%% SECTION conclusion\n\n{text}")
        return answers if ask.purpose == "writeup.improve" else None

    return change


def purposes(author: Author) -> set[str]:
    return {name.partition(".")[0] for name in author.asked}


def report_text(folder: Path) -> str:
    (path,) = folder.glob("*/report.html")
    return path.read_text()


def test_a_stage_by_itself_stops_there_and_resume_makes_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author())
    (pdf,) = folder.glob("*/*.pdf")
    author = Author()
    (drawn,) = alone(folder, author, "plot")
    assert (drawn.status, drawn.study.paper) == ("stopped", None)
    assert purposes(author) == {"plots"}
    assert not pdf.exists()
    assert pdf.with_stem(f"{pdf.stem}_earlier").read_bytes().startswith(b"%PDF")
    assert not list(folder.glob("*/review.txt"))
    assert "This idea is not finished." in report_text(folder)
    same_again(folder, tmp_path / "stopped")
    rest = Author()
    (whole,) = go(folder, rest, Mode.RESUME)
    assert whole.status == "finished"
    assert {"notes", "writeup", "review"} <= purposes(rest)
    assert not {"plots", "experiment", "plan"} & purposes(rest)
    assert pdf.exists()
    same_again(folder, tmp_path / "again")


def test_the_stages_follow_each_other_one_command_each(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author())
    (tried,) = alone(folder, Author(), "experiment")
    assert tried.status == "stopped"
    assert len(tried.study.runs) == 3
    with pytest.raises(UserError, match="no paper yet"):
        alone(folder, Author(), "review")
    writer = Author()
    (written,) = alone(folder, writer, "writeup")
    assert written.status == "stopped"
    assert written.study.paper is not None
    assert written.study.review is None
    assert "plots" in purposes(writer), "the way to the paper leads through the figures"
    (judged,) = alone(folder, Author(judging(5)), "review")
    assert judged.study.review is not None
    same_again(folder, tmp_path / "again")


def test_a_stage_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author())

    def busy(ask: Ask, _number: int) -> str | None:
        if ask.purpose == "writeup.conclusion":
            raise ModelBusy("busy")
        return None

    alone(folder, Author(busy), "writeup")
    second = Author()
    (done,) = alone(folder, second, "writeup")
    assert done.study.paper is not None
    assert "writeup.method" in second.asked, "a failure that was told begins the stage again"
    killed, third = tmp_path / "killed", Author()
    go(killed, Author())

    def kill(ask: Ask, _number: int) -> str | None:
        if ask.purpose == "writeup.conclusion":
            raise KeyboardInterrupt
        return None

    with pytest.raises(KeyboardInterrupt):
        alone(killed, Author(kill), "writeup")
    (done,) = alone(killed, third, "writeup")
    assert done.study.paper is not None
    assert "writeup.method" not in third.asked, "what was paid is not asked again"
    same_again(killed, tmp_path / "again")


def test_a_finished_paper_is_reviewed_and_improved_as_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author(judging(4)))
    author = Author(judging(6))
    (better,) = alone(folder, author, "improve")
    assert (better.status, len(better.study.improvements)) == ("finished", 1)
    assert purposes(author) == {"writeup", "doubt", "review"}
    text = dict(better.study.sections)["conclusion"]
    (judged,) = alone(folder, Author(judging(3)), "review")
    assert judged.study.review is not None
    assert judged.study.review.overall == 3
    assert dict(judged.study.sections)["conclusion"] == text, "the improved paper is reviewed"
    (twice,) = alone(folder, Author(judging(7, text=f"{TEXT} {TEXT}")), "improve")
    assert [one.kept for one in twice.study.improvements] == ["improved", "improved"]
    assert "from 3.0 to 7.0" in twice.study.improvements[1].why
    (path,) = folder.glob("*/journal.jsonl")
    same_again(folder, tmp_path / "again")
    (anew,) = alone(folder, Author(), "writeup")
    assert anew.study.improvements == (), (
        "what was made of the earlier paper is no part of this one"
    )
    assert path.is_file()
    same_again(folder, tmp_path / "anew")


def test_the_other_ideas_of_a_run_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def stops(ask: Ask, number: int) -> str | None:
        if ask.purpose == "notes.edit" and number == 2:
            raise ModelBusy("busy")
        return numbered(ask, number)

    first, second = go(folder, Author(stops), ideas=2)
    assert (first.status, second.status) == ("finished", "failed")
    author = Author(numbered)
    drawn, other = alone(folder, author, "plot", idea="idea_1_*")
    assert (drawn.status, other.status) == ("stopped", "stopped")
    assert purposes(author) == {"plots"}
    outcomes = go(folder, Author(numbered), Mode.RESUME, ideas=2)
    assert [one.status for one in outcomes] == ["finished", "finished"]
    same_again(folder, tmp_path / "again")


def test_a_raised_budget_keeps_what_was_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author())
    (drawn,) = go(folder, Author(), Mode.RESUME, asked=StagesAsked(again="plots"))
    author = Author()
    (same,) = go(folder, author, Mode.FORK)
    assert author.asked.total() == 0
    assert same.study.tree == drawn.study.tree
    same_again(folder, tmp_path / "again")
