"""People's decisions and a reviewer's scores of the same papers; what is left out, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.agreement.tables import Rated, Scored
from orchestrator.core.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One paper, without its name: whether people accepted it, whether the reviewer accepts it, the
    reviewer's overall score and the mean rating of people, both 1–10. None where not known.
    """

    accepted: bool
    accepts: bool | None = None
    overall: float | None = None
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A paper that no metric counts; ``why`` is the same text for all of a kind."""

    paper_id: str
    why: str
    detail: str = ""


def join_tables(
    rated: Iterable[Rated], scored: Iterable[Scored], failed: Iterable[Uncounted] = ()
) -> tuple[tuple[Case, ...], tuple[Uncounted, ...]]:
    """The cases in the order of ``rated``, and each paper of either side that is none.

    ``failed`` are papers for which a reason is known already. Raises :class:`UserError` if no
    paper is left.
    """
    reviews = {one.paper_id: one for one in scored}
    known = {one.paper_id: one for one in failed}
    cases: list[Case] = []
    out: list[Uncounted] = []
    for paper in rated:
        review = reviews.pop(paper.paper_id, None)
        if paper.accepted is None:
            out.append(Uncounted(paper.paper_id, "people's decision is unknown"))
        elif review is None:
            out.append(known.get(paper.paper_id) or Uncounted(paper.paper_id, "not reviewed"))
        elif review.overall is None and review.accepts is None:
            out.append(Uncounted(paper.paper_id, "the review has no score and no decision"))
        else:
            cases.append(Case(
                accepted=paper.accepted, accepts=review.accepts,
                overall=review.overall, rating=paper.rating,
            ))  # fmt: skip
    out += [Uncounted(name, "reviewed, but not among the ratings") for name in reviews]
    if not cases:
        why = sorted({one.why for one in out})
        raise UserError(
            "no paper has both a decision of people and a review",
            where=f"{len(out)} papers of the two tables",
            why="; ".join(why),
            todo="give ratings and reviews of the same papers, by the same paper_id",
        )
    return tuple(cases), tuple(out)
