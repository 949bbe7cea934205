"""What a run is doing, kept from the journal's lines as they are written; nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.decode import decode
from orchestrator.core.job import JobResult
from orchestrator.core.model import Reply
from orchestrator.core.sanitize import plain_line
from orchestrator.record.events import (
    Answered,
    Asked,
    Body,
    CallFailed,
    IdeaStarted,
    Noted,
    Recalled,
)
from orchestrator.record.heard import Heard, Sampled
from orchestrator.record.literature_notes import IdeaSkipped
from orchestrator.record.notes import (
    IdeaEnded,
    IdeaFinished,
    Note,
    StageBegan,
    StageFailed,
    read_note,
)

Load = Callable[[Body], Any]
"""The JSON value of a body."""

FIRST = "attempt_1"  # goes without saying
_VERBS = {
    "model": "asking the model",
    "editor": "editing",
    "sandbox": "running",
    "literature": "searching",
}


@dataclass(slots=True)
class ActiveCall:
    """A call under way, in seconds (0: no limit); ``share`` is how much its container has done."""

    what: str
    since: float
    limit: float = 0.0
    share: float | None = None


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


class RunState:
    """Every way of a run: ``run``, then each idea's id. ``clock`` gives seconds that only grow."""

    def __init__(self, load: Load, clock: Callable[[], float]) -> None:
        self.ways: dict[str, IdeaProgress] = {"run": IdeaProgress("run", stage="starting")}
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
        elif isinstance(event, Noted):
            self._noted(self.way(event.scope), read_note(self._load(event.body)))

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
        way.doing.append(ActiveCall(_VERBS[line.port], self._clock(), limit))

    def _ended(self, way: IdeaProgress, line: Answered | CallFailed) -> None:
        if way.doing:
            way.doing.pop()
        if not isinstance(line, Answered):
            return
        if line.port == "sandbox":
            way.verdicts[decode(JobResult, self._load(line.body)).verdict] += 1
        if line.port == "model":
            usage = decode(Reply, self._load(line.body)).usage
            way.tokens += usage.prompt_tokens + usage.completion_tokens
            way.usd += usage.usd or 0.0
            way.unpriced += usage.usd is None

    def _noted(self, way: IdeaProgress, note: Note) -> None:
        if isinstance(note, StageBegan):
            way.stage, way.place, way.status = note.name, "", ""
        elif isinstance(note, IdeaFinished | StageFailed | IdeaSkipped):
            way.status, way.doing = note.note, []
        elif isinstance(note, IdeaEnded) and note.idea in self.ways:
            self.ways[note.idea].status = note.status


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
