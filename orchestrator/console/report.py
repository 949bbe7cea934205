"""``aisci report``: write a run's pages again, and print where they are."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api.reports import write_reports
from orchestrator.console import output as out


def write_all(name: str, results: Path, *, as_json: bool) -> None:
    """Write the pages of a run and of its ideas."""
    written = [str(path) for path in write_reports(name, results)]
    if as_json:
        out.as_json({"written": written})
    else:
        out.say("\n".join(written))
