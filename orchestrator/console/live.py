"""What is drawn on a terminal four times a second, and a line about one container."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from orchestrator.console import output as out
from orchestrator.console.options import View
from orchestrator.console.output import span
from orchestrator.core.job import Peaks, Verdict
from orchestrator.core.progress import seconds_left
from orchestrator.core.sanitize import plain_line
from orchestrator.core.units import MIB

STYLES = {"finished": "green", "failed": "red", "skipped": "yellow", "not novel": "yellow"}
BAR = 12  # characters of a bar of elapsed time
ROOM = 100  # characters of width from which on there is room for bars
STEPS = 10  # lines about one container in a log


class Display:
    """Draws :meth:`drawn` four times a second on stderr while its ``with`` block runs.

    Nothing is drawn where stderr is no terminal whose cursor can move, or ``live`` is False. With ``keep`` the last
    picture stays.
    """

    def __init__(self, *, live: bool = True, keep: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.live: Live | None = None
        self._silent, self._keep = not live, keep

    def __enter__(self) -> Self:
        if out.can_draw() and not self._silent:  # made here, not above: it draws at once
            gone = not self._keep
            self.live = Live(console=self.console, get_renderable=self.drawn, transient=gone)
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def drawn(self) -> RenderableType:
        """The picture of this moment."""
        return Text()

    def log(self, text: str) -> None:
        """A line on stderr, where nothing is drawn because that is no such terminal."""
        if not self.live and not self._silent:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def say(self, text: str) -> None:
        """A line of the answer, above what is drawn."""
        if self.live:
            self.live.transient = True  # or a picture of before stays above each line
            self.live.stop()
            self.live.transient = not self._keep
        out.say(text)
        if self.live:
            self.live.start()


def elapsed(seconds: float, limit: float, *, bar: bool = True) -> str:
    """``34 s``, or with a limit ``██████······ 150 s of 5 min``, the bar where there is room."""
    if not limit:
        return span(seconds)
    full = min(BAR, int(BAR * seconds / limit))
    drawn = f"{'█' * full}{'·' * (BAR - full)} " if bar else ""
    return f"{drawn}{span(seconds)} of {span(limit)}"


def ending(taken: float, left: float) -> str:
    """``40 %, about 90 s to go``: where a program says how far it is."""
    return f"{share_of(taken, left)}, about {span(round(left))} to go"


def share_of(taken: float, left: float) -> str:
    """``40 %``: how much of a time is over."""
    share = taken / (taken + left) if taken + left else 1.0
    return f"{100 * share:.0f} %"


def container_counts(verdicts: Mapping[str, int]) -> str:
    """``✓ 6  ✗ 1 timed out``: how many ended in which way."""
    return "  ".join(
        f"✓ {count}" if name == Verdict.FINISHED else f"✗ {count} {name}"
        for name, count in sorted(verdicts.items())
    )


class LiveLine(Display):
    """Draws, prints or stays silent as ``view`` says, for what begins and what a sandbox samples.

    Use it as a context manager around the work. It is a sandbox's ``on_event`` too.
    """

    def __init__(self, view: View) -> None:
        super().__init__(live=not (view.quiet or view.as_json))
        self.view = view
        self._what, self._began, self._time = "", 0.0, ""
        self._share: float | None = None
        self._peaks = Peaks()
        self._tenths = 0

    def begin(self, what: str, minutes: float | None = None, stops: float = 0.0) -> None:
        """A container is about to start; ``minutes`` is what its template says that it takes, and
        ``stops`` is after how many seconds its policy stops it.
        """
        self._what, self._began, self._time = what, time.monotonic(), ""
        self._share, self._peaks, self._tenths = None, Peaks(), 0
        if minutes is not None:
            taken = span(round(60 * minutes))
            self._time = f"the manifest says {taken}"
            self.log(f"running {what} (about {taken})")
        elif stops:
            self._time = f"stopped at {span(round(stops))}"
            self.log(f"running {what} (how long is unknown; {self._time})")
        else:
            self.log(f"running {what}")

    def tell(self, what: str) -> None:
        """Something else than a container is under way."""
        self._what, self._began, self._time = plain_line(what), time.monotonic(), ""
        self._share, self._peaks = None, Peaks()
        self.log(self._what)

    def __call__(self, what: str, facts: Mapping[str, object]) -> None:
        if what != "sample":
            return
        share, peaks = facts["share"], facts["peaks"]
        assert isinstance(peaks, Peaks)
        self._share = share if isinstance(share, float) else self._share
        self._peaks = peaks
        done = int(STEPS * (self._share or 0.0))
        if self._tenths < done < STEPS:
            self._tenths = done
            self.log(f"  {self._text()}")

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
        elif self._time:
            parts.append(self._time)
        if self._peaks.memory:
            parts.append(f"{self._peaks.memory / MIB:,.0f} MiB")
        return ", ".join(parts)
