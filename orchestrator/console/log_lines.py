"""Progress in a log: one line for each event worth reporting."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TextIO

from orchestrator.api.live_board import LiveJob
from orchestrator.api.run_state import Load, RunState
from orchestrator.console.output import span
from orchestrator.core import errors
from orchestrator.core.decode import decode
from orchestrator.core.edit import Edit
from orchestrator.core.job import JobResult
from orchestrator.core.sanitize import plain_line
from orchestrator.record.events import (
    Answered,
    CallFailed,
    Event,
    IdeaStarted,
    Noted,
    Recalled,
    RunStarted,
)
from orchestrator.record.heard import Heard, JobStarts, Moment
from orchestrator.record.literature_notes import IdeaSkipped
from orchestrator.record.notes import (
    FiguresInspected,
    FilesRestored,
    GaveUp,
    IdeaFinished,
    Note,
    StageBegan,
    StageFailed,
    read_note,
)

_LONG_WAIT = 10.0  # seconds after which a person wonders
_LONGEST = 8000  # characters of a cause, which is never cut
_WIDEST = 1000  # characters of a line of a container's output


class LogLines:
    """A journal listener that writes lines to ``out``; ``since`` is when this process began. Of one idea, where
    its id is given; with so many lines of each container's ``output``.
    """

    def __init__(
        self,
        track: RunState,
        load: Load,
        since: str,
        out: TextIO | None = None,
        *,
        idea: str = "",
        output: int = 0,
    ) -> None:
        self._track, self._load, self._since = track, load, since
        self._out, self._idea, self._output = out or sys.stderr, idea, output
        self._printed: dict[str, tuple[int, str]] = {}

    def __call__(self, event: Heard) -> None:
        if isinstance(event, JobStarts):
            self._tell_wait(event)
        self._track.take(event)
        if isinstance(event, Recalled | Moment) or event.at < self._since:
            return
        scope = (
            f"idea/{event.id}" if isinstance(event, IdeaStarted) else getattr(event, "scope", "")
        )
        if self._idea and scope.split("/")[:2] != ["idea", self._idea]:
            return
        text = self._text(event)
        if text:
            name = self._track.way(getattr(event, "scope", "run")).name
            self._say(f"{plain_line(event.at[11:19])}  {name:<24}  {text}")
        if self._output and isinstance(event, Answered) and event.port == "sandbox":
            self._tell_output(event.scope, decode(JobResult, self._load(event.body)))

    def _tell_wait(self, event: JobStarts) -> None:
        """A wait of a job that was long enough to be wondered about."""
        way = self._track.way(event.scope)
        waited = self._track.waited(event.scope)
        if waited >= _LONG_WAIT:
            now = datetime.now(UTC).strftime("%H:%M:%S")
            text = f"{_place(event.scope)}: waited {span(waited)} for room"
            self._say(f"{now}  {way.name:<24}  {text}")

    def tell_live(self, job: LiveJob) -> None:
        """The whole lines that a job at work has printed since it was told of before."""
        if not self._output or (self._idea and job.scope.split("/")[:2] != ["idea", self._idea]):
            return
        before, _ = self._printed.get(job.scope, (0, ""))
        new = job.tail.encode()[-(job.printed - before) :].decode(errors="replace")
        whole, ended, _ = new.rpartition("\n")
        if job.printed <= before or not ended:
            return
        lines = whole.splitlines()
        if before == 0:
            self._say(f"{'':10}{_place(job.scope)} prints:")
        self._say_lines("|", lines)
        rest = len(new[len(whole) + 1 :].encode())
        self._printed[job.scope] = job.printed - rest, lines[-1] if lines else ""

    def _tell_output(self, scope: str, result: JobResult) -> None:
        """The last lines that a container printed, the ones on standard error with another mark."""
        lines = result.stdout.rstrip().splitlines()
        _, last = self._printed.pop(scope, (0, ""))
        if last and last in lines:  # what stands before it was told while the job ran
            lines = lines[len(lines) - lines[::-1].index(last) :]
        self._say_lines("|", lines[-self._output :])
        self._say_lines("!", result.stderr.rstrip().splitlines()[-self._output :])

    def _say_lines(self, mark: str, lines: list[str]) -> None:
        for line in lines:
            self._say(f"{'':10}{mark} {plain_line(line, limit=_WIDEST)}".rstrip())

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)

    def _text(self, event: Event) -> str:
        match event:
            case RunStarted(pins=pins):
                return plain_line(
                    f"{pins.template.name} at scale {pins.scale}, model {pins.model().name}, "
                    f"policy {pins.policy.name}"
                )
            case IdeaStarted():
                return plain_line(f"idea {event.id}: {event.idea.title}")
            case Answered():
                return self._answered(event)
            case CallFailed(error=error):
                what = plain_line(f"{_unforeseen(error.type)}{error.what}", limit=_LONGEST)
                return f"{_place(event.scope)}: {event.port}: {what}"
            case Noted():
                return _noted(read_note(self._load(event.body)))
            case _:
                return ""

    def _answered(self, line: Answered) -> str:
        place, took = _place(line.scope), f"after {line.seconds:.1f} s"
        if line.port == "sandbox":
            result = decode(JobResult, self._load(line.body))
            return f"{place}: container {result.verdict} {took}"
        if line.port == "editor":
            edit = decode(Edit, self._load(line.body))
            if edit.all_completed:
                return f"{place}: no more runs are wanted {took}"
            changed = ", ".join(map(plain_line, edit.changed))
            done = f"edit changed {changed}" if changed else "no edit"
            why = "" if changed else f": {plain_line(edit.why_not)}"
            return f"{place}: {done} {took}{why}"
        return ""


def _place(scope: str) -> str:
    return plain_line("/".join(scope.split("/")[2:]) or scope)


def _noted(note: Note) -> str:
    text = ""
    match note:
        case StageBegan(name=name):
            text = f"stage {name}"
        case StageFailed(failure=failure):
            text = f"failed in {failure.stage}: {_unforeseen(failure.error)}{failure.what}"
        case IdeaSkipped(why=why):
            text = f"skipped, not novel: {why}"
        case GaveUp(attempts=attempts):
            text = f"gave up after {attempts} attempts"
        case FiguresInspected(problems=problems) if problems:
            text = f"flaws that remain in the figures: {'; '.join(problems)}"
        case FilesRestored(files=files):
            text = f"restored files that may not change: {', '.join(files)}"
        case IdeaFinished(left_out=left_out):
            text = f"finished; {left_out} left out" if left_out else "finished"
    return plain_line(text, limit=_LONGEST)


def _unforeseen(kind: str) -> str:
    """The class of an error that this program did not foresee: its own errors say in words what happened."""
    own = getattr(errors, kind, None)
    return "" if isinstance(own, type) and issubclass(own, errors.AisciError) else f"{kind}: "
