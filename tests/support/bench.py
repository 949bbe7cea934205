"""Dated results of campaigns, kept in ``bench/``: one JSON file a kind, newest entry last."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from typing import Any

from tests.support.places import ROOT
from tests.support.sample import commit

BENCH = ROOT / "bench"


def record(kind: str, result: dict[str, Any]) -> None:
    """Add ``result`` with the date, the commit and the kind of machine."""
    path = BENCH / f"{kind}.json"
    known: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"
    entry = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit()[:12],
        "machine": machine,
        **result,
    }
    BENCH.mkdir(exist_ok=True)
    path.write_text(json.dumps([*known, entry], indent=2) + "\n")
