"""The points of a review, and the form in which an author answers each."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.plan import RunForm

_MOST_POINTS = 30
_SAME = 0.6  # share of a point's longer words that an earlier one has


class AnswerForm(ReplyForm):
    """What an author says to one point of a review."""

    point: int
    kind: Literal["change", "experiment", "limit", "rebuttal"]
    note: Annotated[str, Field(min_length=1, max_length=1000)]


class AnswersForm(ReplyForm):
    """The form of an author's answers to a review."""

    answers: Annotated[tuple[AnswerForm, ...], Field(max_length=_MOST_POINTS)]
    runs: Annotated[tuple[RunForm, ...], Field(max_length=10)] = ()


def points_of(study: Study) -> tuple[str, ...]:
    """The weaknesses and questions of the review that counts, then those of a panel's members that it leaves
    out; what an earlier point says is no point of its own.
    """
    if study.review is None:
        return ()
    every = (study.review, *study.reviews)
    weak = (text for one in every for text in one.weaknesses)
    asked = (text for one in every for text in one.questions)
    points: list[str] = []
    for text in (*weak, *asked):
        words = _content(text)
        if not any(len(words & _content(one)) >= _SAME * len(words) for one in points if words):
            points.append(text)
    return tuple(points[:_MOST_POINTS])


def _content(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.casefold()) if len(word) > 4)


def unanswered(form: AnswersForm, count: int, changed: bool) -> list[str]:  # noqa: FBT001 - one use
    """What is wrong with a list of answers: each point is answered once, and a change is made."""
    given = [one.point for one in form.answers]
    problems = [f"point {n} has no answer" for n in range(1, count + 1) if n not in given]
    problems += [f"there is no point {n}" for n in given if not 1 <= n <= count]
    problems += [f"point {n} is answered twice" for n in {n for n in given if given.count(n) > 1}]
    kinds = {one.kind for one in form.answers}
    if kinds & {"change", "limit"} and not changed and not form.runs:
        problems.append("a change is promised, and no '%% SECTION name' follows")
    return problems


def unmade(form: AnswersForm, left: int, *, told: bool) -> list[str]:
    """What is wrong with the runs that the answers ask for; ``told``: those of this pass are made."""
    named = "experiment" in {one.kind for one in form.answers}
    if told:
        return ["no more run can be made: leave out `runs`"] if form.runs else []
    if (named or form.runs) and not left:
        return ["no more run can be made: answer with a change, a limit or a rebuttal"]
    if named != bool(form.runs):
        return [
            "a point that is answered by an `experiment` needs a run in `runs`, and a run such a point"
        ]
    return []
