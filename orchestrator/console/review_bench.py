"""``aisci bench review``: a reviewer's scores against people's decisions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from orchestrator.agreement.comparison import HOW, all_estimates, shown_interval, shown_value
from orchestrator.agreement.metrics import RATES, at_threshold
from orchestrator.api.pdf_review import ReviewRequest
from orchestrator.api.review_bench import PAGE, BenchOutcome, bench_model, compare_reviews
from orchestrator.console import output as out
from orchestrator.core.errors import UserError
from orchestrator.core.files import slug

_NAMED = 5  # papers of one reason


def compare_with_people(
    ratings: Path, reviews: Path | None, into: Path | None, results: Path, *, as_json: bool
) -> None:
    """Show how well the reviews of a table agree with people, and write the page."""
    if reviews is None:
        raise UserError(
            "there is nothing to hold against people's decisions",
            where="aisci bench review",
            todo="name a folder of PDFs with --model NAME, or a table of reviews with --reviews-from",
        )
    folder = into or results / "bench" / slug(reviews.stem)
    with out.trying("drawing papers again for the intervals …"):
        done = compare_reviews(ratings, reviews, folder)
    if as_json:
        out.as_json({**done.as_json(), "page": str(folder / PAGE)})
    else:
        _draw(done)


def review_and_compare(
    ratings: Path,
    request: ReviewRequest,
    into: Path | None,
    reviews: Path | None,
    *,
    resume: bool,
    as_json: bool,
) -> None:
    """Have a model review each paper of a folder, and show how well it agrees with people."""
    if reviews is not None or not request.model:
        raise UserError(
            "a folder of papers is reviewed by a model, and by no table",
            where="aisci bench review RATINGS.tsv PAPERS/",
            todo="give --model NAME, or leave the folder out and give --reviews-from",
        )
    folder = into or request.results / "bench" / slug(f"{request.file.name}-{request.model}")
    with out.trying("reading the papers' list …") as say:
        done = bench_model(ratings, request, folder, resume=resume, say=say)
    if as_json:
        out.as_json({**done.as_json(), "page": str(folder / PAGE)})
    else:
        _draw(done)


def _draw(done: BenchOutcome) -> None:
    found = done.agreement
    rows = [
        (name, shown_value(one.value), shown_interval(one), one.papers)
        for name, one in all_estimates(found).items()
    ]
    out.table(("metric", "value", "95 % interval", "papers"), rows, numbers=True)
    if found.suggested is not None:
        out.say("\nthe overall score alone, taken as Accept from a threshold on:\n")
        lines = []
        for t, rates in found.thresholds.items():
            at = at_threshold(found.scores, t)
            mark = " *" if t == found.suggested else ""
            lines.append(
                (f"{t}{mark}", at.tp + at.fp, *(shown_value(r.value) for r in rates.values()))
            )
        out.table(("threshold", "accepts", *RATES), lines, numbers=True)
        out.say(f"* accepts the share nearest to people's: {found.accepted} of {found.papers}")
    out.say(f"\n{HOW}")
    for why, count in Counter(one.why for one in done.left_out).items():
        names = [one.paper_id for one in done.left_out if one.why == why][:_NAMED]
        more = ", …" if count > _NAMED else ""
        out.say(f"{out.counted(count, 'paper')} left out, {why}: {', '.join(names)}{more}")
    out.say(f"page: {done.folder / PAGE}")
