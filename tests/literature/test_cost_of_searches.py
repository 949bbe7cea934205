"""What an idea's searches cost in calls, waiting and dollars, for each set of engines.

The services are the loopback's, the clock waits in no time; what is counted is what was asked to wait.
The campaign records the table in ``bench/literature.json``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.core.literature import ENGINES, EngineAnswer, Query
from orchestrator.literature.engines.limiter import Clock
from orchestrator.literature.engines.opening import open_sources
from orchestrator.literature.loopback.server import Loopback
from tests.support import bench
from tests.support.corpus import corpus

SEARCHES = 30  # of one idea: ten for its novelty, twenty for its citations
SETS = (("openalex",), ("semanticscholar",), ("arxiv",), ENGINES)


@dataclass
class Waited:
    """A clock on which waiting takes no time and is counted."""

    seconds: float = 0.0
    began: float = field(default_factory=time.time)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: time.time() + self.seconds, sleep=self.sleep)


def idea(engines: tuple[str, ...], folder: Path, usd: float = 1.0) -> dict[str, float]:
    """An idea's searches one after another; calls, seconds waited, and dollars, as the answers say."""
    waited, rows = Waited(), list[EngineAnswer]()
    with Loopback(corpus(), usd=usd) as served:
        named = [(name, served.address(name)) for name in engines]
        sources = open_sources(named, {}, folder=folder, clock=waited.clock)
        for number in range(SEARCHES):
            rows += sources.search(Query(f"weight decay {number}")).engines
    return {
        "calls": sum(one.calls for one in rows),
        "seconds_waited": round(waited.seconds, 1),
        "usd": round(sum(one.usd for one in rows), 4),
        "left_out": sum(one.state != "answered" for one in rows),
    }


def test_a_spent_budget_is_waited_for_by_no_search_of_an_idea(tmp_path: Path) -> None:
    done = idea(("openalex",), tmp_path, usd=0.0)
    assert done["seconds_waited"] == 0
    assert done["calls"] <= 1, "one answer says that it is spent, and is believed"
    assert done["left_out"] == SEARCHES


def test_an_idea_on_openalex_costs_three_cents_of_its_allowance(tmp_path: Path) -> None:
    done = idea(("openalex",), tmp_path)
    assert (done["calls"], done["usd"], done["left_out"]) == (SEARCHES, 0.03, 0)


@pytest.mark.campaign
def test_the_table_of_engine_sets(tmp_path: Path) -> None:
    rows = {"+".join(names): idea(names, tmp_path / names[0]) for names in SETS}
    rows["openalex, spent"] = idea(("openalex",), tmp_path / "spent", usd=0.0)
    assert all(row["calls"] for row in rows.values())
    bench.record("literature", {"searches": SEARCHES, "an idea": rows})
