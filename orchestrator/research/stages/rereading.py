"""The reviewer whose points an improvement answered reads the new version: what is settled, and its score now.

It knows what it asked for, so its score decides nothing; a gain that it alone sees is said to be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from orchestrator.core.errors import BadReply
from orchestrator.core.model import Ask, Message
from orchestrator.core.papers import PointAnswer, Reread
from orchestrator.record.notes import ReviewLost
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.review import ask_once, page_texts, under_review


class RereadForm(ReplyForm):
    """What the reviewer says of the new version."""

    settled: Annotated[tuple[int, ...], Field(max_length=40)]
    worse: Annotated[str, Field(max_length=1000)] = ""
    Overall: Annotated[int, WholeNumber(1, 10)]


def reread(overall: int, answers: Sequence[PointAnswer], new: Study, ports: Ports) -> Reread | None:
    """The new version as the reviewer sees it who gave the earlier one ``overall``; None where its answer cannot
    be used, which is noted.
    """
    paper = under_review(new, ports)
    told = [{"point": n, "says": one.point} for n, one in enumerate(answers, start=1)]
    notes = [
        {"point": n, "kind": one.kind, "note": one.note} for n, one in enumerate(answers, start=1)
    ]
    asked = render(
        "review_answered",
        points=block("points", told),
        answers=block("answers", notes),
        pages=block("pages", page_texts(paper)),
        overall=str(overall),
    )
    message = Message("user", asked, pictures=paper.pictures)
    try:
        form = ask_once(
            ports, Ask(purpose="review.answered", messages=(message,), temperature=0.1), RereadForm
        )
    except BadReply as error:
        ports.note(ReviewLost(reviewer=1, step="answered", why=error.what))
        return None
    settled = tuple(sorted({n for n in form.settled if 1 <= n <= len(answers)}))
    return Reread(overall=form.Overall, settled=settled, worse=form.worse)
