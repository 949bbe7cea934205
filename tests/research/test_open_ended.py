"""An open-ended run tells each next proposal how the ideas before it came out; near-duplicates are dropped."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.prepare import prepare
from orchestrator.core.deadline import Deadline
from orchestrator.core.errors import ModelBusy, UserError
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.research import Idea
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import IdeaDuplicated
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ReviewPin
from orchestrator.research.near_ideas import nearest_idea
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import PursuedIdea, RunSpec
from orchestrator.research.sweep import SweepModel
from tests.research.test_changes import same_again
from tests.research.test_review import form
from tests.support import run_rig as rig

KNOBS = {"weight_decay": "WEIGHT_DECAY", "learning_rate": "LEARNING_RATE"}
FIRST = Idea(
    name="decay", title="Weight decay and delay",
    experiment="Set WEIGHT_DECAY to 0.1, 0.3 and 1.0 and measure the delay of generalization in each task.",
)  # fmt: skip


def changed(
    name: str = "decay", title: str = FIRST.title, experiment: str = FIRST.experiment
) -> Idea:
    return Idea(name=name, title=title, experiment=experiment)


@pytest.mark.parametrize(
    ("idea", "why"),
    [
        (changed(name="another"), "the same text"),
        (changed(experiment=FIRST.experiment.replace("in each task", "in all tasks")), "nearly the same words"),
        (
            changed(title="When does it generalize?", experiment="How does the delay depend on decay? weight decay: "
                    "0.1, 0.3, 1.0; we measure delay of the generalization in each."),
            "the same settings: weight_decay=0.1, weight_decay=0.3, weight_decay=1",
        ),
    ],
)  # fmt: skip
def test_an_idea_that_repeats_another_is_named_with_what_it_repeats(idea: Idea, why: str) -> None:
    assert nearest_idea(idea, [FIRST], KNOBS) == (FIRST, why)


@pytest.mark.parametrize(
    "idea",
    [
        changed(experiment=FIRST.experiment.replace("WEIGHT_DECAY", "LEARNING_RATE")),
        changed(experiment=FIRST.experiment.replace("1.0", "3.0")),
        changed(title="Initialization", experiment="Scale the initial weights by two and by four."),
    ],
)
def test_another_knob_other_values_or_another_question_is_a_new_idea(idea: Idea) -> None:
    assert nearest_idea(idea, [FIRST], KNOBS) == (None, "")


# --- open-ended runs ----------------------------------------------------------------------


@dataclass
class Explorer:
    """Proposes sweeps of one knob to other values, reviews with the marks; None fails the experiment."""

    marks: list[int]
    values: list[str] = field(default_factory=lambda: ["0.1", "0.2", "0.3", "0.4"])
    busy_at: int = 0
    name: str = "builtin/sweep"
    archives: list[list[dict[str, Any]]] = field(default_factory=list)

    def ceiling(self, ask: Ask) -> Usage:
        return SweepModel().ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        text = ask.messages[-1].content
        if ask.purpose == "ideas.propose":
            if self.busy_at == len(self.archives) + 1:
                self.busy_at = 0
                raise ModelBusy("busy", where="x", todo="later")
            self.archives.append(data_blocks(text)["archive"])
            value = self.values[len(self.archives) - 1]
            idea = {
                "name": "sweep_step_size", "title": f"Step size {value}",
                "experiment": f"Change STEP_SIZE to {value} and to {value}5.", "done": True,
            }  # fmt: skip
            return Reply(f"```json\n{json.dumps(idea)}\n```", Usage(), self.name)
        if ask.purpose == "review.form":
            return Reply(form(Overall=self.marks.pop(0)), Usage(), self.name)
        return SweepModel().complete(ask, within)


def spec_of(folder: Path, ideas: int) -> RunSpec:
    rules = ReviewPin(reviews=1, reflections=0)
    request = replace(rig.wanted(folder), ideas=ideas, open_ended=True, reviewing=rules)
    return prepare(request).setup


def explored(
    folder: Path, author: Explorer, ideas: int, mode: Mode = Mode.RECORD
) -> tuple[PursuedIdea, ...]:
    return rig.run_scripted(folder / "run", author, mode, spec=spec_of(folder, ideas))


def scores(author: Explorer) -> list[list[float | None]]:
    return [[row["score"] for row in archive if "score" in row] for archive in author.archives]


def test_each_proposal_is_told_the_scores_of_the_ideas_before_it(tmp_path: Path) -> None:
    author = Explorer([3, 7, 5])
    outcomes = explored(tmp_path, author, 3)
    assert [one.status for one in outcomes] == ["finished"] * 3
    assert scores(author) == [[], [3.0], [3.0, 7.0]]
    listed = json.loads((tmp_path / "run" / "ideas.json").read_text())
    assert [row["Title"] for row in listed] == ["Step size 0.1", "Step size 0.2", "Step size 0.3"]
    same_again(tmp_path / "run", tmp_path / "again")


def test_a_repeated_idea_is_noted_with_the_reason_and_not_pursued(tmp_path: Path) -> None:
    author = Explorer([3, 7], values=["0.1", "0.1", "0.2"])
    assert len(explored(tmp_path, author, 3)) == 2
    paths = RunPaths(tmp_path / "run")
    journal = Journal(paths.journal, BlobStore(paths.blobs), Mode.REPLAY)
    (note,) = journal.notes(IdeaDuplicated, below="run")
    assert (note.number, note.why) == (2, "the same text as sweep_step_size")


def test_a_run_that_stopped_goes_on_with_what_was_known_then(tmp_path: Path) -> None:
    author = Explorer([3, 7, 5], busy_at=3)
    assert len(explored(tmp_path, author, 3)) == 2
    again = Explorer([5], values=["0.1", "0.2", "0.3"])
    again.archives = author.archives
    assert len(explored(tmp_path, again, 3, Mode.RESUME)) == 3
    assert scores(again)[-1] == [3.0, 7.0]
    same_again(tmp_path / "run", tmp_path / "again")


def test_a_list_of_ideas_and_an_open_ended_run_exclude_each_other(tmp_path: Path) -> None:
    request = replace(rig.wanted(tmp_path), open_ended=True, ideas_file=tmp_path / "ideas.json")
    with pytest.raises(UserError, match="not proposed one after the other"):
        prepare(request)
