"""The values of papers: what a reader sees of one, its numbers, its reviews and improvements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.core.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenText:
    """Text of a PDF that no reader sees: how it is hidden, on which page (from 1), and where, in points
    from the page's upper left corner. ``text`` is cut, and from a stranger.
    """

    kind: str
    text: str
    page: int
    box: tuple[float, float, float, float]


HIDDEN_KINDS = {
    "colour": "in the colour of its background",
    "small": "smaller than print",
    "outside": "outside the page",
    "covered": "covered or cut off",
    "layer": "in a layer that is not shown",
    "annotation": "in an annotation or a form field",
    "invisible": "written without being drawn",
    "glyphs": "its glyphs show something else",
    "unread": "cannot be read in the picture of the page",
}
"""Each way in which text is hidden, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """What a reader sees of a page. ``by_ocr``: the page has no text of its own, this was read from
    its picture. ``picture`` is the SHA-256 of the page as PNG.
    """

    text: str
    by_ocr: bool
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPaper:
    """A stranger's PDF as a reader sees it: its first pages, of ``count``, and what hides in them;
    ``more`` findings are left out of ``hidden``.
    """

    pages: tuple[SeenPage, ...]
    hidden: tuple[HiddenText, ...]
    count: int
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A compiled paper: the tree holds its source, ``paper.pdf`` and the page pictures.

    ``pages`` are what a reader sees of the first pages, ``hidden`` is what was left out of them;
    ``layer`` is all that the PDF says of each page, seen or not.
    """

    files: Tree
    pages: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    hidden: tuple[HiddenText, ...] = ()
    layer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A number in the paper's text, and what it resolves to (empty: nothing)."""

    text: str
    where: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review in the form that machine-learning venues use; None where none was judged."""

    summary: str
    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    questions: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    ethical_concerns: bool | None = None
    scores: tuple[tuple[str, int], ...] = ()
    overall: int | None = None
    confidence: int | None = None
    decision: str = ""
    reviewer: str = ""


@dataclass(frozen=True, slots=True)
class PointAnswer:
    """A point of a review, and the author's answer to it."""

    point: str
    kind: Literal["change", "experiment", "limit", "rebuttal"]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A new version in the eyes of the reviewer whose points it answers: its overall score, the numbers (from 1)
    of the points that are settled, and what became worse.
    """

    overall: int
    settled: tuple[int, ...]
    worse: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperVersion:
    """A version of a paper: its PDF in the record, its reviews, how many of its numbers nothing carries."""

    pdf: str
    reviews: tuple[Review, ...] = ()
    meta_review: Review | None = None
    unresolved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """One pass over a reviewed paper. ``changes`` are sections with their text before and after it;
    ``after`` is None where nothing was changed. ``kept`` is the version that is the paper now. ``runs`` are
    the names of those that were made for it; ``reread`` is what the reviewer says whose points it answers.
    """

    answers: tuple[PointAnswer, ...]
    before: PaperVersion
    after: PaperVersion | None
    changes: tuple[tuple[str, str, str], ...]
    kept: Literal["improved", "earlier"]
    why: str
    runs: tuple[str, ...] = ()
    reread: Reread | None = None
