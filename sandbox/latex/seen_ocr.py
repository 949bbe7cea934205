"""What is read in pictures of a page, by Tesseract: a whole page, or lines of it one below the other."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pymupdf
from seen_layer import grown

DPI = 200
MOST_PIXELS = 2600  # along a page's longer side, however large it says it is
PAGE_SECONDS = 20.0  # for one call
HEIGHT = 44  # pixels of a line that is read again
MARGIN = 16
MOST_WIDTH, MOST_HEIGHT = 2600, 3000  # pixels of a sheet of lines


@dataclass(frozen=True)
class Read:
    """A word that was read, and where: in points of the page, or in pixels of a sheet."""

    text: str
    box: pymupdf.Rect
    line: tuple[str, ...] = ()


class Unread(Exception):
    """Why a picture was not read."""


def read_page(page: Any, turn: int, seconds: float) -> list[Read]:
    """The words in the picture of a page, turned by ``turn`` degrees, with annotations and fields."""
    zoom = min(DPI / 72, MOST_PIXELS / max(page.rect.width, page.rect.height, 1))
    there = pymupdf.Matrix(zoom, zoom).prerotate(turn)
    picture = page.get_pixmap(matrix=there, colorspace="gray", alpha=False)
    shift, back = (picture.x, picture.y) * 2, ~there
    return [
        Read(one.text, (one.box + shift) * back, one.line)
        for one in tesseract(picture, "3", seconds)
    ]


def along(box: pymupdf.Rect, direction: tuple[float, float]) -> tuple[float, float]:
    """From where to where a box reaches in a direction, in points from the page's corner."""
    ends = [corner.x * direction[0] + corner.y * direction[1] for corner in box.quad]
    return min(ends), max(ends)


def read_lines(
    page: Any, places: Sequence[tuple[pymupdf.Rect, tuple[float, float]]], seconds: float
) -> list[list[tuple[float, float, str]]]:
    """What is read at each (box, direction) of a page, on one sheet: enlarged, upright, dark on light.

    A word is (from, to, text) as ``along`` counts. Only as many places as fit on the sheet are read.
    """
    strips: list[tuple[int, pymupdf.Pixmap]] = []
    height = MARGIN
    for box, direction in places:
        strip = _strip(page, box, direction)
        if strips and height + strip.height + MARGIN > MOST_HEIGHT:
            break
        strips.append((height, strip))
        height += strip.height + MARGIN
    width = max(strip.width for _, strip in strips) + 2 * MARGIN
    sheet = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, width, height))
    sheet.clear_with(255)
    for top, strip in strips:
        strip.set_origin(MARGIN, top)
        sheet.copy(strip, strip.irect)
    words = tesseract(sheet, "6", seconds)
    found = []
    for (top, strip), (box, direction) in zip(strips, places, strict=False):
        start, end = along(grown(box, 1, 1), direction)
        step = (end - start) / max(strip.width, 1)
        rows = [one for one in words if top <= (one.box.y0 + one.box.y1) / 2 < top + strip.height]
        found.append(
            [
                (start + (x0 - MARGIN) * step, start + (x1 - MARGIN) * step, text)
                for x0, x1, text in sorted((one.box.x0, one.box.x1, one.text) for one in rows)
            ]
        )
    return found


def _strip(page: Any, box: pymupdf.Rect, direction: tuple[float, float]) -> pymupdf.Pixmap:
    """A picture of a place of the page, turned so that its line runs to the right."""
    angle = math.degrees(math.atan2(-direction[1], direction[0]))
    thin = box.height if abs(direction[0]) > abs(direction[1]) else box.width
    long = max(box.width, box.height, 1)
    zoom = min(HEIGHT / max(thin, 1), MOST_WIDTH / long, 8)
    turn = pymupdf.Matrix(zoom, zoom).prerotate(angle)
    picture = page.get_pixmap(matrix=turn, clip=grown(box, 1, 1), colorspace="gray", alpha=False)
    if sorted(picture.samples)[len(picture.samples) // 2] < 110:
        picture.invert_irect()
    return picture


def tesseract(picture: pymupdf.Pixmap, mode: str, seconds: float) -> list[Read]:
    """The words in a grey picture, in pixels. Raises Unread after ``seconds``, at most PAGE_SECONDS."""
    if seconds <= 0:
        raise Unread("no time was left to read it")
    argv = ["tesseract", "stdin", "stdout", "-l", "eng", "--psm", mode, "--dpi", str(DPI), "tsv"]
    try:
        done = subprocess.run(
            argv,
            input=picture.tobytes("pnm"),
            capture_output=True,
            timeout=min(seconds, PAGE_SECONDS),
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise Unread("reading it took too long") from error
    except subprocess.CalledProcessError as error:
        raise Unread(f"its reader ended with {error.returncode}") from error
    words = []
    for row in done.stdout.decode("utf-8", "replace").splitlines()[1:]:
        parts = row.split("\t")
        if len(parts) == 12 and parts[0] == "5" and parts[11].strip():
            x, y, width, height = map(int, parts[6:10])
            box = pymupdf.Rect(x, y, x + width, y + height)
            words.append(Read(parts[11], box, tuple(parts[2:5])))
    return words
