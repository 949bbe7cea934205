"""Papers, or their reviews, that a run leaves out: an idea is finished without them, and gets them later."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.left_out import leave_out_of
from orchestrator.api.prepare import prepare
from orchestrator.api.resume_request import ResumeRequest, require_makeable
from orchestrator.api.run_watch import RunWatch
from orchestrator.api.stage_request import StageRequest, resume_of, stages_again
from orchestrator.audit.audit import AuditVerdict, audit_run
from orchestrator.console.run_status import drawn_status
from orchestrator.core.errors import ModelBusy, UserError
from orchestrator.core.model import Ask
from orchestrator.record.journal import Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import LeaveOut, ReviewPin
from orchestrator.research.pins import read_pins
from tests.research.test_changes import Author, go, lines, numbered, same_again
from tests.research.test_stages_alone import alone, purposes, report_text
from tests.support import run_rig as rig

pytestmark = pytest.mark.program
WITHOUT: tuple[tuple[LeaveOut, str], ...] = (("review", "review"), ("paper", "writeup"))


@pytest.mark.parametrize(("leave_out", "command"), WITHOUT)
def test_what_is_left_out_is_neither_made_nor_failed_and_the_run_is_finished(
    leave_out: LeaveOut, command: str, tmp_path: Path
) -> None:
    folder, author = tmp_path / "run", Author()
    (outcome,) = go(folder, author, leave_out=leave_out)
    assert (outcome.status, outcome.left_out, outcome.failure) == ("finished", leave_out, None)
    assert "review" not in purposes(author)
    assert bool(list(folder.glob("*/*.pdf"))) == (leave_out == "review")
    assert lines(folder)[-1]["kind"] == "sealed"
    same_again(folder, tmp_path / "again")

    status = RunWatch(folder).look(time.time())
    (idea,) = status.ideas
    assert status.state == idea.status == "finished"
    assert f"{leave_out} left out" in idea.lacking
    marks = dict(idea.marks)
    assert marks["review"] == marks["improve"] == "left out"
    assert marks["verify"] == ("reached" if leave_out == "review" else "left out")
    assert status.next.startswith(f"aisci {command} ")
    shown = "\n".join(line.plain for line in drawn_status(status, time.time(), 80))
    assert f"{leave_out} left out, as the run was asked" in shown
    assert "✗" not in shown
    page = report_text(folder)
    assert f"{leave_out} left out" in page
    assert f"aisci {command} RUN/IDEA" in page
    assert "not reviewed" not in page
    found = audit_run(RunPaths(folder))
    noted = [one.what for one in found.findings if one.check == "seal"]
    assert noted == [f"the {leave_out} was left out"]


def test_a_default_run_says_nothing_of_it_in_its_record(tmp_path: Path) -> None:
    go(tmp_path / "run", Author())
    for journal in tmp_path.glob("run/**/journal.jsonl"):
        assert "leave_out" not in journal.read_text()
        assert "left_out" not in "".join(
            json.dumps(line) for line in lines(journal.parent) if line.get("name") == "finished"
        )


def test_a_resume_makes_nothing_of_what_is_left_out_whatever_the_other_ideas_need(
    tmp_path: Path,
) -> None:
    def busy(ask: Ask, number: int) -> str | None:
        if ask.purpose == "writeup.method" and author.asked[ask.purpose] == 2:
            raise ModelBusy("busy")
        return numbered(ask, number)

    folder, author = tmp_path / "run", Author(busy)
    first, second = go(folder, author, leave_out="review", ideas=2)
    assert (first.status, second.status) == ("finished", "failed")
    rest = Author(numbered)
    again = go(folder, rest, Mode.RESUME, leave_out="review", ideas=2)
    assert [one.status for one in again] == ["finished", "finished"]
    assert {one.left_out for one in again} == {"review"}
    assert "review" not in purposes(rest)
    same_again(folder, tmp_path / "again")


def test_a_review_that_was_left_out_is_made_by_its_command_and_the_run_is_whole(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    go(folder, Author(), leave_out="review")
    author = Author()
    (judged,) = alone(folder, author, "review")
    assert (judged.status, judged.left_out) == ("finished", "")
    assert judged.study.review is not None
    assert purposes(author) == {"review"}
    assert "review left out" not in report_text(folder)
    (idea,) = RunWatch(folder).look(time.time()).ideas
    assert idea.lacking == ()
    same_again(folder, tmp_path / "again")


def test_a_paper_that_was_left_out_is_written_by_its_command_and_reviewed_by_another(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    go(folder, Author(), leave_out="paper")
    with pytest.raises(UserError, match="no paper yet"):
        alone(folder, Author(), "review")
    writer = Author()
    (written,) = alone(folder, writer, "writeup")
    assert (written.status, written.left_out) == ("finished", "review")
    assert not {"review", "plan", "experiment"} & purposes(writer)
    assert list(folder.glob("*/*.pdf"))
    assert "review left out" in report_text(folder)
    same_again(folder, tmp_path / "written")
    nothing = Author()
    (still,) = go(folder, nothing, Mode.RESUME, leave_out="paper")
    assert (still.left_out, nothing.asked.total()) == ("review", 0)
    (judged,) = alone(folder, Author(), "review")
    assert judged.study.review is not None
    assert audit_run(RunPaths(folder)).outcome is not AuditVerdict.INTACT
    same_again(folder, tmp_path / "again")


def test_experiments_made_again_end_where_the_run_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    go(folder, Author(), leave_out="review")
    (stopped,) = alone(folder, Author(), "experiment")
    assert stopped.status == "stopped"
    (outcome,) = go(folder, Author(), Mode.RESUME, leave_out="review")
    assert (outcome.status, outcome.left_out) == ("finished", "review")
    assert outcome.study.paper is not None
    same_again(folder, tmp_path / "again")


def test_it_is_pinned_and_contradictions_are_refused_before_anything_starts(
    tmp_path: Path,
) -> None:
    request = replace(rig.wanted(tmp_path), leave_out="review")
    assert prepare(request).setup.leave_out == "review"
    with pytest.raises(UserError, match="improved by its reviews"):
        prepare(replace(request, reviewing=ReviewPin(improve=1)))
    assert leave_out_of(paper=True, review=True) == "paper"
    assert leave_out_of(paper=False, review=False) == ""
    go(tmp_path / "run", Author(), leave_out="review")
    pins = read_pins(RunPaths(tmp_path / "run"))
    assert pins.leave_out == "review"
    with pytest.raises(UserError, match="leaves out the review") as refused:
        require_makeable(ResumeRequest(asked=stages_again("review")), pins)
    assert "aisci review RUN/IDEA" in refused.value.todo
    (idea,) = (path.parent for path in tmp_path.glob("run/*/journal.jsonl"))
    require_makeable(resume_of(StageRequest(stage="review", idea=str(idea))), pins)
