"""``review.txt``: the reviews of a paper for a person to read."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.papers import Review


def reviews_text(meta: Review | None, reviews: Sequence[Review]) -> str:
    """The meta-review, if there is one, then each review."""
    told = [("Meta-review", meta)] if meta else []
    several = len(reviews) > 1
    told += [
        (f"Review {number}" if several else "Review", one)
        for number, one in enumerate(reviews, start=1)
    ]
    return "\n\n".join(_review_text(heading, one) for heading, one in told)


def _review_text(heading: str, review: Review) -> str:
    lines = [f"{heading} by {review.reviewer}", "", "Summary", f"  {_one_line(review.summary)}", ""]
    for kind in ("strengths", "weaknesses", "questions", "limitations"):
        points = getattr(review, kind)
        lines += [kind.capitalize(), *(f"  - {_one_line(point)}" for point in points)]
        lines += ["  (none given)"] * (not points) + [""]
    concerns = {None: "not judged", True: "yes", False: "no"}[review.ethical_concerns]
    lines.append(f"Ethical concerns: {concerns}")
    lines += [f"{name}: {score} of 4" for name, score in review.scores]
    if review.overall is None:
        lines.append("Overall: not judged; this reviewer gives no scores and no decision")
    else:
        lines += [f"Overall: {review.overall} of 10", f"Confidence: {review.confidence} of 5"]
        lines.append(f"Decision: {review.decision}")
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """Printable characters only: a review is a model's text."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())
