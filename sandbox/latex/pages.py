"""python3 pages.py paper.pdf OUT: a PDF's pages as text (pages.json) and pictures (page-N.png).

Runs inside the LaTeX container. The PDF is one that ``inert.py`` has written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pymupdf

PICTURES = 20  # pages that become pictures
DPI = 110
MOST_PIXELS = 1600  # along the longer side, however large the page says it is
TEXT = 20_000  # characters of a page


def main(pdf: Path, out: Path) -> None:
    with pymupdf.open(pdf, filetype="pdf") as document:
        texts = [page.get_text()[:TEXT] for page in document]
        (out / "pages.json").write_text(json.dumps(texts), encoding="utf-8")
        for number, page in enumerate(document, start=1):
            if number > PICTURES:
                return
            save(page, number, out)


def save(page: pymupdf.Page, number: int, out: Path) -> None:
    """The picture of a page, as a reader sees it."""
    zoom = min(DPI / 72, MOST_PIXELS / max(page.rect.width, page.rect.height, 1))
    picture = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
    picture.save(out / f"page-{number}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
