"""What a reader sees of a PDF, and the text in it that no reader sees."""

from __future__ import annotations

from dataclasses import dataclass


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
