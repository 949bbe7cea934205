"""What a run is doing, kept from the journal's lines as they are written; nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.core.decode import decode
from orchestrator.core.job import JobResult, Verdict
from orchestrator.core.model import Reply
from orchestrator.core.sanitize import plain_line
from orchestrator.record.asked_stages import LEFT_OUT, MORE, STAGE_NAMES
from orchestrator.record.end_notes import RunFailed
from orchestrator.record.events import (
    Answered,
    Asked,
    Body,
    CallFailed,
    IdeaStarted,
    Noted,
    Recalled,
    Sealed,
)
from orchestrator.record.heard import Heard, JobStarts, JobWaits, Sampled
from orchestrator.record.ledger import CallKey
from orchestrator.record.literature_notes import IdeaSkipped
from orchestrator.record.notes import (
    BaselineCompared,
    IdeaEnded,
    IdeaFinished,
    Note,
    StageBegan,
    StageFailed,
    StageReached,
    read_note,
)

Load = Callable[[Body], Any]
"""The JSON value of a body."""

StageMark = Literal["begun", "reached", "failed", "left out"]

BASELINE_SCOPE = "run/baseline"
FIRST = "attempt_1"  # goes without saying
_VERBS = {
    "model": "asking the model",
    "editor": "editing",
    "sandbox": "running",
    "literature": "searching",
}


@dataclass(slots=True)
class ActiveCall:
    """A call under way, in seconds (0: no limit); ``share`` is how much its container has done. While it
    ``waits`` for room or a GPU, it has no container.
    """

    what: str
    since: float
    limit: float = 0.0
    share: float | None = None
    waits: bool = False
    key: CallKey | None = None


@dataclass(slots=True)
class IdeaProgress:
    """One idea's way, or the run's own: where it is, and what it has used."""

    name: str
    stage: str = ""
    place: str = ""
    status: str = ""
    doing: list[ActiveCall] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    recalled: int = 0
    marks: dict[str, StageMark] = field(default_factory=dict)
    """How far each stage came that was begun."""
    why: str = ""
    """Where and why it failed, or was skipped."""
    lacking: tuple[str, ...] = ()
    """What its finished paper is not."""


class RunState:
    """Every way of a run: ``run``, then each idea's id. ``clock`` gives seconds that only grow."""

    def __init__(self, load: Load, clock: Callable[[], float]) -> None:
        self.ways: dict[str, IdeaProgress] = {"run": IdeaProgress("run", stage="starting")}
        self.sealed = False
        """Whether the run's record ended, with the ideas as they are then."""
        self.ends: float | None = None
        """By the clock: about when the run ends, as far as its plans say."""
        self._load, self._clock = load, clock

    def take(self, event: Heard) -> None:
        """Follow one line of any journal of the run."""
        if isinstance(event, IdeaStarted):
            self.ways[event.id] = IdeaProgress(plain_line(event.idea.name, limit=40))
            self.ways["run"].stage, self.ways["run"].place = "ideas", str(len(self.ways) - 1)
        elif isinstance(event, Asked):
            self._asked(self.way(event.scope), event)
        elif isinstance(event, Answered | CallFailed):
            self._ended(self.way(event.scope), event)
        elif isinstance(event, Recalled):
            way = self.way(event.scope)
            way.stage, way.place = _where(event.scope) or (way.stage, way.place)
            way.recalled += 1
        elif isinstance(event, Sampled) and event.share is not None:
            for doing in self.way(event.scope).doing[-1:]:
                doing.share = event.share
        elif isinstance(event, JobWaits | JobStarts):
            self._moved(self.way(event.scope), event)
        elif isinstance(event, Sealed) and event.ideas is not None:
            self._seal()
        elif isinstance(event, Noted):
            self.sealed = self.sealed and event.scope.startswith("idea/")
            self._noted(self.way(event.scope), event.scope, read_note(self._load(event.body)))

    def _moved(self, way: IdeaProgress, event: JobWaits | JobStarts) -> None:
        for doing in way.doing[-1:]:
            doing.waits, doing.since = isinstance(event, JobWaits), self._clock()
        if isinstance(event, JobStarts) and event.left is not None:
            self.ends = self._clock() + event.left

    def waited(self, scope: str) -> float:
        """Seconds for which the newest call of an idea has waited for room; 0 if it does not."""
        return next(
            (self._clock() - one.since for one in self.way(scope).doing[-1:] if one.waits), 0.0
        )

    def _seal(self) -> None:
        """An idea that has not ended was taken from the list: the record leaves it as it stands."""
        self.sealed = True
        for key, way in self.ways.items():
            if key != "run" and not way.status:
                way.status, way.doing = "left out", []

    def way(self, scope: str) -> IdeaProgress:
        """The progress of the idea that a scope belongs to, or of the run."""
        first, _, rest = scope.partition("/")
        key = rest.partition("/")[0] if first == "idea" else "run"
        return self.ways.setdefault(key, IdeaProgress(plain_line(key)))

    def _asked(self, way: IdeaProgress, line: Asked) -> None:
        way.stage, way.place = _where(line.scope) or (way.stage, way.place)
        limit = 0.0
        if line.port in {"sandbox", "editor"}:
            limit = float(self._load(line.body)["limits"]["wall"])
        # What a killed process left open is asked again under the same key.
        way.doing = [one for one in way.doing if one.key != line.key]
        way.doing.append(ActiveCall(_VERBS[line.port], self._clock(), limit, key=line.key))

    def _ended(self, way: IdeaProgress, line: Answered | CallFailed) -> None:
        way.doing = [one for one in way.doing if one.key != line.key]
        if not isinstance(line, Answered):
            return
        if line.port == "sandbox":
            verdict = decode(JobResult, self._load(line.body)).verdict
            way.verdicts[verdict] += 1
            if line.scope == BASELINE_SCOPE:
                held = verdict is Verdict.FINISHED
                way.status, way.why = ("", "") if held else ("failed", f"baseline: {verdict}")
        if line.port == "model":
            usage = decode(Reply, self._load(line.body)).usage
            way.tokens += usage.prompt_tokens + usage.completion_tokens
            way.usd += usage.usd or 0.0
            way.unpriced += usage.usd is None

    def _noted(self, way: IdeaProgress, scope: str, note: Note) -> None:
        if isinstance(note, StageBegan):
            _begin(way, note.name, once_more=MORE in scope)
        elif isinstance(note, StageReached):
            way.marks[note.stage], way.status, way.why = "reached", "", ""
        elif isinstance(note, StageFailed):
            way.marks[note.failure.stage] = "failed"
            way.why = f"{note.failure.stage}: {note.failure.what}"
        elif isinstance(note, IdeaSkipped):
            way.why = note.why
        elif isinstance(note, IdeaFinished):
            _finish(way, note)
        elif isinstance(note, BaselineCompared | RunFailed):
            _baseline_noted(way, note)
        elif isinstance(note, IdeaEnded) and note.idea in self.ways:
            self.ways[note.idea].status = note.status
        if isinstance(note, IdeaFinished | StageFailed | IdeaSkipped):
            way.status, way.doing = note.note, []


def _baseline_noted(way: IdeaProgress, note: BaselineCompared | RunFailed) -> None:
    if isinstance(note, RunFailed):
        told = way.why if way.status == "failed" else ""
        way.status, way.why = "failed", told or f"{note.failure.stage}: {note.failure.what}"
    elif not all(one.held for one in note.comparisons):
        way.status, way.why = "failed", "baseline: it does not beat the untrained model"


def _begin(way: IdeaProgress, stage: str, *, once_more: bool) -> None:
    """What comes after a stage is made anew, unless it is only made once more."""
    way.stage, way.place, way.status, way.why = stage, "", "", ""
    if not once_more and stage in STAGE_NAMES:
        later = STAGE_NAMES[STAGE_NAMES.index(stage) :]
        way.marks = {name: mark for name, mark in way.marks.items() if name not in later}
    way.marks[stage] = "begun"


def _finish(way: IdeaProgress, note: IdeaFinished) -> None:
    way.lacking = note.lacking
    for name in LEFT_OUT[note.left_out]:
        way.marks.setdefault(name, "left out")


def _where(scope: str) -> tuple[str, str] | None:
    """(stage, place in it) of a scope such as ``idea/ab12/experiments/run_1/attempt_2``.

    A first attempt is not mentioned: that there is a second one is what a reader looks for.
    """
    parts = scope.split("/")
    rest = parts[2:] if parts[0] == "idea" else parts[1:]
    rest = [part for part in rest if part != "editor"]
    places = [part.replace("_", " ") for part in rest[1:] if part != FIRST]
    return (rest[0], " ".join(places)) if rest else None


def money(way: IdeaProgress) -> str:
    """Dollars spent so far; calls without a known price are counted, never taken as free."""
    known = f"${way.usd:.4f}" if way.usd else "$0"
    return f"{known} + {way.unpriced} unpriced" if way.unpriced else known
