"""``review.txt`` of the AI Scientist: a review as JSON, read as a stranger's."""

from __future__ import annotations

from typing import Any

from orchestrator.core.papers import Review
from orchestrator.core.strict_json import loads
from orchestrator.core.untrusted import check_depth
from orchestrator.research.stages.review import GRADES

REVIEWER = "the AI Scientist (imported)"
_MOST_POINTS, _POINT, _SUMMARY = 20, 2000, 6000


def read_review(data: bytes) -> Review:
    """The review in ``data``; a mark out of its range is left out. Raises ValueError for what is none."""
    value = loads(data)
    check_depth(value)
    if not isinstance(value, dict) or not isinstance(value.get("Summary"), str):
        raise ValueError("it is no review: no JSON object with a Summary")  # noqa: TRY004 - one kind of error
    scores = ((name, _mark(value.get(name), 4)) for name in GRADES)
    concerns = value.get("Ethical Concerns")
    decision = value.get("Decision")
    return Review(
        summary=value["Summary"][:_SUMMARY],
        strengths=_points(value.get("Strengths")),
        weaknesses=_points(value.get("Weaknesses")),
        questions=_points(value.get("Questions")),
        limitations=_points(value.get("Limitations")),
        ethical_concerns=concerns if isinstance(concerns, bool) else None,
        scores=tuple((name, mark) for name, mark in scores if mark is not None),
        overall=_mark(value.get("Overall"), 10),
        confidence=_mark(value.get("Confidence"), 5),
        decision=decision if decision in {"Accept", "Reject"} else "",
        reviewer=REVIEWER,
    )


def _points(value: Any) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    texts = (one[:_POINT] for one in given if isinstance(one, str) and one.strip())
    return tuple(texts)[:_MOST_POINTS]


def _mark(value: Any, most: int) -> int | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= most
    return int(value) if good and value == int(value) else None
