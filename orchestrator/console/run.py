"""``aisci run``, ``resume`` and ``replay``: follow a run on the terminal, and say how it ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.api import runs
from orchestrator.api.outcomes import IdeaOutcome, ReplayOutcome, RunOutcome
from orchestrator.api.prepare import RunRequest
from orchestrator.console import output as out
from orchestrator.console.live_table import LiveTable
from orchestrator.console.log_lines import LogLines
from orchestrator.console.run_state import RunState
from orchestrator.console.view import View
from orchestrator.core.sanitize import plain_line
from orchestrator.record.blobs import BlobStore
from orchestrator.record.events import Body, Heard, Notice, RunOpened, Sampled
from orchestrator.record.journal import Listener


def start(request: RunRequest, view: View) -> int:
    """Begin a run; returns the exit code."""
    with _following(view) as listener:
        outcome = runs.run(request, listener)
    return _show(outcome, view)


def resume(request: runs.ResumeRequest, view: View) -> int:
    """Continue a run; returns the exit code."""
    with _following(view) as listener:
        outcome = runs.resume(request, listener)
    return _show(outcome, view)


def replay(name: str, results: Path, view: View, *, into: Path | None) -> int:
    """Reproduce a run from its record, and compare; exit code 1 where files differ."""
    outcome = runs.replay(name, results, into=into)
    _show_replayed(outcome, view)
    return 1 if outcome.different else 0


@contextmanager
def _following(view: View) -> Iterator[Listener]:
    """The listener that ``view`` asks for; a live table is drawn while the block runs."""
    if view.as_json:
        yield _as_json
        return
    bodies_of = _Bodies()
    track = RunState(bodies_of.load, time.monotonic)
    if view.quiet:
        yield track.take
    elif sys.stderr.isatty():
        with LiveTable(track) as progress:
            yield _Follower(bodies_of, progress)
    else:
        since = datetime.now(UTC).isoformat(timespec="milliseconds")
        yield _Follower(bodies_of, LogLines(track, bodies_of.load, since))


def _as_json(event: Heard) -> None:
    if not isinstance(event, Sampled):
        out.as_json({"event": asdict(event)})


class _Bodies:
    """Reads the bodies of a run's lines, once the run's folder is known."""

    def __init__(self) -> None:
        self.folder = Path()

    def load(self, body: Body) -> Any:
        """The JSON value of ``body``, from the blobs of the run or of any of its ideas."""
        ideas = (BlobStore(path) for path in sorted(self.folder.glob("*/blobs")))
        return body.read(BlobStore(self.folder / "blobs", *ideas))


class _Follower:
    """A listener for a person: notices are printed, everything else goes to the display."""

    def __init__(self, bodies_of: _Bodies, display: Listener) -> None:
        self._bodies, self._display = bodies_of, display

    def __call__(self, event: Heard) -> None:
        if isinstance(event, Notice):
            out.say(event.text)
        elif isinstance(event, RunOpened):
            self._bodies.folder = Path(event.folder)
        else:
            self._display(event)


def _show(outcome: RunOutcome, view: View) -> int:
    """Say how each idea ended; exit code 1 where none was finished and one failed."""
    rows = [_row(idea) for idea in outcome.ideas]
    if view.as_json:
        signed = outcome.signer if outcome.head else ""
        more = {"signed_by": signed} if outcome.signer else {}
        ended = {"folder": str(outcome.folder), "ideas": rows, "head": outcome.head, **more}
        out.as_json({"outcome": ended})
        return 0 if outcome.ok else 1
    out.table(
        ("idea", "ended", "where and why"), [(r["name"], r["status"], r["why"]) for r in rows]
    )
    out.say(f"\nresults:  {outcome.folder}\nreport:   {outcome.report}")
    for row in rows:
        if row["paper"]:
            out.say(f"paper:    {row['paper']}")
    if outcome.head:
        out.say(f"head:     {outcome.head} (keep it elsewhere)")
    else:
        out.say("head:     none yet: the run is not finished")
    if outcome.signer:
        done = f"by {outcome.signer}" if outcome.head else "no: the run is not finished"
        out.say(f"signed:   {done}")
    return 0 if outcome.ok else 1


def _row(idea: IdeaOutcome) -> dict[str, Any]:
    failure = idea.failure
    return {
        "name": idea.name,
        "id": idea.id,
        "status": idea.status,
        "why": plain_line(f"{failure.stage}: {failure.what.partition(chr(10))[0]}")
        if failure
        else "",
        "failure": asdict(failure) if failure else None,
        "folder": str(idea.folder),
        "paper": str(idea.paper or ""),
    }


def _show_replayed(outcome: ReplayOutcome, view: View) -> None:
    same = len(outcome.same)
    if view.as_json:
        counts = {"ideas": outcome.ideas, "same": same, "different": list(outcome.different)}
        out.as_json({"replayed": counts})
        return
    if not view.quiet:
        ideas = out.counted(outcome.ideas, "idea")
        out.say(f"replayed {ideas} from the record: {same} files are the same byte for byte")
    for name in outcome.different:
        out.say(f"differs: {name}")
