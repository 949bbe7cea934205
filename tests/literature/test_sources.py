"""Searches side by side: a stop of the run ends one that is out, and it is no late answer."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import Interrupted
from orchestrator.core.literature import Query
from orchestrator.literature.engines.engine import SearchEngine
from orchestrator.literature.sources import Sources


class Slow:
    """An engine whose answer takes a minute."""

    service: Any = SimpleNamespace(name="slow")

    def search(self, query: Query, until: float) -> Any:  # noqa: ARG002 - the protocol's
        time.sleep(60)


def test_a_stop_ends_a_search_that_is_out() -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began, engines = time.monotonic(), [cast("SearchEngine", Slow())]
    with pytest.raises(Interrupted):
        Sources(engines=engines).search(Query(text="x", limit=3), replace(FOREVER, stop=stop))
    assert time.monotonic() - began < 15, "not the minute of the engine, nor its limit"
