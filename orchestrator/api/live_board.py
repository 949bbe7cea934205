"""What the jobs of a run print and report while they run, for other processes that look at the run.

A small file for each job at work, beside the run's journal and with the name of an unfinished file: no part of
the record, removed when the job ends, and by the next writer where that was killed. What stands in it is a
container's output: data for a screen, which escapes it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.core.errors import AisciError
from orchestrator.core.files import UNFINISHED, write
from orchestrator.core.untrusted import NotPlain, read_plain

_PREFIX = f"{UNFINISHED}live-"
_EACH = 0.5  # seconds between two writes for one job
_MOST = 1 << 18  # bytes of a file that is read


class LiveJob(BaseModel):
    """A job at work: its scope, the share (0 to 1) that its program reports as done, the end of what it printed
    on standard output, and how many bytes that output has in all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    scope: str = Field(max_length=400)
    share: float | None = Field(default=None, ge=0, le=1)
    tail: str = Field(default="", max_length=_MOST)
    printed: int = Field(default=0, ge=0)


class LiveBoard:
    """Keeps the files of one run's jobs; what cannot be written is left out, since nothing depends on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, tuple[float, LiveJob]] = {}

    def __call__(self, what: str, facts: Mapping[str, object]) -> None:
        """Follow what a sandbox reports of its jobs."""
        scope = facts.get("scope")
        if not isinstance(scope, str):
            return
        if what == "sample":
            self._sampled(scope, facts)
        elif what == "ended":
            self._written.pop(scope, None)
            with suppress(OSError):
                self._path(scope).unlink(missing_ok=True)

    def _sampled(self, scope: str, facts: Mapping[str, object]) -> None:
        at, before = self._written.get(scope, (0.0, None))
        now = time.monotonic()
        if now - at < _EACH:
            return
        share, tail, printed = (facts.get(name) for name in ("share", "tail", "printed"))
        job = LiveJob(
            scope=scope,
            share=share if isinstance(share, float) else None,
            tail=tail if isinstance(tail, str) else "",
            printed=printed if isinstance(printed, int) else 0,
        )
        self._written[scope] = now, job
        if job != before:
            with suppress(OSError, AisciError):
                write(self._path(scope), job.model_dump_json().encode())

    def _path(self, scope: str) -> Path:
        return self._folder / f"{_PREFIX}{hashlib.sha256(scope.encode()).hexdigest()[:16]}"


def live_jobs(folder: Path) -> dict[str, LiveJob]:
    """The jobs of a run that are at work, by their scope; what cannot be read is left out."""
    found = {}
    for path in sorted(folder.glob(f"{_PREFIX}*")):
        with suppress(OSError, NotPlain, ValidationError, UnicodeDecodeError):
            job = LiveJob.model_validate_json(read_plain(path, _MOST))
            found[job.scope] = job
    return found
