"""python3 text.py FILE.pdf OUT: a PDF's text for a library of papers: OUT/text.json, no picture.

Runs inside the LaTeX container, on a file of anybody's. ``text.json`` is {"title", "author", "pages"}; the
first two are what the PDF says of itself, often nothing or nonsense.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pymupdf

PAGES = 60
TEXT = 20_000  # characters of a page
MOST = 400_000  # characters of all


def main(pdf: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with pymupdf.open(pdf, filetype="pdf") as document:
        pages: list[str] = []
        left = MOST
        for page in document:
            if len(pages) == PAGES or left <= 0:
                break
            pages.append(page.get_text()[: min(TEXT, left)])
            left -= len(pages[-1])
        said = document.metadata or {}
    facts = {name: str(said.get(name) or "")[:500] for name in ("title", "author")}
    text = json.dumps({**facts, "pages": pages}).encode("utf-8", "replace")
    (out / "text.json").write_bytes(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
