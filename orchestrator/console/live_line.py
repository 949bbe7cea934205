"""One line about the container that runs now: how far it is, how long it still takes, what it uses."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from rich.text import Text

from orchestrator.console.display import Display
from orchestrator.console.live_table import BAR, span
from orchestrator.console.view import View
from orchestrator.core.job import Peaks
from orchestrator.core.progress import seconds_left
from orchestrator.core.units import MIB

STEPS = 10  # lines about one run in a log


class LiveLine(Display):
    """Draws, prints or stays silent as ``view`` says, for what begins and what a sandbox samples.

    Use it as a context manager around the work. It is a sandbox's ``on_event`` too.
    """

    def __init__(self, view: View) -> None:
        self._silent = view.quiet or view.as_json
        super().__init__(live=not self._silent)
        self._what, self._began, self._expected = "", 0.0, 0.0
        self._share: float | None = None
        self._peaks = Peaks()
        self._tenths = 0

    def begin(self, what: str, minutes: float = 0.0) -> None:
        """A container is about to start; ``minutes`` is what its template says that it takes."""
        self._what, self._began, self._expected = what, time.monotonic(), 60 * minutes
        self._share, self._peaks, self._tenths = None, Peaks(), 0
        if not self.live and not self._silent:
            about = f" (about {span(round(self._expected))})" if minutes else ""
            self._print(f"running {what}{about}")

    def __call__(self, what: str, facts: Mapping[str, object]) -> None:
        if what != "sample":
            return
        share, peaks = facts["share"], facts["peaks"]
        assert isinstance(peaks, Peaks)
        self._share = share if isinstance(share, float) else self._share
        self._peaks = peaks
        done = int(STEPS * (self._share or 0.0))
        if not self.live and not self._silent and self._tenths < done < STEPS:
            self._tenths = done
            self._print(f"  {self._text()}")

    def drawn(self) -> Text:
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
