"""Improvement: each point is answered, both versions are kept, and the one that is rated lower is not the paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orchestrator.api.prepare import prepare
from orchestrator.core.deadline import Deadline
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.record.journal import Mode
from orchestrator.record.pins import ReviewPin
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import PursuedIdea, Study
from orchestrator.research.sweep import SweepModel
from tests.research.test_changes import same_again
from tests.research.test_review import form
from tests.support import run_rig as rig

POINTS = {"Weaknesses": ["few seeds", "the reason is not tested"], "Questions": ["why this range?"]}
TEXT = "What was asked is answered within the range that was measured, and not beyond it. " * 4


def reply(*kinds: str, sections: str = f"%% SECTION conclusion\n\n{TEXT}") -> str:
    rows = [
        {"point": number, "kind": kind, "note": f"answer {number}"}
        for number, kind in enumerate(kinds, start=1)
    ]
    return f"```json\n{json.dumps({'answers': rows})}\n```\n\n{sections}"


@dataclass
class Author:
    """``builtin/sweep`` that reviews with the given marks and improves with the given replies."""

    marks: list[int]
    replies: list[str]
    name: str = "builtin/sweep"
    points: dict[str, list[str]] = field(default_factory=lambda: POINTS)
    again: str = '{"settled": [1, 3], "worse": "", "Overall": 7}'
    asks: list[Ask] = field(default_factory=list)

    def ceiling(self, ask: Ask) -> Usage:
        return SweepModel().ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        self.asks.append(ask)
        if ask.purpose == "review.form":
            return Reply(form(Overall=self.marks.pop(0), **self.points), Usage(), self.name)
        if ask.purpose == "writeup.improve":
            return Reply(self.replies.pop(0), Usage(), self.name)
        if ask.purpose == "review.answered":
            return Reply(self.again, Usage(), self.name)
        return SweepModel().complete(ask, within)

    def told(self) -> list[str]:
        return [ask.messages[-1].content for ask in self.asks if ask.purpose == "writeup.improve"]


def improved(
    folder: Path, marks: Sequence[int], *replies: str, passes: int = 1
) -> tuple[PursuedIdea, Author]:
    rules = ReviewPin(reviews=1, reflections=0, improve=passes)
    spec = prepare(replace(rig.wanted(folder), reviewing=rules)).setup
    author = Author([*marks], [*replies])
    (outcome,) = rig.run_scripted(folder / "run", author, Mode.RECORD, spec=spec)
    assert (author.marks, author.replies) == ([], [])
    return outcome, author


def study(outcome: PursuedIdea) -> Study:
    assert (outcome.status, outcome.failure) == ("finished", None)
    return outcome.study


def test_a_better_version_is_the_paper_and_the_earlier_one_is_kept(tmp_path: Path) -> None:
    outcome, author = improved(tmp_path, [4, 6], reply("change", "rebuttal", "change"))
    done = study(outcome)
    (one,) = done.improvements
    assert [(a.point, a.kind) for a in one.answers] == [
        ("few seeds", "change"), ("the reason is not tested", "rebuttal"), ("why this range?", "change"),
    ]  # fmt: skip
    assert one.kept == "improved"
    assert "from 4.0 to 6.0" in one.why
    assert dict(done.sections)["conclusion"] == TEXT.strip()
    assert [name for name, *_ in one.changes] == ["conclusion"]
    assert done.review is not None
    assert done.review.overall == 6
    folder = next((tmp_path / "run").glob("*_*/*_before_1.pdf"))
    assert folder.read_bytes().startswith(b"%PDF")
    shown = data_blocks(author.told()[0])["points"]
    assert [row["point"] for row in shown] == [1, 2, 3]
    same_again(tmp_path / "run", tmp_path / "again")


def test_a_version_that_is_rated_lower_is_kept_beside_the_paper(tmp_path: Path) -> None:
    outcome, _ = improved(tmp_path, [6, 4], reply("change", "change", "change"))
    done = study(outcome)
    (one,) = done.improvements
    assert one.kept == "earlier"
    assert dict(done.sections)["conclusion"] != TEXT.strip()
    assert done.review is not None
    assert done.review.overall == 6
    assert list((tmp_path / "run").glob("*_*/*_after_1.pdf"))
    page = next((tmp_path / "run").glob("*_*/report.html")).read_text()
    assert "The earlier version stays the paper." in page


def test_a_version_with_a_number_that_nothing_carries_is_not_the_paper(tmp_path: Path) -> None:
    false = f"%% SECTION conclusion\n\n{TEXT} The loss of the baseline is 0.98765."
    outcome, _ = improved(tmp_path, [4, 9], reply("change", "change", "change", sections=false))
    (one,) = study(outcome).improvements
    assert (one.kept, one.before.unresolved) == ("earlier", 0)
    assert one.after is not None
    assert one.after.unresolved > 0


def test_rebuttals_alone_change_nothing_and_are_not_reviewed_again(tmp_path: Path) -> None:
    outcome, author = improved(tmp_path, [4], reply(*["rebuttal"] * 3, sections=""))
    (one,) = study(outcome).improvements
    assert (one.kept, one.why, one.after) == ("earlier", "no section was changed", None)
    assert [ask.purpose for ask in author.asks].count("review.form") == 1


def test_each_pass_answers_the_review_of_the_paper_as_it_then_is(tmp_path: Path) -> None:
    second = reply(*["change"] * 3, sections=f"%% SECTION method\n\n{TEXT}")
    outcome, _ = improved(tmp_path, [3, 4, 5], reply(*["change"] * 3), second, passes=2)
    done = study(outcome)
    assert [one.kept for one in done.improvements] == ["improved", "improved"]
    assert dict(done.sections)["method"] == dict(done.sections)["conclusion"] == TEXT.strip()


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (reply("change", "change"), "point 3 has no answer"),
        (reply("change", "change", "change", "change"), "there is no point 4"),
        (reply("change", "change", "change", sections=""), "a change is promised"),
        (
            reply("change", "change", "change", sections="%% SECTION conclusion\n\nNo."),
            "next to nothing",
        ),
    ],
)
def test_an_answer_that_is_not_whole_is_asked_for_again(tmp_path: Path, bad: str, why: str) -> None:
    outcome, author = improved(tmp_path, [4, 6], bad, reply("change", "change", "change"))
    assert study(outcome).improvements[0].kept == "improved"
    assert why in author.told()[1]


def test_an_improvement_that_stays_unusable_leaves_the_paper_finished_and_reviewed(
    tmp_path: Path,
) -> None:
    outcome, _ = improved(tmp_path, [4], *["I would rather not."] * 3)
    assert outcome.status == "finished"
    assert outcome.failure is not None
    assert (outcome.failure.stage, outcome.failure.transient) == ("improve", True)
    assert outcome.study.review is not None


RUN = {"name": "STEP_SIZE = 0.03", "base": "baseline", "tests": "STEP_SIZE = 0.03 instead of 0.1", "expects": "slower", "refuted_by": "a smaller loss"}  # fmt: skip
EXPERIMENT = {
    "answers": [
        {"point": 1, "kind": "experiment", "note": "a smaller step is tried"},
        {"point": 2, "kind": "rebuttal", "note": "it is"},
        {"point": 3, "kind": "limit", "note": "said"},
    ],
    "runs": [RUN],
}


def asks_for_a_run() -> str:
    return f"```json\n{json.dumps(EXPERIMENT)}\n```"


def test_a_point_that_a_run_can_settle_is_answered_by_one(tmp_path: Path) -> None:
    after = reply("experiment", "rebuttal", "limit")
    outcome, author = improved(tmp_path, [4, 6], asks_for_a_run(), after)
    done = study(outcome)
    (one,) = done.improvements
    assert one.runs == ("STEP_SIZE = 0.03",)
    assert done.runs[-1].name == "STEP_SIZE = 0.03"
    assert [a.kind for a in one.answers] == ["experiment", "rebuttal", "limit"]
    first, second = author.told()
    assert "at most 2 more" in first
    assert "STEP_SIZE = 0.03" in json.dumps(data_blocks(second)["results"])
    assert "experiment`:" not in second, "no further run is offered"
    assert "run_3/final_info.json" in done.tree.as_dict()
    (page,) = (tmp_path / "run").glob("*/report.html")
    assert "Runs that were made for it: STEP_SIZE = 0.03." in page.read_text()
    same_again(tmp_path / "run", tmp_path / "again")


def test_a_run_stays_a_result_where_the_earlier_version_stays_the_paper(tmp_path: Path) -> None:
    outcome, _ = improved(
        tmp_path, [6, 4], asks_for_a_run(), reply("experiment", "rebuttal", "limit")
    )
    done = study(outcome)
    assert done.improvements[0].kept == "earlier"
    assert done.runs[-1].name == "STEP_SIZE = 0.03"
    assert "conclusion" in dict(done.sections)
    assert dict(done.sections)["conclusion"] != TEXT.strip()
    same_again(tmp_path / "run", tmp_path / "again")


def test_a_run_needs_a_point_and_a_point_a_run(tmp_path: Path) -> None:
    without = json.dumps({"answers": EXPERIMENT["answers"]})
    outcome, author = improved(tmp_path, [4, 6], without, reply("change", "change", "change"))
    assert study(outcome).improvements[0].runs == ()
    assert "needs a run in `runs`" in author.told()[1]


def test_a_gain_that_only_the_reviewer_sees_who_asked_for_it_is_said_to_be_one(
    tmp_path: Path,
) -> None:
    outcome, author = improved(tmp_path, [5, 5], reply("change", "change", "change"))
    (one,) = study(outcome).improvements
    assert one.reread is not None
    assert (one.reread.overall, one.reread.settled) == (7, (1, 3))
    assert "only the reviewer who asked for the changes sees a gain" in one.why
    (asked,) = [ask for ask in author.asks if ask.purpose == "review.answered"]
    assert "few seeds" in asked.messages[-1].content
    assert author.asks[-1].purpose == "review.answered", "the new reviewers did not see it"


def test_an_answer_of_that_reviewer_that_cannot_be_used_costs_nothing_else(tmp_path: Path) -> None:
    rules = ReviewPin(reviews=1, reflections=0, improve=1)
    spec = prepare(replace(rig.wanted(tmp_path), reviewing=rules)).setup
    author = Author([4, 6], [reply("change", "change", "change")], again="I like it.")
    (outcome,) = rig.run_scripted(tmp_path / "run", author, Mode.RECORD, spec=spec)
    (one,) = study(outcome).improvements
    assert (one.reread, one.kept) == (None, "improved")


def test_a_question_that_repeats_a_weakness_is_no_point_of_its_own(tmp_path: Path) -> None:
    said = {
        "Weaknesses": ["Only three seeds carry the comparison of learning rates."],
        "Questions": [
            "Would the comparison of learning rates carry over with more than three seeds?",
            "Why does the loss rise after step 400?",
        ],
    }
    rules = ReviewPin(reviews=1, reflections=0, improve=1)
    spec = prepare(replace(rig.wanted(tmp_path), reviewing=rules)).setup
    author = Author([4, 6], [reply("change", "change")], points=said)
    (outcome,) = rig.run_scripted(tmp_path / "run", author, Mode.RECORD, spec=spec)
    (one,) = study(outcome).improvements
    assert [a.point for a in one.answers] == [*said["Weaknesses"], said["Questions"][1]]
    assert "lengths" in data_blocks(author.told()[0])
