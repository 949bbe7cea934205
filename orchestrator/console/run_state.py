"""What a run is doing, kept from the journal's lines as they are written; nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.job import Verdict
from orchestrator.core.sanitize import plain_line

Line = dict[str, Any]
Body = Callable[[Line], Any]
FIRST = "attempt_1"  # goes without saying
DOING = {
    "model": "asking the model",
    "editor": "editing",
    "sandbox": "running",
    "literature": "searching",
}


@dataclass(slots=True)
class Doing:
    """A call that is under way. ``since`` and ``limit`` in seconds; 0: no limit known.

    ``share`` is how much of itself a container says that it has done.
    """

    what: str
    since: float
    limit: float = 0.0
    share: float | None = None


@dataclass(slots=True)
class Way:
    """One idea's way, or the run's own: where it is, and what it has used."""

    key: str
    name: str
    stage: str = ""
    place: str = ""
    status: str = ""
    doing: list[Doing] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    recalled: int = 0


class Track:
    """Every way of a run by its key: ``run``, then each idea's id.

    ``body`` reads a line's body, ``clock`` gives seconds that only ever grow.
    """

    def __init__(self, body: Body, clock: Callable[[], float]) -> None:
        self.ways: dict[str, Way] = {"run": Way("run", "run", stage="starting")}
        self._body, self._clock = body, clock

    def take(self, line: Line) -> None:
        """Follow one line of any journal of the run."""
        kind = line["kind"]
        if kind == "idea_started":
            self.ways[line["id"]] = Way(line["id"], plain_line(line["idea"]["name"], limit=40))
            self.ways["run"].stage, self.ways["run"].place = "ideas", str(len(self.ways) - 1)
        elif kind in {"asked", "answered", "recalled", "noted"}:
            way = self.way(line)
            getattr(self, f"_{kind}")(way, line)

    def sampled(self, what: str, facts: Mapping[str, object]) -> None:
        """A sandbox's word of a job that runs: how much of itself it says that it has done."""
        share, scope = facts.get("share"), facts.get("scope")
        if what == "sample" and isinstance(share, float) and isinstance(scope, str):
            for doing in self.way({"scope": scope}).doing[-1:]:
                doing.share = share

    def way(self, line: Line) -> Way:
        """The way that a line with a scope belongs to."""
        first, _, rest = line.get("scope", "run").partition("/")
        key = rest.partition("/")[0] if first == "idea" else "run"
        return self.ways.setdefault(key, Way(key, plain_line(key)))

    def _asked(self, way: Way, line: Line) -> None:
        way.stage, way.place = _where(line["scope"]) or (way.stage, way.place)
        limit = 0.0
        if line["port"] in {"sandbox", "editor"}:
            limit = float(self._body(line)["limits"]["wall"])
        way.doing.append(Doing(DOING[line["port"]], self._clock(), limit))

    def _answered(self, way: Way, line: Line) -> None:
        if way.doing:
            way.doing.pop()
        if line["port"] == "sandbox" and "body" in line:
            way.verdicts[self._body(line)["attestation"]["verdict"]] += 1
        if line["port"] == "model" and "body" in line:
            usage = self._body(line)["usage"]
            way.requests += 1
            way.tokens += usage["prompt_tokens"] + usage["completion_tokens"]
            way.usd += usage["usd"] or 0.0
            way.unpriced += usage["usd"] is None

    def _recalled(self, way: Way, line: Line) -> None:
        way.stage, way.place = _where(line["scope"]) or (way.stage, way.place)
        way.recalled += 1

    def _noted(self, way: Way, line: Line) -> None:
        name = line["name"]
        if name == "stage":
            way.stage, way.place, way.status = str(self._body(line)["name"]), "", ""
        elif name in {"finished", "failed", "skipped"}:
            way.status, way.doing = name, []
        elif name == "outcome":
            value = self._body(line)
            if value["idea"] in self.ways:
                self.ways[value["idea"]].status = str(value["status"])


def _where(scope: str) -> tuple[str, str] | None:
    """(stage, place in it) of a scope such as ``idea/ab12/experiments/run_1/attempt_2``.

    A first attempt is not mentioned: that there is a second one is what a reader looks for.
    """
    parts = scope.split("/")
    rest = parts[2:] if parts[0] == "idea" else parts[1:]
    rest = [part for part in rest if part != "editor"]
    places = [part.replace("_", " ") for part in rest[1:] if part != FIRST]
    return (rest[0], " ".join(places)) if rest else None


def verdict_mark(verdict: str) -> str:
    """How a verdict is shown in one character: done, or not."""
    return "✓" if verdict == Verdict.FINISHED else "✗"


def money(way: Way) -> str:
    """Dollars spent so far; calls without a known price are counted, never taken as free."""
    known = f"${way.usd:.4f}" if way.usd else "$0"
    return f"{known} + {way.unpriced} unpriced" if way.unpriced else known
