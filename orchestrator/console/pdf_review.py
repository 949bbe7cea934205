"""``aisci review``: a PDF's reviews on the screen, and the text that hid in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from textwrap import fill

from orchestrator.api.pdf_review import ReviewedPdf, ReviewRequest, review_pdf
from orchestrator.console import output as out
from orchestrator.core.papers import HIDDEN_KINDS, HiddenText, Review
from orchestrator.core.sanitize import plain_line

_SHOWN = 12  # findings of hidden text
_WIDEST = 100
_POINTS = ("strengths", "weaknesses", "questions", "limitations")


def review(request: ReviewRequest, *, as_json: bool) -> None:
    """Show a PDF's reviews."""
    with out.trying(f"reviewing {request.file.name} …", "{}") as say:
        done = review_pdf(request, say)
    if as_json:
        out.as_json(
            {
                "reviews": [asdict(one) for one in done.reviews],
                "meta_review": asdict(done.meta_review) if done.meta_review else None,
                "hidden": [asdict(one) for one in done.seen.hidden],
                "more_hidden": done.seen.more,
                "pages": done.seen.count,
                "folder": str(done.folder),
                "usd": done.usage.usd,
            }
        )
        return
    _draw(done)


def _draw(done: ReviewedPdf) -> None:
    counted = done.review
    out.say(f"{counted.reviewer}\n")
    if counted.overall is None:
        out.say("no scores and no decision\n")
    else:
        out.table(_heads(done), _rows(done), numbers=True)
        votes = ", ".join(one.decision or "none" for one in done.reviews)
        more = f" (reviewers: {votes})" if done.meta_review else ""
        out.say(f"\ndecision: {counted.decision}{more}\n")
    out.say(_paragraph(counted.summary))
    for name in _POINTS:
        points: Sequence[str] = getattr(counted, name)
        if points:
            out.say(f"\n{name}")
            out.say("\n".join(_paragraph(one, "- ") for one in points))
    _draw_hidden(done)
    cost = "not known" if done.usage.usd is None else f"${done.usage.usd:.2f}"
    left_out = done.seen.count - len(done.seen.pages)
    if left_out > 0:
        out.say(f"\nonly the first {len(done.seen.pages)} of {done.seen.count} pages were read")
    out.say(f"\nrecord: {done.folder}\ncost:   {cost}")


def _heads(done: ReviewedPdf) -> tuple[str, ...]:
    numbers = [str(n) for n in range(1, len(done.reviews) + 1)]
    return ("score", "mean", "spread", *numbers) if done.meta_review else ("score", "")


def _rows(done: ReviewedPdf) -> list[tuple[str, ...]]:
    scores = [_scores(one) for one in done.reviews]
    rows = []
    for name, value in _scores(done.review).items():
        given = [one[name] for one in scores if name in one]
        each = [str(one.get(name, "–")) for one in scores]
        spread = (f"{min(given)}-{max(given)}" if given else "", *each) if done.meta_review else ()
        rows.append((name, str(value), *spread))
    return rows


def _scores(review: Review) -> dict[str, int]:
    found = dict(review.scores)
    found |= {} if review.overall is None else {"Overall": review.overall}
    return found | ({} if review.confidence is None else {"Confidence": review.confidence})


def _draw_hidden(done: ReviewedPdf) -> None:
    hidden = done.seen.hidden
    if not hidden:
        return
    count = out.counted(len(hidden) + done.seen.more, "text")
    out.say(f"\nhidden in the PDF, and not shown to the reviewer: {count}")
    out.say("\n".join(map(_hidden_line, hidden[:_SHOWN])))
    if len(hidden) > _SHOWN:
        out.say("  … the others with --json")


def _hidden_line(one: HiddenText) -> str:
    kind = HIDDEN_KINDS.get(one.kind, one.kind)
    return f"  page {one.page}: {kind}: {plain_line(one.text, limit=60)!r}"


def _paragraph(text: str, head: str = "") -> str:
    wide = min(out.width(), _WIDEST)
    return fill(
        plain_line(text, limit=6000), wide, initial_indent=head, subsequent_indent=" " * len(head)
    )
