"""The reviews of a paper as batches of their vendor: all forms in one, then the reflections of each round.

Each call stands where it would stand without: in its reviewer's scope. What a reply leaves to be asked again,
or what the chair is asked, goes out by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.core.errors import BadReply
from orchestrator.core.model import Ask, Reply
from orchestrator.core.papers import Review
from orchestrator.record.notes import ReviewLost
from orchestrator.record.ports import Ports
from orchestrator.research.replies import in_form
from orchestrator.research.stages.review import (
    ReviewForm,
    UnderReview,
    form_by,
    form_request,
    reflect_request,
    reflected,
    signed_review,
)


@dataclass(slots=True)
class _Reviewer:
    """A reviewer whose form can be used: its number, scope, last request and form; ``done`` reflecting or not."""

    number: int
    name: str
    ask: Ask
    form: ReviewForm
    done: bool = False


def reviews_in_batches(paper: UnderReview, ports: Ports) -> tuple[Review, ...]:
    """The reviews of those whose replies can be used, in their order."""
    several = paper.rules.reviews > 1
    reviewers = list(_forms(paper, ports))
    for _ in range(paper.rules.reflections):
        asking = [one for one in reviewers if not one.done and one.form.Overall is not None]
        if not asking:
            break
        for one in asking:
            one.ask = reflect_request(one.ask, one.form)
        replies = ports.complete_all([(one.name, one.ask) for one in asking])
        for one, reply in zip(asking, replies, strict=True):
            scoped = _scoped(ports, one.name)
            better = reflected(_after(reply, scoped), scoped, one.ask, one.number)
            one.form, one.done = better or one.form, better is None
    return tuple(signed_review(one.form, ports, one.number, several=several) for one in reviewers)


def _forms(paper: UnderReview, ports: Ports) -> Iterator[_Reviewer]:
    numbers = range(1, paper.rules.reviews + 1)
    names = [f"reviewer_{number}" if paper.rules.reviews > 1 else "" for number in numbers]
    asks = [form_request(paper, number) for number in numbers]
    replies = ports.complete_all(
        [(name, in_form(ask, ReviewForm)) for name, ask in zip(names, asks, strict=True)]
    )
    for number, name, ask, reply in zip(numbers, names, asks, replies, strict=True):
        scoped = _scoped(ports, name)
        try:
            form = form_by(_after(reply, scoped), ask, ReviewForm)
        except BadReply as error:
            scoped.note(ReviewLost(reviewer=number, step="form", why=error.what))
        else:
            yield _Reviewer(number, name, ask, form)


def _scoped(ports: Ports, name: str) -> Ports:
    return ports.within(name) if name else ports


def _after(reply: Reply, ports: Ports) -> Callable[[Ask], Reply]:
    """Answers the first request with ``reply``, which it has, and asks the model for the others."""
    given = [reply]
    return lambda ask: given.pop() if given else ports.complete(ask)
