"""One line about the container that runs now: how far it is, how long it still takes, what it uses."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from orchestrator.console import output as out
from orchestrator.console.live_table import BAR, span
from orchestrator.console.view import View
from orchestrator.core.job import Peaks
from orchestrator.core.progress import seconds_left

MIB = 2**20
STEPS = 10  # lines about one run where nobody watches a terminal


class NowRunning:
    """Told what begins and what a sandbox samples; draws, prints or stays silent as ``view`` says.

    Use it as a context manager around the work. It is a sandbox's ``on_event`` too.
    """

    def __init__(self, view: View) -> None:
        self._silent = view.quiet or view.as_json
        self._console = Console(stderr=True, highlight=False)
        self._what, self._began, self._expected = "", 0.0, 0.0
        self._share: float | None = None
        self._peaks = Peaks()
        self._told = 0
        self._live = (
            Live(console=self._console, get_renderable=self._line, refresh_per_second=4, transient=True)
            if sys.stderr.isatty() and not self._silent
            else None
        )  # fmt: skip

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def begin(self, what: str, minutes: float = 0.0) -> None:
        """A container is about to start; ``minutes`` is what its template says that it takes."""
        self._what, self._began, self._expected = what, time.monotonic(), 60 * minutes
        self._share, self._peaks, self._told = None, Peaks(), 0
        if not self._live and not self._silent:
            about = f" (about {span(round(self._expected))})" if minutes else ""
            self._print(f"running {what}{about}")

    def say(self, text: str) -> None:
        """A line of the answer, above the one that is drawn."""
        if self._live:
            self._live.stop()
            out.say(text)
            self._live.start()
        else:
            out.say(text)

    def __call__(self, what: str, facts: Mapping[str, object]) -> None:
        if what != "sample":
            return
        share, peaks = facts["share"], facts["peaks"]
        assert isinstance(peaks, Peaks)
        self._share = share if isinstance(share, float) else self._share
        self._peaks = peaks
        done = int(STEPS * (self._share or 0.0))
        if not self._live and not self._silent and self._told < done < STEPS:
            self._told = done
            self._print(f"  {self._text()}")

    def _line(self) -> Text:
        return Text(f"{self._what}  {self._text()}" if self._what else "")

    def _text(self) -> str:
        taken = time.monotonic() - self._began
        parts = [span(taken)]
        left = seconds_left(taken, self._share)
        if self._share is not None:
            full = int(BAR * self._share)
            parts = [f"{'█' * full}{'·' * (BAR - full)} {100 * self._share:.0f} %", span(taken)]
        if left is not None:
            parts.append(f"about {span(round(left))} to go")
        elif self._expected:
            parts.append(f"the manifest says {span(round(self._expected))}")
        if self._peaks.memory:
            parts.append(f"{self._peaks.memory / MIB:,.0f} MiB")
        return ", ".join(parts)

    def _print(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
