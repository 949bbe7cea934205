"""Reviewing a PDF of anybody's: what a reader sees of it goes to one reviewer or to a panel.

Each paper has a journal of its own below ``results/reviews``, so that the same command again repeats no recorded
call, and no paid answer is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from orchestrator import __version__
from orchestrator.api.adapters import with_pictures
from orchestrator.api.locking import only_writer
from orchestrator.api.own_record import ports_of_own
from orchestrator.api.pdf_pages import seen_pages
from orchestrator.api.pdf_text import pdf_bytes
from orchestrator.api.prepare import RESULTS, open_author, shows_pictures
from orchestrator.core.files import slug, write
from orchestrator.core.model import Picture, Usage
from orchestrator.core.papers import Review, SeenPaper
from orchestrator.core.research import Idea
from orchestrator.core.tree import digest
from orchestrator.models.failures import RetryTiming
from orchestrator.models.prices import prices_of, stated_price
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Edges
from orchestrator.record.spending import account_spending
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.stages.panel import review_all
from orchestrator.research.stages.review import PAGE_PICTURES, UnderReview
from orchestrator.research.stages.review_file import reviews_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest:
    """A PDF, the model that reviews it, and the rules. ``vision``: show the pages as pictures; None: what is
    known of the model. ``policy`` limits the container that reads the PDF.
    """

    file: Path
    model: str
    reviewing: ReviewPin = field(default_factory=ReviewPin)
    vision: bool | None = None
    max_usd: float | None = None
    price: str | None = None
    policy: str | None = None
    results: Path = RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedPdf:
    """A paper's reviews, the meta-review of several, what a reader sees of it; what the calls cost."""

    reviews: tuple[Review, ...]
    meta_review: Review | None
    seen: SeenPaper
    folder: Path
    usage: Usage

    @property
    def review(self) -> Review:
        """The review that counts."""
        return self.meta_review or self.reviews[-1]


def review_pdf(request: ReviewRequest, say: Callable[[str], None] = lambda _: None) -> ReviewedPdf:
    """The reviews of a PDF. Raises :class:`BadFile` for a file that cannot be read, :class:`UserError` and its
    children for the request, :class:`BadReply` where nobody gave a review.
    """
    content = pdf_bytes(request.file)
    prices = stated_price(request.price, request.model)
    model = open_author(
        request.model, environ=os.environ, prices=prices, timing=RetryTiming(tell=say)
    )
    if request.max_usd is not None:
        prices_of(model, prices)  # without a price no budget of dollars holds
    sees = shows_pictures(model, asked=request.vision)
    key = digest(
        [__version__, prompts_hash(), model.name, sees, asdict(request.reviewing), digest(content)]
    )
    name = slug(request.file.stem)[:40] or "paper"
    paths = IdeaPaths(request.results / "reviews" / f"{name}-{key[:12]}")
    paths.folder.mkdir(parents=True, exist_ok=True)
    with only_writer(paths.folder):
        blobs = BlobStore(paths.blobs)
        say(f"looking at the pages of {request.file.name}")
        seen = seen_pages(request.file, blobs, request.policy)
        none = absent(model.name)
        edges = Edges(
            with_pictures(model, blobs),
            none.editor,
            none.sandbox,
            none.literature,
            month=account_spending(),
        )
        what = Idea(name=name, title=request.file.name[:200], experiment="the review of a PDF")
        ports = ports_of_own(paths, blobs, what, edges, "review", request.max_usd)
        say(f"{model.name} reviews {request.file.name}")
        reviews, meta = review_all(_under_review(seen, request.reviewing, sees=sees), ports)
        write(paths.review, reviews_text(meta, reviews))
    return ReviewedPdf(
        reviews=reviews,
        meta_review=meta,
        seen=seen,
        folder=paths.folder,
        usage=ports.journal.ledger.total(),
    )


def _under_review(seen: SeenPaper, rules: ReviewPin, *, sees: bool) -> UnderReview:
    """What a reviewer gets of a PDF: the text of its pages, and their pictures if the model sees."""
    shown = [page.picture for page in seen.pages[:PAGE_PICTURES]] if sees else []
    pictures = tuple(Picture(f"page-{n}.png", one) for n, one in enumerate(shown, start=1))
    return UnderReview(tuple(page.text for page in seen.pages), pictures, rules)
