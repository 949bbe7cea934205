"""``aisci events``: security events of runs, one JSON object a line, for a SIEM."""

from __future__ import annotations

from pathlib import Path

from orchestrator.api.security_events import events_as_they_happen, events_of_run
from orchestrator.console import output as out
from orchestrator.core.errors import UserError


def show_events(run: str | None, results: Path, *, ocsf: bool, follow: bool, audited: bool) -> int:
    """Print events: of a run, of the newest one, or with ``follow`` alone of all as they happen. The exit code."""
    if not ocsf:
        raise UserError(
            "the form of the events is not named",
            where="aisci events",
            todo="add --ocsf; `aisci logs` shows a run to people",
        )
    if audited and follow and run is None:
        raise UserError(
            "an audit is of one run",
            where="--follow --audit",
            todo="name the run, or leave --audit out",
        )
    try:
        if follow and run is None:
            for event in events_as_they_happen(results):
                if event is not None:
                    out.as_json(event)
        else:
            for event in events_of_run(run or "latest", results, follow=follow, audited=audited):
                out.as_json(event)
    except KeyboardInterrupt:  # nobody listens any more; the runs go on
        return 130
    return 0
