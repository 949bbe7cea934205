"""Reads where a run stands, from its journals and its lock alone: also while another process works on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.api.find_run import id_of
from orchestrator.api.live_board import LiveJob, live_jobs
from orchestrator.api.locking import is_at_work
from orchestrator.api.run_lines import RunLines, as_written, glance, read_body
from orchestrator.api.run_state import IdeaProgress, RunState
from orchestrator.api.run_status import CallOut, RunStatus, State, WayStatus
from orchestrator.core.errors import AisciError, BadJournal
from orchestrator.core.units import parse_time
from orchestrator.record.asked_stages import LEFT_OUT, STAGE_NAMES
from orchestrator.record.events import Event, Forked, IdeaStarted, RunStarted
from orchestrator.record.live_use import time_at_work
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Pins


class RunWatch:
    """A run that is looked at again and again: each :meth:`look` reads only what is new."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines = RunLines(folder)
        self._told = _Told(folder)
        self._seen: list[Event] = []

    def look(self, now: float) -> RunStatus:
        """Where the run stands at ``now`` (UTC, in seconds). Raises :class:`BadJournal`."""
        working = is_at_work(
            self.folder
        )  # before the lines: what a process wrote last is then read
        new = self.lines.more()
        self._seen += new
        self._told.take(new)
        jobs = live_jobs(self.folder) if working else {}
        return self._told.status(now, self._seen, jobs, working=working)


def status_of(folder: Path, now: float) -> RunStatus:
    """Where the run in ``folder`` stands at ``now`` (UTC, in seconds). Raises :class:`BadJournal`."""
    return RunWatch(folder).look(now)


def brief_status(folder: Path) -> RunStatus:
    """The same from a few lines of each journal, without calls and times; never raises for a bad record."""
    try:
        working = is_at_work(folder)
        told = _Told(folder)
        told.take(glance(folder))
        return told.status(0.0, (), {}, working=working)
    except (AisciError, OSError) as error:
        fault = error.what if isinstance(error, AisciError) else f"{error.strerror}"
        return RunStatus(id=id_of(folder), folder=folder, state="unreadable", fault=fault)


class _Told:
    """What the lines so far tell of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._now = folder, 0.0
        self.state = RunState(lambda body: read_body(body, folder), lambda: self._now)
        self.pins: Pins | None = None
        self.names: dict[str, str] = {}
        self.folders: dict[str, str] = {}
        self.began = self.changed = ""

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            with as_written(f"{self.folder}, line {event.n}"):
                self._now = datetime.fromisoformat(event.at).timestamp()
                self.state.take(event)
            self.began, self.changed = self.began or event.at, event.at
            if isinstance(event, RunStarted | Forked):
                self.pins = event.pins
            elif isinstance(event, IdeaStarted):
                self.names[event.id] = event.idea.name
                self.folders[event.id] = RunPaths(self.folder).idea(event.idea).folder.name

    def status(
        self, now: float, lines: Iterable[Event], jobs: Mapping[str, LiveJob], *, working: bool
    ) -> RunStatus:
        if self.pins is None:
            raise BadJournal(
                "the journal does not say what the run was started with",
                where=str(self.folder),
                why="the run was stopped before its first line was written",
                todo="start it again with `aisci run`",
            )
        ways = {
            key: self._way(key, way, jobs, working=working) for key, way in self.state.ways.items()
        }
        shared = ways.pop("run")
        ideas = tuple(ways.values())
        out = [call.since for way in (shared, *ideas) for call in way.out if working]
        return RunStatus(
            id=id_of(self.folder),
            folder=self.folder,
            state="working" if working else self._ended(shared, ideas),
            template=self.pins.template.name,
            scale=self.pins.scale,
            model=self.pins.model().name,
            policy=self.pins.policy.name,
            began=self.began,
            changed=self.changed,
            worked=time_at_work(lines, [(since, max(now, since)) for since in out]),
            limit=_wall(self.pins.policy.settings),
            ends=max((job.ends or 0.0 for job in jobs.values()), default=0.0),
            shared=shared,
            ideas=ideas,
        )

    def _ended(self, shared: WayStatus, ideas: tuple[WayStatus, ...]) -> State:
        states = {idea.status for idea in ideas}
        if shared.status == "failed" and not ideas:
            return "failed"
        if "" in states:
            return "unfinished"
        if "stopped" in states:
            return "stopped"
        if not self.state.sealed:
            return "unfinished"
        return "finished" if "finished" in states or "failed" not in states else "failed"

    def _way(
        self, key: str, way: IdeaProgress, jobs: Mapping[str, LiveJob], *, working: bool
    ) -> WayStatus:
        calls = (
            CallOut(
                what=one.what,
                since=one.since,
                limit=one.limit,
                share=job.share,
                waits=job.waits,
                gpus=job.gpus,
            )
            for one in way.doing
            for job in [jobs.get(one.key[1] if one.key else "", LiveJob(scope=""))]
        )
        return WayStatus(
            id=key,
            name=self.names.get(key, way.name),
            folder=self.folders.get(key, ""),
            status=way.status,
            stage=way.stage,
            place=way.place,
            marks=tuple(way.marks.items()),
            why=way.why,
            lacking=way.lacking,
            out=tuple(calls) if working or not way.status else (),
            containers=tuple(sorted((str(name), count) for name, count in way.verdicts.items())),
            tokens=way.tokens,
            usd=way.usd,
            unpriced=way.unpriced,
            left_out=_left_out(self.pins) if self.pins and key != "run" else (),
        )


def _left_out(pins: Pins) -> tuple[str, ...]:
    """The stages that a run started with these pins does not make; a command may make them later."""
    others = {"novelty": not pins.novelty, "improve": not pins.reviewing.improve}
    left = {*LEFT_OUT[pins.leave_out], *(name for name, out in others.items() if out)}
    return tuple(name for name in STAGE_NAMES if name in left)


def _wall(settings: dict[str, Any]) -> float:
    """The seconds that a policy gives a run; 0 where it says none that can be read."""
    run = settings.get("run")
    try:
        return float(parse_time(run["wall"])) if isinstance(run, dict) else 0.0
    except (KeyError, TypeError, ValueError):
        return 0.0
