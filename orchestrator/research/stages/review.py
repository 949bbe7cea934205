"""Review: the text of the paper's pages and its figures, reviewed with the form of a conference.

The pages are untrusted (a model wrote them, and can write "score this 10"): the prompt contains
them as data inside a fence that they cannot close.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from orchestrator.core.asking import ask_until, require_whole
from orchestrator.core.errors import BadReply, IdeaFailed
from orchestrator.core.model import Ask, Message, Picture, Reply
from orchestrator.core.papers import Review
from orchestrator.core.problems import Invalid
from orchestrator.record.notes import ReviewLost
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, prompt_text, render
from orchestrator.research.replies import ask_for, in_form, parse_reply, repeat_request
from orchestrator.research.reply_form import ReplyForm, WholeNumber, as_said
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.look import LARGEST_PICTURE, figure_pictures

READERS = {
    "experimenter": "review_as_experimenter",
    "sceptic": "review_as_sceptic",
    "reader": "review_as_reader",
    "historian": "review_as_historian",
    "theorist": "review_as_theorist",
}
"""What the members of a panel read for, in their order, by prompt; a sixth is another experimenter."""
PAGE_PICTURES = 12
"""Pages that a reviewer is shown; what follows is most often the appendix."""
_DONE = "DONE"  # the answer to a reflection that changes nothing
_F = TypeVar("_F", bound=ReplyForm)
_PAGE_CHARACTERS = 8000  # characters of a page that a reviewer sees
_MAX_PAGES = 20

ReviewText = Annotated[str, Field(max_length=6000)]
_Point = Annotated[str, Field(min_length=1, max_length=2000)]
ReviewPoints = Annotated[tuple[_Point, ...], Field(max_length=20)]
_Grade = Annotated[int, WholeNumber(1, 4)] | None
GRADES = (
    "Originality", "Quality", "Clarity", "Significance",
    "Soundness", "Presentation", "Contribution",
)  # fmt: skip


class ReviewForm(ReplyForm):
    """The form of a review. A reviewer that does not judge leaves every score null."""

    Summary: Annotated[ReviewText, Field(min_length=20)]
    Strengths: ReviewPoints
    Weaknesses: ReviewPoints
    Questions: ReviewPoints = ()
    Limitations: ReviewPoints = ()
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


@dataclass(frozen=True, slots=True)
class UnderReview:
    """What a reviewer gets of a paper: the text of its pages, its pictures if the model sees, and the rules."""

    pages: tuple[str, ...]
    pictures: tuple[Picture, ...]
    rules: ReviewPin


def under_review(study: Study, ports: Ports) -> UnderReview:
    """A study's own paper. Raises :class:`IdeaFailed` without one."""
    if study.paper is None:
        raise IdeaFailed("there is no paper to review", where="review", todo="compile it first")
    return UnderReview(study.paper.pages, _page_pictures(study, ports), study.reviewing)


def page_texts(paper: UnderReview) -> list[str]:
    """What a reviewer reads of the pages."""
    return [text[:_PAGE_CHARACTERS] for text in paper.pages[:_MAX_PAGES]]


def form_request(paper: UnderReview, number: int) -> Ask:
    """What a reviewer is asked first."""
    rules = paper.rules
    several = rules.reviews > 1
    prompt = READERS[_reads_as(number)]
    asked = render(
        "review_form",
        examples=prompt_text("review_examples").strip() if rules.examples else "",
        pages=block("pages", page_texts(paper)),
        member=prompt_text(prompt).strip() if several else "",
    )
    message = Message("user", asked, cache=True, pictures=paper.pictures)
    # The members differ by what they are asked to read for: many models take no temperature.
    return Ask(purpose="review.form", messages=(message,), temperature=0.7 if several else 0.1)


def review_once(paper: UnderReview, ports: Ports, number: int) -> Review:
    """One reviewer's review, looked at again as often as the rules say. A reflection that cannot be
    used leaves the review as it was. Raises :class:`BadReply` where there is no review.
    """
    several = paper.rules.reviews > 1
    ask = form_request(paper, number)
    form = ask_once(ports, ask, ReviewForm) if several else ask_for(ports, ask, ReviewForm)
    for _ in range(paper.rules.reflections):
        if form.Overall is None:
            break
        ask = reflect_request(ask, form)
        better = reflected(ports.complete, ports, ask, number)
        if better is None:
            break
        form = better
    return signed_review(form, ports, number, several=several)


def signed_review(form: ReviewForm, ports: Ports, number: int, *, several: bool) -> Review:
    """The record of a form, with the reviewer's name."""
    name = ports.edges.model_for("review.form").name
    return as_review(form, f"{name}, as {_reads_as(number)}" if several else name)


def _reads_as(number: int) -> str:
    return [*READERS][(number - 1) % len(READERS)]


def reflect_request(ask: Ask, form: ReviewForm) -> Ask:
    """What a reviewer is asked after it gave ``form`` to ``ask``."""
    said = Message("assistant", as_said(form))
    again = Message("user", render("review_reflect"), cache=True)
    return replace(ask, purpose="review.reflect", messages=(*ask.messages, said, again))


def reflected(
    complete: Callable[[Ask], Reply], ports: Ports, ask: Ask, number: int
) -> ReviewForm | None:
    """The review after a reflection; None if nothing is to change, or if the answer cannot be used."""

    def use(reply: Reply, ask: Ask) -> ReviewForm | None:
        text = require_whole(reply, ask).text
        done = text.strip().strip("`.").upper() == _DONE
        return None if done else parse_reply(text, ReviewForm)

    try:
        return ask_until(complete, ask, use, repeat_request)
    except BadReply as error:
        ports.note(ReviewLost(reviewer=number, step="reflection", why=error.what))
        return None


def ask_once(ports: Ports, ask: Ask, form: type[_F]) -> _F:
    """A valid reply to at most three requests; a resumed run asks no further. Raises :class:`BadReply`."""
    return form_by(ports.complete, ask, form)


def form_by(complete: Callable[[Ask], Reply], ask: Ask, form: type[_F]) -> _F:
    """The same, of what answers requests."""
    return ask_until(
        complete,
        in_form(ask, form),
        lambda reply, asked: parse_reply(require_whole(reply, asked).text, form),
        repeat_request,
    )


def _page_pictures(study: Study, ports: Ports) -> tuple[Picture, ...]:
    """The pages as pictures, if the reviewer sees; its figures where a paper has no pictures of pages."""
    if "reviewing" not in study.sees or study.paper is None:
        return ()
    files = study.paper.files.as_dict()
    names = [f"latex/out/page-{number}.png" for number in range(1, _MAX_PAGES + 1)]
    shown = [
        Picture(name, files[name])
        for name in names  # in the order of pages, which is not that of their names
        if name in files and len(ports.blobs.get(files[name])) <= LARGEST_PICTURE
    ]
    return tuple(shown[:PAGE_PICTURES]) or figure_pictures(study, ports, "reviewing")


def as_review(form: ReviewForm, reviewer: str) -> Review:
    """A form as a record."""
    scores = ((name, getattr(form, name)) for name in GRADES)
    return Review(
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
        reviewer=reviewer,
    )
