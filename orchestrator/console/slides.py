"""``aisci slides``: where the deck is."""

from __future__ import annotations

from orchestrator.api.slides import SlidesRequest, slides_of
from orchestrator.console import output as out
from orchestrator.core.sanitize import plain_line


def make(request: SlidesRequest, *, as_json: bool) -> None:
    """Make a deck and say where it is."""
    with out.trying(f"slides of {plain_line(request.idea)} …") as say:
        done = slides_of(request, say)
    if as_json:
        out.as_json(
            {
                "pdf": str(done.pdf),
                "slides": done.slides,
                "folder": str(done.folder),
                "usd": done.usage.usd,
            }
        )
        return
    cost = "not known" if done.usage.usd is None else f"${done.usage.usd:.2f}"
    out.say(f"slides: {done.pdf} ({done.slides} pages)\nrecord: {done.folder}\ncost:   {cost}")
