"""``aisci logs``: the lines that ``aisci run`` prints into a log, made from a run's journals; ``aisci open``."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from pathlib import Path
from typing import Any

from orchestrator.api.export import write_reports
from orchestrator.api.find_run import find_run
from orchestrator.api.live_board import live_jobs
from orchestrator.api.locking import is_at_work
from orchestrator.api.run_lines import RunLines, as_written, idea_called, read_body
from orchestrator.api.run_state import RunState
from orchestrator.console import output as out
from orchestrator.console.log_lines import LogLines
from orchestrator.core.errors import UserError
from orchestrator.record.events import Body

_EACH = 0.5  # seconds between two looks
_OUTPUT = 20  # lines of each container's output


def show_logs(name: str, idea: str, results: Path, *, follow: bool, output: bool) -> int:
    """Print a run's lines; with ``follow`` until no process works on it. The exit code."""
    folder = find_run(name, results).folder
    lines = RunLines(folder)

    def load(body: Body) -> Any:
        return read_body(body, folder)

    shown = LogLines(
        RunState(load, lambda: 0.0),
        load,
        since="",
        out=sys.stdout,
        idea=idea_called(idea, folder) if idea else "",
        output=_OUTPUT if output else 0,
    )
    try:
        while True:
            working = is_at_work(folder)  # before the lines: what a process wrote last is then read
            for event in lines.more():
                with as_written(f"{folder}, line {event.n}"):
                    shown(event)
            for job in live_jobs(folder).values() if follow and working else ():
                shown.tell_live(job)
            if not (follow and working):
                return 0
            time.sleep(_EACH)
    except KeyboardInterrupt:  # nobody looks any more; the run goes on
        return 130


def open_page(name: str, results: Path, *, only_print: bool) -> None:
    """Print where a run's page is, and open it where there is a screen."""
    page = find_run(name, results).report
    if not page.exists() and not page.is_symlink():
        _write_page(page, results)
    if not page.is_file() or page.is_symlink():
        raise UserError(
            "this run has no page",
            where=str(page),
            todo=f"`aisci report {page.parent} --into DIR` writes its pages elsewhere",
        )
    out.say(str(page))
    if not only_print:
        show_page(page)


def _write_page(page: Path, results: Path) -> None:
    """The pages of a run that did not end, from what is recorded so far: nobody else writes them now."""
    if is_at_work(page.parent):
        raise UserError(
            "this run has no page yet, and another process works on it",
            where=str(page),
            todo="`aisci status -f` follows it; it writes its page when it ends",
        )
    write_reports(str(page.parent), results)


def show_page(page: Path) -> None:
    """Open a page in the browser where there is a screen."""
    if _has_screen():
        webbrowser.open(page.absolute().as_uri())


def _has_screen() -> bool:
    """A browser of the terminal would take it over: none is started there."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform == "darwin" or any(os.environ.get(one) for one in named)
