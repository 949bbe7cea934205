"""Ideas of a list are pursued as they stand: none is proposed, and novelty may be left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.prepare import prepare
from orchestrator.core.errors import BadFile
from orchestrator.core.research import Idea
from orchestrator.record.journal import Mode
from orchestrator.record.pins import ReviewPin
from orchestrator.research.idea_lists import listed_ideas
from orchestrator.research.ideas_file import edited_ideas, write_ideas
from orchestrator.research.pins import read_pins, spec_of
from tests.record.test_resume import Counting
from tests.research.test_changes import same_again
from tests.support import run_rig as rig

KNOB = {
    "Name": "sweep_step_size",
    "Title": "A sweep of the step size",
    "Experiment": "Change STEP_SIZE.",
}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "ideas.json"
    path.write_text(json.dumps(rows))
    return path


def test_a_list_of_the_ai_scientist_is_read_with_its_scores_and_its_word_on_novelty(
    tmp_path: Path,
) -> None:
    row = KNOB | {
        "Interestingness": 6,
        "Feasibility": 11,
        "Novelty": "high",
        "novel": True,
        "Score": 3.5,
    }
    (idea,) = listed_ideas(written(tmp_path, row))
    assert (idea.interestingness, idea.feasibility, idea.novelty, idea.novel) == (
        6,
        None,
        None,
        True,
    )


@pytest.mark.parametrize(("told", "read"), [(4, 4), (0, 0), ("4", None), (True, None), (101, None)])
def test_a_list_may_say_how_many_runs_an_idea_takes(
    told: object, read: int | None, tmp_path: Path
) -> None:
    (idea,) = listed_ideas(written(tmp_path, KNOB | {"Runs": told}))
    assert idea.runs == read
    assert idea.id == Idea(name=idea.name, title=idea.title, experiment=idea.experiment).id


def test_the_runs_of_an_idea_stand_in_the_file_and_may_be_edited(tmp_path: Path) -> None:
    path, known = tmp_path / "ideas.json", listed_ideas(written(tmp_path, KNOB | {"Runs": 4}))
    write_ideas(path, known)
    assert edited_ideas(path, known) is None
    path.write_text(path.read_text().replace('"Runs": 4', '"Runs": 9'))
    (changed,) = edited_ideas(path, known) or ()
    assert (changed.runs, changed.id) == (9, known[0].id)
    write_ideas(path, (replace(changed, runs=None),))
    assert "Runs" not in path.read_text()


def test_one_idea_twice_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="one idea twice") as caught:
        listed_ideas(written(tmp_path, KNOB, KNOB | {"Interestingness": 3}))
    assert "sweep_step_size" in caught.value.why


def test_every_error_of_a_list_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as caught:
        listed_ideas(written(tmp_path, {"Name": "a"}, {"Title": "b"}))
    assert caught.value.why.count("\n") == 1


def test_a_runs_ideas_are_those_of_its_list_and_a_replay_needs_no_list(tmp_path: Path) -> None:
    other = KNOB | {"Name": "second", "Title": "Another"}
    request = replace(rig.wanted(tmp_path), ideas=1, ideas_file=written(tmp_path, KNOB, other))
    spec = prepare(replace(request, novelty=False)).setup
    assert [idea.name for idea in spec.given] == ["sweep_step_size"]
    folder, model = tmp_path / "run", Counting()
    (outcome,) = rig.run_scripted(folder, model, Mode.RECORD, spec=spec)
    assert outcome.study.idea.title == "A sweep of the step size"
    assert outcome.study.novelty.reason == "it was not judged: --skip-novelty"
    assert outcome.status == "finished"
    pins = read_pins(rig.place(folder, Mode.REPLAY).record)
    assert spec_of(pins, spec.template).given == spec.given
    same_again(folder, tmp_path / "again", "builtin/sweep")


def test_all_ideas_of_a_list_are_pursued_unless_a_number_is_said(tmp_path: Path) -> None:
    listed = written(tmp_path, KNOB, KNOB | {"Name": "second", "Title": "Another"})
    request = replace(rig.wanted(tmp_path), ideas=None, ideas_file=listed)
    assert len(prepare(request).setup.given) == prepare(request).setup.ideas == 2
    assert prepare(replace(request, ideas_file=None)).setup.ideas == 1


def test_how_papers_are_reviewed_is_pinned_as_it_was_asked_for(tmp_path: Path) -> None:
    rules = ReviewPin(reviews=3, reflections=2, examples=False, accept_from=5.5)
    spec = prepare(replace(rig.wanted(tmp_path), reviewing=rules)).setup
    (outcome,) = rig.run_scripted(tmp_path / "run", Counting(), Mode.RECORD, spec=spec)
    assert len(outcome.study.reviews) == 3
    pins = read_pins(rig.place(tmp_path / "run", Mode.REPLAY).record)
    assert spec_of(pins, spec.template).reviewing == rules
    same_again(tmp_path / "run", tmp_path / "again", "builtin/sweep")
