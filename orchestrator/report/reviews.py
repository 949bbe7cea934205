"""The reviews of a paper: what counts, and each reviewer's scores beside their mean and spread."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.papers import Review
from orchestrator.report.html import Child, data_table, el, fold, join
from orchestrator.report.page import bullet_list, lines
from orchestrator.report.reading import IdeaFacts

_POINTS = ("strengths", "weaknesses", "questions", "limitations")
_NO_SCORES = "This reviewer gives no scores and no decision."


def review_section(facts: IdeaFacts) -> list[Child]:
    """The review that counts; of a panel its scores, and each member's review in a fold."""
    reached = facts.reached
    if reached.review is None:
        return []
    if reached.meta_review is None:
        return _whole(reached.review)
    members = reached.reviews
    parts: list[Child] = [
        el("p", f"By {reached.review.reviewer}, from {len(members)} reviews.", class_="quiet")
    ]
    parts += [_panel(reached.review, members)] if reached.review.overall is not None else []
    parts += _said(reached.review)
    parts += [
        fold(f"Reviewer {number}: {one.reviewer}", *_whole(one))
        for number, one in enumerate(members, start=1)
    ]
    return parts


def _panel(meta: Review, members: Sequence[Review]) -> Child:
    """A row a score: the rounded mean, the smallest and largest, and each member's."""
    rows = []
    for name, mean in _scores(meta):
        given = [dict(_scores(one)).get(name) for one in members]
        known = [one for one in given if one is not None]
        spread = f"{min(known)} to {max(known)}" if known else ""
        rows.append((name, str(mean), spread, *("–" if one is None else str(one) for one in given)))
    heads = ("score", "mean", "spread", *(str(number + 1) for number in range(len(members))))
    votes = ", ".join(one.decision or "none" for one in members)
    return join(data_table(heads, rows), el("p", f"Decision: {meta.decision} (reviewers: {votes})"))


def _scores(review: Review) -> list[tuple[str, int]]:
    rows = [*review.scores]
    rows += [] if review.overall is None else [("Overall (1–10)", review.overall)]
    return rows + ([("Confidence (1–5)", review.confidence)] if review.confidence else [])


def _whole(review: Review) -> list[Child]:
    by = f"By {review.reviewer or 'an unnamed reviewer'}."
    parts: list[Child] = [el("p", by, class_="quiet")]
    if review.overall is None:
        parts.append(el("p", _NO_SCORES, class_="quiet"))
    else:
        rows = [(name, str(score)) for name, score in _scores(review)]
        parts.append(join(data_table(("score", ""), rows), el("p", "Decision: ", review.decision)))
    return parts + _said(review)


def _said(review: Review) -> list[Child]:
    parts: list[Child] = [lines(review.summary)]
    for name in _POINTS:
        points: tuple[str, ...] = getattr(review, name)
        parts += [el("h3", name.capitalize()), bullet_list(points)] if points else []
    return parts
