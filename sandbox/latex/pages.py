"""python3 pages.py paper.pdf OUT MOST: a PDF's pages as text (pages.json) and pictures (page-N.png).

Runs inside the LaTeX container, as the only program that parses a PDF. Prints
``{"pages": how many, "active": [each kind of action that a viewer would carry out]}``; past
``MOST`` pages nothing else is done.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pymupdf

PICTURES = 20  # pages that become pictures
DPI = 110
MOST_PIXELS = 1600  # along the longer side, however large the page says it is
TEXT = 20_000  # characters of a page
# What makes a viewer run, open, send or unpack something: a paper needs none of it.
ACTIVE = frozenset({
    "EmbeddedFile", "EmbeddedFiles", "GoToE", "GoToR", "ImportData", "JS", "JavaScript", "Launch",
    "Movie", "Rendition", "RichMedia", "Sound", "SubmitForm", "XFA",
})  # fmt: skip
STRING = re.compile(r"\((?:\\.|[^\\()])*\)", re.DOTALL)
NAME = re.compile(r"/([^\s/<>\[\](){}%]+)")
# A link that leads elsewhere, or that is not written where it stands, could be a script or a file.
LINK = re.compile(r"/URI\s*(?=[^\s/>\]])(?!\((?:https?://|mailto:))")


def main(pdf: Path, out: Path, most: int) -> None:
    with pymupdf.open(pdf) as document:
        many = document.page_count > most
        said = {"pages": document.page_count, "active": [] if many else active(document)}
        print(json.dumps(said))
        if many:
            return
        texts = [page.get_text()[:TEXT] for page in document]
        (out / "pages.json").write_text(json.dumps(texts), encoding="utf-8")
        for number, page in enumerate(document, start=1):
            if number > PICTURES:
                return
            longest = max(page.rect.width, page.rect.height, 1)
            zoom = min(DPI / 72, MOST_PIXELS / longest)
            picture = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
            picture.save(out / f"page-{number}.png")


def active(document: pymupdf.Document) -> list[str]:
    """The kinds of action and of unpacked content among all objects, however names are spelled."""
    found: set[str] = set()
    for number in range(1, document.xref_length()):
        text = NAME.sub(spelled, document.xref_object(number, compressed=True))
        found |= {"a link to no web page"} if LINK.search(text) else set()
        found |= ACTIVE & set(NAME.findall(STRING.sub("()", text)))
    return sorted(found)


def spelled(name: re.Match[str]) -> str:
    """A PDF name with ``#61`` and the like taken for the letters that they are."""
    return re.sub(r"#([0-9A-Fa-f]{2})", lambda code: chr(int(code[1], 16)), name[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
