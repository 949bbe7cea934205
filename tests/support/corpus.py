"""The papers that tests search: well-known ones, and invented ones that are awkward."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from orchestrator.core.literature import PaperRef
from orchestrator.literature.citation_keys import citation_key
from orchestrator.literature.library.free_keys import FreeKeys

DATA = Path(__file__).parents[1] / "data" / "literature"


@cache
def corpus() -> tuple[PaperRef, ...]:
    """Real, well-known papers, each with an abstract in our own words."""
    return _papers(DATA / "papers.json")


@cache
def odd() -> tuple[PaperRef, ...]:
    """Invented records that a service could send: attacks, other alphabets, things that are missing."""
    return _papers(DATA / "odd_papers.json")


def _papers(path: Path) -> tuple[PaperRef, ...]:
    out: dict[str, PaperRef] = {}
    keys = FreeKeys(out.__contains__)
    for row in json.loads(path.read_text("utf-8")):
        key = keys.free(citation_key(tuple(row["authors"]), row["year"], row["title"]))
        out[key] = PaperRef(
            key=key, title=row["title"], authors=tuple(row["authors"]), year=row["year"],
            venue=row["venue"], abstract=row["abstract"], source="corpus", doi=row["doi"],
            arxiv=row["arxiv"], citations=row["citations"], retracted=row["retracted"],
        )  # fmt: skip
    return tuple(out.values())
