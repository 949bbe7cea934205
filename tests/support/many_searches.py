"""A kept study whose author searches twenty times for its references: what that takes.

Its own replies are kept but for the searches. Each finds ten papers that nobody saw before, with abstracts of a usual length.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.literature import EngineAnswer, Found, PaperRef, Query
from orchestrator.core.model import Ask, Reply
from orchestrator.core.protocols import Literature
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import EnginePin
from orchestrator.research.estimate.idea_use import IdeaUse
from orchestrator.research.estimate.measuring import ideas_taken
from orchestrator.research.loose_json import json_objects, read_object
from orchestrator.research.prompts import data_blocks
from orchestrator.research.sweep.wording import json_reply
from tests.support import estimate_bench, played

SEARCHES = 20
TITLES = 2  # of the idea and of the template, which are searched for too
BEFORE = 10  # of the draft, those included
AT_ONCE = 8  # of one round with the draft
_FOUND = 10
_ASKED = "a query"
_ABSTRACT = (
    "We study how small networks learn a task whose answer follows from a rule, and ask which part of the "
    "training decides whether they come to use it. Over several seeds we vary one constant at a time and find "
    "that the time until a network answers unseen cases depends on the regularisation more than on its size. "
)  # fmt: skip


class ManyPapers:
    """Ten papers for each of the searches, which no other search finds; the study's own papers for what it asks else."""

    def __init__(self, own: Literature) -> None:
        self._own, self.asked = own, list[str]()
        self.check = own.check

    def search(self, query: Query, within: Deadline = FOREVER) -> Found:
        self.asked.append(query.text)
        if not query.text.startswith(_ASKED):
            return self._own.search(query, within)
        name = hashlib.sha256(query.text.encode()).hexdigest()[:8]
        papers = tuple(
            PaperRef(
                key=f"author{name}{number}",
                title=f"What {name} Learns of Case {number}, and When It Does",
                authors=(f"Ann {name.title()}", f"Bo Name{number}", "Cy Other"),
                year=2010 + number,
                venue="Advances in Neural Information Processing Systems",
                citations=40 + number,
                doi=f"10.1000/{name}.{number}",
                abstract=_ABSTRACT * 3,
                source="kept",
            )
            for number in range(_FOUND)
        )
        return Found(papers=papers[: query.limit], engines=(EngineAnswer(engine="kept", calls=1),))


class Searching(estimate_bench.CountedPlay):
    """The author of a kept study that makes so many searches, and cites a paper of each round."""

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        reply = super().complete(ask, within)
        said = self._said(ask, reply.text)
        return replace(reply, text=said) if said else reply

    def _said(self, ask: Ask, kept: str) -> str:
        if ask.purpose == "writeup.queries":
            return json_reply({"queries": [f"{_ASKED} before {n}" for n in range(BEFORE - TITLES)]})
        if ask.purpose == "cite.pick":
            (own,) = map(read_object, json_objects(kept))
            papers = [
                one
                for one in data_blocks(ask.messages[-1].content)["papers"]
                if "Case" in one["title"]
            ]
            rows = [{"key": one["key"], "why": "It asks the same question."} for one in papers[:10]]
            return json_reply({"citations": [*own["citations"][:20], *rows]})
        if ask.purpose != "cite.draft":
            return ""
        made = AT_ONCE * (self.asked[ask.purpose] - 1)
        left = max(0, SEARCHES - BEFORE - made)
        searches = [f"{_ASKED} with the draft {made + n}" for n in range(min(left, AT_ONCE))]
        return json_reply({"searches": searches, "cites": [], "done": not searches})


def searched_study(name: str) -> tuple[IdeaUse, tuple[str, ...]]:
    """What the kept study takes with these searches, and the searches of its reference list."""
    kept: dict[str, Any] = played.load(name)
    asked = list[ManyPapers]()

    def searching(own: Literature) -> Literature:
        asked.append(ManyPapers(own))
        return asked[0]

    with tempfile.TemporaryDirectory() as scratch:
        model = Searching(kept["replies"])
        outcome, folder = played.carry_out(
            kept, model, Path(scratch), (EnginePin(name="kept"),), searching
        )
        assert outcome.status == "finished", outcome.failure
        (use,) = ideas_taken(RunPaths(folder))
    return use, tuple(one for one in asked[0].asked if one.startswith(_ASKED))
