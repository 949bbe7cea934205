"""python3 seen.py paper.pdf OUT FIRST LAST [pictures]: what a reader sees of pages, and what hides there.

Runs inside the LaTeX container, on a file of anybody's. Writes ``OUT/seen.json``, and with ``pictures``
each page as ``OUT/page-N.png``:

  refused   why nothing was read, or ""
  of        the number of pages in the document
  pages     for each page from FIRST to LAST: {"text", "ocr", "hidden", "more"}

``text`` has the words of the layer that the picture of the page shows near the same place, line by
line; of a page without a layer it has what Tesseract read, and ``ocr`` is true. ``hidden`` lists what
was left out: {"kind", "text", "box"}, the box in points; ``more`` counts those past the limit. The
kinds: colour, small, outside, covered, layer, annotation, invisible, glyphs, unread.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pymupdf
from pages import save
from seen_judge import Judge
from seen_layer import Word, lines_of, main_direction, outside, picture_of
from seen_ocr import Read, Unread, read_page
from seen_words import plain, printable

MOST_PAGES = 200  # of a document
TEXT = 20_000  # characters of a page
HIDDEN = 30  # of a page
HIDDEN_TEXT = 300  # characters of each
LEAST = 3  # letters that are worth telling
SECONDS = 110.0  # for all pages
SCAN = 0.5  # the share of a page that one picture covers

Found = tuple[str, str, pymupdf.Rect]  # kind, text, box


def main(pdf: Path, out: Path, first: int, last: int, *, pictures: bool) -> None:
    pymupdf.TOOLS.mupdf_display_errors(on=False)
    pymupdf.TOOLS.mupdf_display_warnings(on=False)
    out.mkdir(parents=True, exist_ok=True)
    said: dict[str, Any] = {"refused": "", "of": 0, "pages": []}
    try:
        views = Views(pdf)
        said["of"], said["refused"] = len(views.shown), views.refused()
        until = time.monotonic() + SECONDS
        if not said["refused"]:
            numbers = range(first - 1, min(last, said["of"]))
            for number in numbers if pictures else ():
                save(views.shown[number], number + 1, out)
            views.turn_back()
            said["pages"] = [page(views, number, until) for number in numbers]
    except (RuntimeError, ValueError, TypeError, RecursionError) as error:  # MuPDF's, of any kind
        said["refused"] = f"it cannot be read: {type(error).__name__}: {error}"[:HIDDEN_TEXT]
    text = json.dumps(said).encode("utf-8", "replace")
    (out / "seen.json").write_bytes(text)


class Views:
    """A document three times: as a reader sees it, without annotations, and with every layer on."""

    def __init__(self, pdf: Path) -> None:
        self.shown = pymupdf.open(pdf, filetype="pdf")
        self.bare = pymupdf.open(pdf, filetype="pdf")
        self.layered = pymupdf.open(pdf, filetype="pdf")
        if self.refused():
            return
        for page in self.bare:
            self.bare.xref_set_key(page.xref, "Annots", "null")
        self.turns = [page.rotation for page in self.shown]
        self.layers = bool(self.shown.get_ocgs())
        if self.layers:  # without a list of layers each of them is shown, whatever its condition
            catalog = self.layered.pdf_catalog()
            self.layered.xref_set_key(catalog, "OCProperties", "null")
            self.layered = pymupdf.open("pdf", self.layered.tobytes())

    def turn_back(self) -> None:
        """Stand each page as it was before it was turned, so that all places are in the same points."""
        for document in (self.shown, self.bare, self.layered):
            for page in document:
                page.set_rotation(0)

    def refused(self) -> str:
        if self.shown.needs_pass or self.shown.is_encrypted:
            return "it is encrypted"
        if not self.shown.page_count:
            return "it has no page"
        if self.shown.page_count > MOST_PAGES:
            return f"it has {self.shown.page_count} pages, over {MOST_PAGES}"
        return ""


def page(views: Views, number: int, until: float) -> dict[str, Any]:
    """What is seen of one page, and what is not."""
    shown, bare = views.shown[number], views.bare[number]
    lines = lines_of(bare, picture_of(shown))
    found = list(beside(views, number))
    scan = any(
        pymupdf.Rect(one["bbox"]).get_area() >= SCAN * shown.rect.get_area()
        for one in bare.get_image_info()
    )
    if scan:  # its layer is somebody's reading of the picture
        for word in (word for line in lines for word in line):
            word.why = word.why.replace("invisible", "")
    try:
        turn = main_direction(lines, views.turns[number])
        read = read_page(shown, turn, until - time.monotonic())
        Judge(shown, bare, read, until).judge(lines)
    except Unread as error:
        found.append(("unread", f"the whole page: {error}", shown.rect))
        lines, read = [], []
    found += left_out(lines)
    text = "\n".join(row for line in lines if (row := kept(line)))
    by_eye = not plain(text) or (scan and 4 * len(plain(text)) < sum(len(r.text) for r in read))
    text = by_ocr(read) if by_eye else text
    found = [one for one in found if sum(map(str.isalpha, one[1])) >= LEAST]
    return {
        "text": text[:TEXT],
        "ocr": bool(by_eye and read),
        "hidden": [
            {"kind": kind, "text": printable(said)[:HIDDEN_TEXT], "box": [round(x, 1) for x in box]}
            for kind, said, box in found[:HIDDEN]
        ],
        "more": len(found[HIDDEN:]),
    }


def beside(views: Views, number: int) -> Iterator[Found]:
    """What stands outside the page, in layers and annotations, and what the layer says in place of glyphs."""
    shown, bare = views.shown[number], views.bare[number]
    yield from (("outside", *one) for one in outside(bare))
    flags = pymupdf.TEXTFLAGS_WORDS
    own = bare.get_text("words", flags=flags)
    yield from added("covered", bare.get_text("words", flags=flags & ~pymupdf.TEXT_CLIP), own)
    own = bare.get_text("words", flags=flags | pymupdf.TEXT_IGNORE_ACTUALTEXT)
    yield from added("glyphs", bare.get_text("words", flags=flags), own)
    own = bare.get_text("words", flags=flags)
    all_of = shown.get_text("words", flags=flags)
    yield from added("annotation", all_of, own)
    if views.layers:
        yield from added("layer", views.layered[number].get_text("words", flags=flags), all_of)
    for xref, kind, _ in shown.annot_xrefs():
        keys = ("Contents", "RC", "V", "TU", "DV") if kind != pymupdf.PDF_ANNOT_LINK else ()
        for key in keys:
            sort, value = views.shown.xref_get_key(xref, key)
            if sort == "string" and value.strip():
                yield "annotation", value, shown.rect


def added(kind: str, more: Sequence[Any], less: Sequence[Any]) -> Iterator[Found]:
    """The words, one finding for each run of them, that only ``more`` has."""
    known = Counter(one[4] for one in less)
    text, box = "", pymupdf.Rect()
    for row in more:
        if known[row[4]] > 0:
            known[row[4]] -= 1
        elif len(text) < HIDDEN_TEXT:
            box = box | row[:4] if text else pymupdf.Rect(row[:4])
            text += f" {row[4]}"
    if text:
        yield kind, text.strip(), box


def kept(line: Sequence[Word]) -> str:
    """The words of a line that are seen, spaced as in the layer."""
    text = ""
    for word in line:
        if not word.why:
            text += ("" if word.glued or not text else " ") + word.text
    return text


def left_out(lines: Sequence[Sequence[Word]]) -> Iterator[Found]:
    """The words that are not seen: neighbours of one kind together."""
    kind, text, box = "", "", pymupdf.Rect()
    for word in (word for line in lines for word in line):
        if word.why and word.why == kind and len(text) < HIDDEN_TEXT:
            text += ("" if word.glued else " ") + word.text
            box |= word.box
            continue
        if text and kind:
            yield kind, text, box
        kind, text, box = word.why, word.text, pymupdf.Rect(word.box)
    if text and kind:
        yield kind, text, box


def by_ocr(read: Sequence[Read]) -> str:
    rows: dict[tuple[str, ...], list[str]] = {}
    for one in read:
        rows.setdefault(one.line, []).append(one.text)
    return "\n".join(printable(" ".join(row)) for row in rows.values())


if __name__ == "__main__":
    first_page, last_page = map(int, sys.argv[3:5])
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        first_page,
        last_page,
        pictures=sys.argv[5:] == ["pictures"],
    )
