"""``aisci run``, ``resume``, ``replay``, ``report``: follow a run, say how it ended, its pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.api import reproduce, runs
from orchestrator.api.export import write_reports
from orchestrator.api.outcomes import IdeaOutcome, RunOutcome
from orchestrator.api.prepare import RunRequest
from orchestrator.api.resume_request import ResumeRequest
from orchestrator.api.run_lines import read_body
from orchestrator.api.run_state import RunState
from orchestrator.api.stage_request import StageRequest, resume_of
from orchestrator.console import output as out
from orchestrator.console.live_table import LiveTable
from orchestrator.console.log_lines import LogLines
from orchestrator.console.options import View
from orchestrator.console.telling import Telling
from orchestrator.core.errors import AisciError
from orchestrator.core.papers import Review
from orchestrator.core.sanitize import plain_line
from orchestrator.record.events import Body
from orchestrator.record.heard import Heard, Notice, RunOpened, Sampled
from orchestrator.record.journal import Listener

_LONGEST = 1000  # characters of a notice


def start(request: RunRequest | ResumeRequest, view: View) -> int:
    """Begin or continue a run; returns the exit code."""
    telling = Telling(view.notify)
    try:
        with _following(view) as follower:
            listener = telling.hearing(follower)
            if isinstance(request, RunRequest):
                outcome = runs.run(request, listener)
            else:
                outcome = runs.resume(request, listener)
    except AisciError as error:
        telling.stopped(error)
        raise
    code = _show(outcome, view)
    telling.ended(outcome)
    return code


def start_stage(request: StageRequest, view: View) -> int:
    """Make a stage of one idea; returns the exit code."""
    return start(resume_of(request), view)


def replay(name: str, results: Path, view: View, *, into: Path | None) -> int:
    """Reproduce a run from its record, and compare; exit code 1 where files differ."""
    outcome = reproduce.replay(name, results, into=into)
    same = len(outcome.same)
    if view.as_json:
        counts = {"ideas": outcome.ideas, "same": same, "different": list(outcome.different)}
        out.as_json({"replayed": counts})
    elif not view.quiet:
        ideas = out.counted(outcome.ideas, "idea")
        out.say(f"replayed {ideas} from the record: {same} files are the same byte for byte")
    for file in () if view.as_json else outcome.different:
        out.say(f"differs: {file}")
    return 1 if outcome.different else 0


def write_pages(name: str, results: Path, *, into: Path | None, as_json: bool) -> None:
    """Write the pages of a run and of its ideas again, and print where they are."""
    written = [str(path) for path in write_reports(name, results, into)]
    out.as_json({"written": written}) if as_json else out.say("\n".join(written))


@contextmanager
def _following(view: View) -> Iterator[Listener]:
    """The listener that ``view`` asks for; a live table is drawn while the block runs."""
    if view.as_json:
        yield _JsonLines()
        return
    if view.quiet:
        yield lambda _: None
        return
    follower = _Follower()
    track = RunState(follower.load, time.monotonic)
    if out.can_draw():
        with LiveTable(track) as table:
            follower.display, follower.say = table, table.say
            yield follower
    else:
        since = datetime.now(UTC).isoformat(timespec="milliseconds")
        follower.display = LogLines(track, follower.load, since)
        yield follower


class _JsonLines:
    """Each event as a line; of the shares that a running job reports, one for each tenth."""

    def __init__(self) -> None:
        self._tenths: dict[str, int] = {}

    def __call__(self, event: Heard) -> None:
        if isinstance(event, Sampled):
            tenths = int(10 * (event.share or 0.0))
            if tenths <= self._tenths.get(event.scope, 0):
                return
            self._tenths[event.scope] = tenths
        out.as_json({"event": asdict(event)})


class _Follower:
    """A listener for a person: notices are printed, everything else goes to the display."""

    display: Listener

    def __init__(self) -> None:
        self._folder = Path()
        self.say: Callable[[str], None] = out.say

    def __call__(self, event: Heard) -> None:
        if isinstance(event, Notice):
            self.say(plain_line(event.text, limit=_LONGEST))
        elif isinstance(event, RunOpened):
            self._folder = Path(event.folder)
            if isinstance(self.display, LiveTable):
                self.say(f"folder:   {event.folder}")
        else:
            self.display(event)

    def load(self, body: Body) -> Any:
        """The JSON value of ``body``."""
        return read_body(body, self._folder)


def _show(outcome: RunOutcome, view: View) -> int:
    """Say how each idea ended; exit code 1 where none was finished and one failed."""
    rows = [_row(idea) for idea in outcome.ideas]
    if view.as_json:
        more = {"signed_by": outcome.signer if outcome.head else ""} if outcome.signer else {}
        ended = {"folder": str(outcome.folder), "ideas": rows, "head": outcome.head, **more}
        out.as_json({"outcome": ended})
        return 0 if outcome.ok else 1
    cells = [(row["name"], row["status"], row["why"]) for row in rows]
    out.table(("idea", "ended", "where and why"), cells, whole=2)
    out.say(f"\nresults:  {outcome.folder}\nreport:   {outcome.report}")
    for row in rows:
        if row["paper"]:
            out.say(f"paper:    {row['paper']}{row['reviewed'] and '  ' + row['reviewed']}")
    for idea in outcome.ideas:
        if idea.left_out:
            command = "writeup" if idea.left_out == "paper" else "review"
            out.say(f"left out: the {idea.left_out}; later: aisci {command} {idea.folder}")
    for todo in dict.fromkeys(one.failure.todo for one in outcome.ideas if one.failure):
        if todo:
            out.say(f"do:       {todo}")
    if any(idea.after for idea in outcome.ideas):
        out.say(f"next:     aisci resume {outcome.folder}")
    head = f"{outcome.head} (keep it elsewhere)" if outcome.head else ""
    out.say(f"head:     {head or 'none yet: the run is not finished'}")
    if outcome.signer:
        done = f"by {outcome.signer}" if outcome.head else "no: the run is not finished"
        out.say(f"signed:   {done}")
    return 0 if outcome.ok else 1


def _reviewed(review: Review | None) -> str:
    if review is None or review.overall is None:
        return ""
    return f"(reviewed: {review.overall} of 10, {review.decision})"


def _row(idea: IdeaOutcome) -> dict[str, Any]:
    failure = idea.failure
    why = f"{failure.stage}: {failure.what.partition(chr(10))[0]}" if failure else ""
    why = f"after {idea.after}, as asked" if idea.after else why
    return {
        "name": idea.name,
        "id": idea.id,
        "status": idea.status,
        "why": plain_line(why),
        "failure": asdict(failure) if failure else None,
        "folder": str(idea.folder),
        "paper": str(idea.paper or ""),
        "reviewed": _reviewed(idea.review),
        "left_out": idea.left_out,
    }
