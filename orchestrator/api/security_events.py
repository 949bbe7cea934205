"""Security events of runs for other people's tools: of one run, or of all as they happen. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.api.audits import audit_folder
from orchestrator.api.find_run import find_run, id_of, is_run, run_folders
from orchestrator.api.locking import is_at_work
from orchestrator.api.run_lines import RunLines, as_written, read_body
from orchestrator.audit.chain import Anchor
from orchestrator.audit.finding import CHECKS
from orchestrator.core.errors import AisciError
from orchestrator.core.stopwatch import utc_now
from orchestrator.core.untrusted import require_plain
from orchestrator.exchange.ocsf_audit import AuditedCheck, audit_events
from orchestrator.exchange.ocsf_lines import OcsfLines
from orchestrator.record.events import Body
from orchestrator.record.paths import RunPaths

EVENT_PAUSE = 0.5  # seconds between two looks

_OcsfJson = dict[str, Any]


class RunEvents:
    """The events of one run: :meth:`more` gives those of the lines since the last call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines = RunLines(folder)
        self._made = OcsfLines(id_of(folder), self._load)

    def more(self) -> Iterator[_OcsfJson]:
        """The events of new lines. Raises :class:`BadJournal` at the first line that is invalid."""
        for line in self._lines.more():
            with as_written(f"{self.folder}, line {line.n}"):
                made = list(self._made.take(line))
            yield from made

    def audited(self) -> Iterator[_OcsfJson]:
        """One event for each check of an audit of the whole folder."""
        done = audit_folder(RunPaths(self.folder), Anchor())
        checks = [
            AuditedCheck(
                check=one.check,
                meaning=CHECKS[one.check],
                count=one.count,
                wrong=[f"{f.where}: {f.what}" for f in one.findings if f.level == "wrong"],
                unfinished=[
                    f"{f.where}: {f.what}" for f in one.findings if f.level == "unfinished"
                ],
            )
            for one in done.checks
        ]
        yield from audit_events(checks, str(done.outcome), utc_now(), self._made.source)

    def _load(self, body: Body) -> Any:
        return read_body(body, self.folder)


def events_of_run(
    name: str, results: Path, *, follow: bool = False, audited: bool = False
) -> Iterator[_OcsfJson]:
    """A run's events; with ``follow`` until no process works on it; with ``audited`` those of an audit at the end.

    Raises :class:`UnknownName`, :class:`UnsafeFolder`, :class:`BadJournal`.
    """
    folder = find_run(name, results).folder
    require_plain(folder)
    run = RunEvents(folder)
    while True:
        working = is_at_work(folder)  # before the lines: what a process wrote last is then read
        yield from run.more()
        if not (follow and working):
            break
        time.sleep(EVENT_PAUSE)
    if audited:
        yield from run.audited()


def events_as_they_happen(results: Path, pause: float = EVENT_PAUSE) -> Iterator[_OcsfJson | None]:
    """Without end, the events of every run below ``results`` that works or begins from now on, each from its
    first line. None after each look: there is nothing more now.
    """
    ended = {folder for folder in run_folders(results) if not is_at_work(folder)}
    runs: dict[Path, RunEvents] = {}
    while True:
        for folder in run_folders(results):
            known = folder in runs
            if not known and (folder in ended) and not is_at_work(folder):
                continue
            if not known and not is_run(folder):
                continue
            try:
                yield from runs.setdefault(folder, RunEvents(folder)).more()
            except (AisciError, OSError):  # one run that cannot be read hides no other
                ended.add(folder)
        yield None
        time.sleep(pause)
