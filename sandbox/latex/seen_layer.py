"""The words of a page's text layer, and what the layer's own facts and the pixels say against each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pymupdf
from seen_words import plain, printable

SMALLEST = 3.5  # points: the smallest letters that are taken for print
FACTS_DPI = 100
FAINT = (
    28  # of 255, in the strongest of red, green and blue: less cannot be told from its background
)
INK = 14  # of 255: a box with less contrast shows nothing
FLAGS = pymupdf.TEXTFLAGS_TEXT | pymupdf.TEXT_COLLECT_STYLES | pymupdf.TEXT_IGNORE_ACTUALTEXT
FILLED, STROKED, CLIPPING = 16, 32, 64  # of MuPDF's char_flags
MOST_PIXELS = 1600  # of a picture, along its longer side
MOST_CHARACTERS = 40_000  # of a page


@dataclass
class Word:
    """A word of the layer. ``why`` is the kind of what hides it, empty where nothing is known to."""

    text: str
    box: pymupdf.Rect
    along: tuple[float, float]  # the direction of its line
    origin: tuple[float, float]  # of its first letter
    colour: tuple[int, ...]
    line: int  # of the page, from 0
    why: str = ""
    glued: bool = False  # to the one before: no space is between them
    drawn: bool = True
    seen: bool = False  # in the picture, by reading it


def grown(box: pymupdf.Rect, x: float, y: float) -> pymupdf.Rect:
    """A box that is wider on each side by ``x`` points, and higher by ``y``."""
    return pymupdf.Rect(box.x0 - x, box.y0 - y, box.x1 + x, box.y1 + y)


def picture_of(page: Any) -> pymupdf.Pixmap:
    """A page in colour, as a reader sees it, for its words' colours."""
    zoom = min(FACTS_DPI / 72, MOST_PIXELS / max(page.rect.width, page.rect.height, 1))
    return page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)


def lines_of(page: Any, picture: pymupdf.Pixmap) -> list[list[Word]]:
    """The layer's lines in its own order; ``picture`` is of the whole page."""
    lines: list[list[Word]] = []
    left = MOST_CHARACTERS
    for block in page.get_text("rawdict", flags=FLAGS)["blocks"]:
        for line in block.get("lines", ()):
            left -= sum(len(span["chars"]) for span in line["spans"])
            if left < 0:
                return lines
            words = _cut(line, len(lines), page.rect)
            for word in words:
                word.why = word.why or _of_pixels(word, picture, picture.width / page.rect.width)
            lines.append(words)
    return lines


def _cut(line: dict[str, Any], number: int, sheet: pymupdf.Rect) -> list[Word]:
    """A line cut at its spaces, and where the colour or what is known of the letters changes."""
    words: list[Word] = []
    apart = True
    for span in line["spans"]:
        said, colour = _of_span(span), tuple(span["color"].to_bytes(3))
        for char in span["chars"]:
            text = printable(char["c"])
            if not text or text.isspace():
                apart = apart or bool(text)
                continue
            box = pymupdf.Rect(char["bbox"])
            why = said or _of_place(box, sheet)
            if apart or (words[-1].why, words[-1].colour) != (why, colour):
                glued = not apart
                place = (box, line["dir"], char["origin"])
                words.append(Word("", *place, colour, number, why, glued, why != "invisible"))
            words[-1].text += text
            words[-1].box |= box
            apart = False
    return words


def _of_span(span: dict[str, Any]) -> str:
    flags = span["char_flags"]
    if not flags & (FILLED | STROKED) or (flags & CLIPPING and not span["alpha"]):
        return "invisible"
    if span["size"] < SMALLEST:
        return "small"
    return "colour" if span["alpha"] < FAINT else ""


def _of_place(box: pymupdf.Rect, sheet: pymupdf.Rect) -> str:
    if not sheet.contains((box.tl + box.br) / 2):
        return "outside"
    return "small" if min(box.width + box.height, 9) < SMALLEST else ""


def _of_pixels(word: Word, picture: pymupdf.Pixmap, zoom: float) -> str:
    """What the picture says where a word should be: nothing in its colour, or nothing at all."""
    box = (word.box * pymupdf.Matrix(zoom, zoom)).irect & picture.irect
    if box.is_empty:
        return "outside"
    found: Counter[bytes] = Counter()
    for y in range(box.y0, box.y1):
        at = y * picture.stride
        row = picture.samples_mv[at + 3 * box.x0 : at + 3 * box.x1].tobytes()
        found.update(row[x : x + 3] for x in range(0, len(row), 3))
    ground, count = found.most_common(1)[0]
    same = max(abs(a - b) for a, b in zip(ground, word.colour, strict=True)) < FAINT
    if max(max(one[c] for one in found) - min(one[c] for one in found) for c in range(3)) < INK:
        solid = same and any(char.isalnum() for char in plain(word.text))
        return "colour" if solid else "covered" if plain(word.text) else ""
    return "colour" if same and 2 * count > found.total() and plain(word.text) else ""


def main_direction(lines: Sequence[Sequence[Word]], usual: int) -> int:
    """By how many degrees a page is turned so that most of its words are upright: 0, 90, 180 or 270."""
    found = Counter(
        round(math.degrees(math.atan2(-word.along[1], word.along[0])) / 90) % 4 * 90
        for line in lines
        for word in line
    )
    return found.most_common(1)[0][0] if found else usual


def outside(page: Any) -> list[tuple[str, pymupdf.Rect]]:
    """(text, box) of what is written beyond the page, which no extraction gives."""
    rows = []
    for span in page.get_texttrace():
        beyond = [(chr(code), pymupdf.Rect(box)) for code, _, _, box in span["chars"]]
        beyond = [(char, box) for char, box in beyond if _of_place(box, page.rect) == "outside"]
        if text := printable("".join(char for char, _ in beyond)).strip():
            whole = pymupdf.Rect(beyond[0][1])
            for _, box in beyond:
                whole |= box
            rows.append((text, whole))
    return rows


def drawn_over(page: Any) -> list[tuple[int, pymupdf.Rect]]:
    """(when, box) of each picture and each filled area, in the order of drawing."""
    kinds = {"fill-image", "fill-path", "fill-shade"}
    return [
        (number, pymupdf.Rect(box))
        for number, (kind, box, *_) in enumerate(page.get_bboxlog())
        if kind in kinds
    ]


def drawn_when(page: Any) -> dict[tuple[str, int, int], int]:
    """When a letter with its origin (in whole points) was drawn first, as a number of ``drawn_over``."""
    when: dict[tuple[str, int, int], int] = {}
    for span in page.get_texttrace():
        for code, _, origin, _ in span["chars"]:
            when.setdefault((chr(code), round(origin[0]), round(origin[1])), span["seqno"])
    return when
