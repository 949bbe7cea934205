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
    asks: list[Ask] = field(default_factory=list)

    def ceiling(self, ask: Ask) -> Usage:
        return SweepModel().ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        self.asks.append(ask)
        if ask.purpose == "review.form":
            return Reply(form(Overall=self.marks.pop(0), **POINTS), Usage(), self.name)
        if ask.purpose == "writeup.improve":
            return Reply(self.replies.pop(0), Usage(), self.name)
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
