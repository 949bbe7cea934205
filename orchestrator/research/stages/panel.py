"""Review by a panel: several reviewers who read for different things, and an area chair who sums up.

One reviewer whose replies cannot be used drops out alone. Scores are the rounded means over those who judged;
the paper is accepted if the mean of their overall scores reaches the threshold.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.core.errors import BadReply, WrongFormat
from orchestrator.core.model import Ask, Message
from orchestrator.core.papers import Review
from orchestrator.record.notes import ReviewLost
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.batched import reviews_in_batches
from orchestrator.research.stages.review import (
    GRADES,
    ReviewPoints,
    ReviewText,
    UnderReview,
    ask_once,
    review_once,
    under_review,
)


class MetaForm(ReplyForm):
    """The form of a meta-review; the scores are averaged without the chair."""

    Summary: Annotated[ReviewText, Field(min_length=20)]
    Strengths: ReviewPoints
    Weaknesses: ReviewPoints
    Questions: ReviewPoints = ()
    Limitations: ReviewPoints = ()
    EthicalConcerns: bool | None = None
    Decision: Literal["Accept", "Reject", ""] = ""


def review_paper(study: Study, ports: Ports) -> Study:
    """The study with its reviews, and with a meta-review where several were given and one judged. Raises
    :class:`IdeaFailed` without a paper, :class:`BadReply` where nobody gave a review.
    """
    reviews, meta = review_all(under_review(study, ports), ports)
    return replace(study, reviews=reviews, meta_review=meta)


def review_all(paper: UnderReview, ports: Ports) -> tuple[tuple[Review, ...], Review | None]:
    """The reviews of a paper, and the meta-review of several. Raises :class:`BadReply` without a review."""
    count = paper.rules.reviews
    if paper.rules.batch:
        return _together(paper, ports)
    if count == 1:
        return (review_once(paper, ports, 1),), None
    reviews: list[Review] = []
    for number in range(1, count + 1):
        scoped = ports.within(f"reviewer_{number}")
        try:
            reviews.append(review_once(paper, scoped, number))
        except BadReply as error:
            scoped.note(ReviewLost(reviewer=number, step="form", why=error.what))
    return _panel(paper, tuple(reviews), ports)


def _together(paper: UnderReview, ports: Ports) -> tuple[tuple[Review, ...], Review | None]:
    """The same, with the requests of all reviewers in one batch."""
    reviews = reviews_in_batches(paper, ports)
    return (
        (reviews, None)
        if len(reviews) == paper.rules.reviews == 1
        else _panel(paper, reviews, ports)
    )


def _panel(
    paper: UnderReview, reviews: tuple[Review, ...], ports: Ports
) -> tuple[tuple[Review, ...], Review | None]:
    """The reviews of several, and the meta-review where more than one judged."""
    count = paper.rules.reviews
    if not reviews:
        raise WrongFormat(
            f"none of {count} reviewers gave a review that can be used",
            where="review",
            todo="choose another model for reviews, or another number of reviewers; in a run, "
            "`aisci resume RUN --retry review` asks again",
        )
    judged = mean_overall(reviews) is not None and len(reviews) > 1
    meta = _summed_up(reviews, paper.rules, ports.within("chair")) if judged else None
    return reviews, meta


def _summed_up(reviews: tuple[Review, ...], rules: ReviewPin, ports: Ports) -> Review:
    """The meta-review; in the words of the reviewer nearest the mean where the chair's cannot be used."""
    mean = mean_overall(reviews)
    assert mean is not None
    told = block("reviews", [asdict(one) for one in reviews])
    message = Message("user", render("review_meta", reviews=told))
    ask = Ask(purpose="review.meta", messages=(message,), temperature=0.1)
    try:
        form = ask_once(ports, ask, MetaForm)
    except BadReply as error:
        ports.note(ReviewLost(reviewer=0, step="meta-review", why=error.what))
        words = min(reviews, key=lambda one: abs((one.overall or 0) - mean))
        by = f"{words.reviewer} (the meta-review could not be used)"
        words = replace(words, reviewer=by)
    else:
        words = Review(
            summary=form.Summary,
            strengths=form.Strengths,
            weaknesses=form.Weaknesses,
            questions=form.Questions,
            limitations=form.Limitations,
            ethical_concerns=form.EthicalConcerns,
            reviewer=f"{ports.edges.model_for(ask.purpose).name}, as area chair",
        )
    confidences = [one.confidence for one in reviews if one.confidence is not None]
    return replace(
        words,
        scores=_mean_scores(reviews),
        overall=rounded(mean),
        confidence=rounded(statistics.fmean(confidences)) if confidences else None,
        decision="Accept" if mean >= rules.accept_from else "Reject",
    )


def mean_overall(reviews: Sequence[Review]) -> float | None:
    """The mean of the overall scores, from 1 to 10; None where nobody judged."""
    given = [one.overall for one in reviews if one.overall is not None]
    return statistics.fmean(given) if given else None


def _mean_scores(reviews: Sequence[Review]) -> tuple[tuple[str, int], ...]:
    rows = {
        name: [dict(one.scores)[name] for one in reviews if name in dict(one.scores)]
        for name in GRADES
    }
    return tuple((name, rounded(statistics.fmean(given))) for name, given in rows.items() if given)


def rounded(mean: float) -> int:
    """The nearest mark; a half goes up, as people round."""
    return math.floor(mean + 0.5)
