"""Where a run stands: its state, its ideas and their stages, what is out now, and the next command."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.api.run_state import StageMark
from orchestrator.record.asked_stages import STAGE_NAMES

_LATER = {
    "paper left out": "writeup",
    "not verified": "check paper",
    "not reviewed": "review",
    "review left out": "review",
}
"""What makes what a finished idea lacks, or says what is wrong with it."""
State = Literal["working", "finished", "failed", "stopped", "unfinished", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOut:
    """A call without an end: since when (UTC, in seconds), after how many seconds it is stopped (0: never), and the
    share (0 to 1) of its work that its program reports as done. One that ``waits`` for room has no container yet;
    ``gpus`` are those that it was lent.
    """

    what: str
    since: float
    limit: float
    share: float | None = None
    waits: bool = False
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WayStatus:
    """One idea, or what a run does for all of them. ``marks`` are of the stages that were begun; ``status`` is
    empty while it has not ended; ``left_out`` are the stages that the run does not make.
    """

    id: str
    name: str
    folder: str
    status: str
    stage: str
    place: str
    marks: tuple[tuple[str, StageMark], ...]
    why: str
    lacking: tuple[str, ...]
    out: tuple[CallOut, ...]
    containers: tuple[tuple[str, int], ...]
    tokens: int
    usd: float
    unpriced: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """A run. ``worked`` is how many seconds at least one call was out, of ``limit`` that its policy gives it
    (0: no limit); it ends at about ``ends`` (UTC, in seconds; 0: not known), as its plans say. Of one that cannot
    be read, ``fault`` says why, and there is nothing else.
    """

    id: str
    folder: Path
    state: State
    fault: str = ""
    template: str = ""
    scale: str = ""
    model: str = ""
    policy: str = ""
    began: str = ""
    changed: str = ""
    worked: float = 0.0
    limit: float = 0.0
    ends: float = 0.0
    shared: WayStatus | None = None
    ideas: tuple[WayStatus, ...] = ()

    @property
    def ways(self) -> tuple[WayStatus, ...]:
        return (*([self.shared] if self.shared else []), *self.ideas)

    @property
    def usd(self) -> float:
        return sum(way.usd for way in self.ways)

    @property
    def unpriced(self) -> int:
        """Model calls whose price is unknown."""
        return sum(way.unpriced for way in self.ways)

    @property
    def tokens(self) -> int:
        return sum(way.tokens for way in self.ways)

    @property
    def counts(self) -> dict[str, int]:
        """How many ideas are in which status."""
        return dict(Counter(idea.status or "unfinished" for idea in self.ideas))

    @property
    def where(self) -> str:
        """Where it is, or where and why it ended early."""
        if self.fault or (self.shared and self.shared.why):
            return self.fault or _first_line(self.shared.why if self.shared else "")
        wanted = {"failed": "failed", "stopped": "stopped"}.get(self.state, "")
        if self.state == "finished":
            return _named([(one, _missed(one)) for one in self.ideas if _missed(one)])
        there = [idea for idea in self.ideas if idea.status == wanted]
        if not there and self.ideas:
            there = [idea for idea in self.ideas if idea.status == "failed"]
        if not there:
            return "" if self.ideas or not self.shared else self.shared.stage
        return _named([(one, _place(one)) for one in there])

    @property
    def next(self) -> str:
        """The one command that goes on from here."""
        run = shlex.quote(str(self.folder))
        known = {"working": "logs -f", "unreadable": "audit"}
        known |= dict.fromkeys(("stopped", "unfinished"), "resume")
        if self.state in known:
            return f"aisci {known[self.state]} {run}"
        if self.state == "failed":
            failed = next((one for one in self.ideas if one.status == "failed"), None)
            if failed is None:  # at the baseline: only another template or policy can help
                return f"aisci resume {run} --fork"
            marks = dict(failed.marks)
            stage = next((one for one in STAGE_NAMES if marks.get(one) == "failed"), "experiments")
            return f"aisci resume {run} --retry {stage}"
        for lacking, command in _LATER.items():
            bare = next((one for one in self.ideas if lacking in one.lacking), None)
            if bare is not None:
                return f"aisci {command} {shlex.quote(str(self.folder / bare.folder))}"
        return f"aisci open {run}"


def _named(ideas: list[tuple[WayStatus, str]]) -> str:
    """The first of these ideas and what is said of it, and how many more there are."""
    more = f" (and {len(ideas) - 1} more)" if len(ideas) > 1 else ""
    return f"{ideas[0][0].name}: {ideas[0][1]}{more}" if ideas else ""


def _missed(idea: WayStatus) -> str:
    """What a finished paper should be and is not; what was left out on purpose is not missed."""
    return ", ".join(one for one in idea.lacking if one.startswith("not "))


def _place(idea: WayStatus) -> str:
    last = idea.marks[-1][0] if idea.marks else idea.stage
    return f"after {last}, as asked" if idea.status == "stopped" else _first_line(idea.why) or last


def _first_line(why: str) -> str:
    return why.partition("\n")[0]
