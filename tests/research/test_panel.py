"""Several reviewers and an area chair: rounded means, a threshold, and one bad reviewer who drops out alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.errors import WrongFormat
from orchestrator.core.papers import Paper
from orchestrator.models.scripted import ReplyRule, ScriptedModel
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal
from orchestrator.record.notes import ReviewLost
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.panel import review_paper
from orchestrator.research.stages.review import GRADES
from orchestrator.research.stages.review_file import reviews_text
from tests.research.test_review import form
from tests.support import paper_rig as rig

META = json.dumps(
    {
        "Summary": "Two of three reviewers see that the difference may be chance.",
        "Strengths": ["one change at a time"],
        "Weaknesses": ["three seeds"],
        "Decision": "Accept",
    }
)
UNJUDGED = {**dict.fromkeys(GRADES), "Overall": None, "Confidence": None, "Decision": ""}


def reviewed(
    folder: Path, rules: ReviewPin, *replies: str | tuple[str, str]
) -> tuple[Study, ScriptedModel, Ports]:
    """A study that was reviewed; a reply alone is to a form, a pair says to what."""
    pairs = [one if isinstance(one, tuple) else ("review.form", one) for one in replies]
    model = ScriptedModel(
        [ReplyRule(purpose=purpose, text=text) for purpose, text in pairs], "judge"
    )
    blobs = BlobStore(folder / "blobs")
    edges = Edges(model, rig.editor(blobs), rig.NoSandbox(), rig.TWO_PAPERS)
    ports = Ports(edges, Journal(folder / "journal.jsonl", blobs), blobs, JournalBudget(), "idea")
    study = replace(rig.study(blobs), reviewing=rules)
    study = replace(study, paper=Paper(files=study.tree, pages=("page one",)))
    return review_paper(study, ports.within("review")), model, ports


def rules(reviews: int = 3, reflections: int = 0, accept_from: float = 6.0) -> ReviewPin:
    return ReviewPin(reviews=reviews, reflections=reflections, accept_from=accept_from)


def test_scores_are_rounded_means_and_the_words_are_the_chairs(tmp_path: Path) -> None:
    forms = [form(Overall=mark, Soundness=grade) for mark, grade in ((3, 2), (6, 3), (8, 4))]
    study, model, _ = reviewed(tmp_path, rules(), *forms, ("review.meta", META))
    meta = study.review
    assert meta is study.meta_review
    assert meta is not None
    assert [one.overall for one in study.reviews] == [3, 6, 8]
    assert (meta.overall, dict(meta.scores)["Soundness"]) == (6, 3)
    assert meta.weaknesses == ("three seeds",)
    assert meta.reviewer == "judge, as area chair"
    shown = data_blocks(model.asks[-1].messages[-1].content)["reviews"]
    assert [one["overall"] for one in shown] == [3, 6, 8]


@pytest.mark.parametrize(("accept_from", "decision"), [(5.5, "Accept"), (5.6, "Reject")])
def test_the_mean_before_rounding_is_held_to_the_threshold_whatever_the_chair_says(
    tmp_path: Path, accept_from: float, decision: str
) -> None:
    forms = [form(Overall=5), form(Overall=6)]
    done = rules(2, accept_from=accept_from)
    study, *_ = reviewed(tmp_path, done, *forms, ("review.meta", META))
    assert study.review is not None
    assert (study.review.overall, study.review.decision) == (6, decision)


def test_the_members_read_for_different_things_and_have_the_same_pages(tmp_path: Path) -> None:
    study, model, _ = reviewed(tmp_path, rules(5), *[form()] * 5, ("review.meta", META))
    asked = [ask.messages[-1].content for ask in model.asks[:5]]
    assert len(set(asked)) == 5
    starts = {text[: text.index("The pages follow this text as pictures")] for text in asked}
    assert len(starts) == 1, "one prefix, which a vendor caches"
    assert len({one.reviewer for one in study.reviews}) == 5


def test_one_bad_reviewer_drops_out_alone_and_the_record_says_why(tmp_path: Path) -> None:
    bad = ["I would rather talk about it."] * 3
    study, _, ports = reviewed(
        tmp_path, rules(), form(Overall=3), *bad, form(Overall=5), ("review.meta", META)
    )
    assert [one.overall for one in study.reviews] == [3, 5]
    assert study.review is not None
    assert study.review.overall == 4
    (lost,) = ports.journal.notes(ReviewLost, below="idea")
    assert (lost.reviewer, lost.step) == (2, "form")


def test_nobody_who_reviews_is_a_failure_that_says_how_to_ask_again(tmp_path: Path) -> None:
    with pytest.raises(WrongFormat, match="none of 2 reviewers") as caught:
        reviewed(tmp_path, rules(2), *["No."] * 6)
    assert "--retry review" in caught.value.todo


def test_a_meta_review_that_cannot_be_used_leaves_the_words_of_the_reviewer_nearest_the_mean(
    tmp_path: Path,
) -> None:
    forms = [
        form(Overall=2, Weaknesses=["far"]),
        form(Overall=5, Weaknesses=["near"]),
        form(Overall=6),
    ]
    study, *_ = reviewed(tmp_path, rules(), *forms, *[("review.meta", "No.")] * 3)
    assert study.review is not None
    assert (study.review.overall, study.review.weaknesses) == (4, ("near",))
    assert "could not be used" in study.review.reviewer


def test_a_reviewer_that_does_not_judge_does_not_count_in_the_means(tmp_path: Path) -> None:
    forms = [form(**UNJUDGED), form(Overall=7), form(Overall=8)]
    study, *_ = reviewed(tmp_path, rules(), *forms, ("review.meta", META))
    assert study.review is not None
    assert (study.review.overall, study.review.decision) == (8, "Accept")
    study, *_ = reviewed(tmp_path / "b", rules(2), *[form(**UNJUDGED)] * 2)
    assert study.meta_review is None
    assert study.review is not None
    assert (study.review.overall, study.review.decision, study.review.scores) == (None, "", ())


# --- reflections --------------------------------------------------------------------------


def test_a_reviewer_reflects_until_nothing_is_to_change(tmp_path: Path) -> None:
    replies = [("review.reflect", form(Overall=4)), ("review.reflect", "DONE")]
    study, model, _ = reviewed(tmp_path, rules(1, reflections=5), form(), *replies)
    assert study.review is not None
    assert study.review.overall == 4
    assert len(model.asks) == 3


def test_a_valid_review_survives_a_reflection_that_cannot_be_used(tmp_path: Path) -> None:
    bad = [("review.reflect", '```json\n{"Overall": 11}\n```')] * 3
    study, _, ports = reviewed(tmp_path, rules(1, reflections=2), form(Overall=3), *bad)
    assert study.review is not None
    assert study.review.overall == 3
    (lost,) = ports.journal.notes(ReviewLost, below="idea")
    assert lost.step == "reflection"


def test_no_reflection_is_asked_for_where_none_is_wanted_and_no_example_is_shown(
    tmp_path: Path,
) -> None:
    wanted = ReviewPin(reviews=1, reflections=0, examples=False)
    _, model, _ = reviewed(tmp_path, wanted, form())
    (ask,) = model.asks
    assert "An example of the form" not in ask.messages[-1].content
    _, model, _ = reviewed(tmp_path / "b", rules(1), form())
    assert "An example of the form" in model.asks[0].messages[-1].content


def test_the_file_has_the_meta_review_and_each_review(tmp_path: Path) -> None:
    study, *_ = reviewed(
        tmp_path, rules(2), form(Overall=3), form(Overall=6), ("review.meta", META)
    )
    text = reviews_text(study.meta_review, study.reviews)
    assert text.startswith("Meta-review by judge, as area chair")
    assert "Review 1 by judge, as experimenter" in text
    assert "Review 2 by judge, as sceptic" in text
