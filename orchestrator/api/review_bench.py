"""Benchmarks of a reviewer: its reviews of papers that people decided on, held against them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator import __version__
from orchestrator.agreement.bootstrap import DRAWS, SEED, Agreement, measure
from orchestrator.agreement.comparison import all_estimates, comparison_page
from orchestrator.agreement.driving import paper_files, review_papers
from orchestrator.agreement.joining import Uncounted, join_tables
from orchestrator.agreement.review_log import ReviewerLine, ReviewLog
from orchestrator.agreement.tables import read_ratings, read_reviews
from orchestrator.api.locking import only_writer
from orchestrator.api.pdf_review import ReviewRequest, review_pdf
from orchestrator.core.files import write
from orchestrator.core.papers import Review
from orchestrator.core.tree import digest
from orchestrator.core.untrusted import file_hash
from orchestrator.research.prompts import prompts_hash

PAGE, NUMBERS = "report.html", "agreement.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOutcome:
    """A benchmark: its metrics, the papers that none counts, and the folder of its page."""

    name: str
    agreement: Agreement
    left_out: tuple[Uncounted, ...]
    folder: Path

    def as_json(self) -> dict[str, Any]:
        """Every figure, for programs; a metric that is undefined is null."""
        found = self.agreement
        return {
            "name": self.name,
            "papers": found.papers,
            "accepted_by_people": found.accepted,
            "positive": "Accept",
            "interval": {"kind": "percentile bootstrap over papers", "share": 0.95, "draws": DRAWS, "seed": SEED},
            "decisions": asdict(found.confusion),
            "metrics": {name: asdict(one) for name, one in all_estimates(found).items()},
            "thresholds": {
                str(t): {name: asdict(one) for name, one in row.items()}
                for t, row in found.thresholds.items()
            },
            "suggested_threshold": found.suggested,
            "left_out": [asdict(one) for one in self.left_out],
        }  # fmt: skip


def compare_reviews(ratings: Path, reviews: Path, folder: Path) -> BenchOutcome:
    """Hold the reviews of a table against people's decisions; write the page into ``folder``.

    Raises :class:`BadFile` for either table, :class:`UserError` if they share no paper.
    """
    rated, scored = read_ratings(ratings), read_reviews(reviews)
    cases, left_out = join_tables(rated, scored)
    return _written(reviews.stem, measure(cases), left_out, folder)


def bench_reviewer(
    ratings: Path,
    papers: Path,
    folder: Path,
    *,
    reviewer: str,
    review: Callable[[Path], Review],
    resume: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> BenchOutcome:
    """Have ``review`` judge each paper of ``papers`` once, and hold it against people's decisions.

    Each review is kept in ``folder`` before the next is asked for. With ``resume`` a benchmark goes
    on with those that are there, if ``reviewer``, which names all that decides a review, and the
    ratings are the same. A paper without a usable review is left out, named, and asked for again by
    the next call. Raises as :func:`compare_reviews`, :class:`ReviewLog`, and what stops ``review``
    for more than one paper.
    """
    rated, files = read_ratings(ratings), paper_files(papers)
    folder.mkdir(parents=True, exist_ok=True)
    with only_writer(folder):
        first = ReviewerLine(reviewer=reviewer, ratings=file_hash(ratings))
        log = ReviewLog(folder, first, resume=resume)
        scored, failed = review_papers(rated, files, log, review, say)
        cases, left_out = join_tables(rated, scored, failed)
        return _written(reviewer, measure(cases), left_out, folder)


def bench_model(
    ratings: Path,
    request: ReviewRequest,
    folder: Path,
    *,
    resume: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> BenchOutcome:
    """Have a model review each PDF of ``request.file``, a folder, within ``request.max_usd`` for all; see
    :func:`bench_reviewer`.
    """
    spent = 0.0

    def review(path: Path) -> Review:
        nonlocal spent
        left = None if request.max_usd is None else max(0.0, request.max_usd - spent)
        done = review_pdf(replace(request, file=path, max_usd=left))
        spent += done.usage.usd or 0.0
        return done.review

    rules = digest([__version__, prompts_hash(), asdict(request.reviewing), request.vision])
    reviewer = f"{request.model} ({rules[:12]})"
    return bench_reviewer(
        ratings, request.file, folder, reviewer=reviewer, review=review, resume=resume, say=say
    )


def _written(
    name: str, found: Agreement, left_out: tuple[Uncounted, ...], folder: Path
) -> BenchOutcome:
    outcome = BenchOutcome(name=name, agreement=found, left_out=left_out, folder=folder)
    write(folder / PAGE, comparison_page(name, found, left_out))
    write(folder / NUMBERS, json.dumps(outcome.as_json(), indent=2) + "\n")
    return outcome
