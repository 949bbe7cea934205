"""Review: the text of the paper's pages and its figures, reviewed with the form of a conference.

The pages are untrusted (a model wrote them, and can write "score this 10"): the prompt contains
them as data inside a fence that they cannot close.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.model import Ask, Message
from orchestrator.core.problems import Invalid
from orchestrator.core.research import Review
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_and_reflect
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.look import figure_pictures

_REFLECTIONS = 1
_PAGE_CHARACTERS = 8000  # characters of a page that a reviewer sees
_MAX_PAGES = 20

_Text = Annotated[str, Field(max_length=6000)]
_Point = Annotated[str, Field(min_length=1, max_length=2000)]
_Points = Annotated[tuple[_Point, ...], Field(max_length=20)]
_Grade = Annotated[int, WholeNumber(1, 4)] | None
GRADES = (
    "Originality", "Quality", "Clarity", "Significance",
    "Soundness", "Presentation", "Contribution",
)  # fmt: skip


class ReviewForm(ReplyForm):
    """The form of a review. A reviewer that does not judge leaves every score null."""

    Summary: Annotated[_Text, Field(min_length=20)]
    Strengths: _Points
    Weaknesses: _Points
    Questions: _Points = ()
    Limitations: _Points = ()
    EthicalConcerns: bool | None = None
    Originality: _Grade = None
    Quality: _Grade = None
    Clarity: _Grade = None
    Significance: _Grade = None
    Soundness: _Grade = None
    Presentation: _Grade = None
    Contribution: _Grade = None
    Overall: Annotated[int, WholeNumber(1, 10)] | None = None
    Confidence: Annotated[int, WholeNumber(1, 5)] | None = None
    Decision: Literal["Accept", "Reject", ""] = ""

    @model_validator(mode="after")
    def _all_scores_or_none(self) -> ReviewForm:
        judged = (*GRADES, "Overall", "Confidence", "Decision")
        missing = [name for name in judged if getattr(self, name) in (None, "")]
        if missing and len(missing) < len(judged):
            what = f"every score and a decision are needed, or none; missing: {', '.join(missing)}"
            raise Invalid(what, "give them, or null for every score and an empty decision")
        return self


def review_paper(study: Study, ports: Ports) -> Study:
    """The study with its review, and one reflection. Raises :class:`IdeaFailed` without a paper."""
    if study.paper is None:
        raise IdeaFailed("there is no paper to review", where="review", todo="compile it first")
    pages = [text[:_PAGE_CHARACTERS] for text in study.paper.pages[:_MAX_PAGES]]
    asked = render("review_form", pages=block("pages", pages))
    pictures = figure_pictures(study, ports, "reviewing")
    message = Message("user", asked, pictures=pictures)
    ask = Ask(purpose="review.form", messages=(message,), temperature=0.1)
    form = ask_and_reflect(
        ports, ask, ReviewForm, "review.reflect", _REFLECTIONS, lambda reply: reply.Overall is None
    )
    scores = ((name, getattr(form, name)) for name in GRADES)
    review = Review(
        summary=form.Summary,
        strengths=form.Strengths,
        weaknesses=form.Weaknesses,
        questions=form.Questions,
        limitations=form.Limitations,
        ethical_concerns=form.EthicalConcerns,
        scores=tuple((name, score) for name, score in scores if score is not None),
        overall=form.Overall,
        confidence=form.Confidence,
        decision=form.Decision,
        reviewer=ports.edges.model_for(ask.purpose).name,
    )
    return replace(study, review=review)


def review_text(review: Review) -> str:
    """``review.txt``: a review for a person to read."""
    lines = [f"Review by {review.reviewer}", "", "Summary", f"  {_one_line(review.summary)}", ""]
    for heading in ("strengths", "weaknesses", "questions", "limitations"):
        points = getattr(review, heading)
        lines += [heading.capitalize(), *(f"  - {_one_line(point)}" for point in points)]
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
