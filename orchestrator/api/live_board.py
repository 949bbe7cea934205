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
    """A job that waits for room or is at work: its scope, the GPUs that it was lent, the share (0 to 1) that its
    program reports as done, the end of what it printed on standard output, and how many bytes that output has in
    all. ``ends`` is about when the whole run ends (UTC, in seconds), as its plans say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    scope: str = Field(max_length=400)
    waits: bool = False
    gpus: tuple[str, ...] = Field(default=(), max_length=64)
    ends: float | None = None
    share: float | None = Field(default=None, ge=0, le=1)
    tail: str = Field(default="", max_length=_MOST)
    printed: int = Field(default=0, ge=0)


class LiveBoard:
    """Keeps the files of one run's jobs; what cannot be written is left out, since nothing depends on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs: dict[str, LiveJob] = {}
        self._written: dict[str, float] = {}
        self._ends: float | None = None

    def __call__(self, what: str, facts: Mapping[str, object]) -> None:
        """Follow what a sandbox reports of its jobs."""
        scope = facts.get("scope")
        if not isinstance(scope, str):
            return
        if what == "waiting":
            self._write(LiveJob(scope=scope, waits=True, ends=self._ends))
        elif what == "started":
            left, gpus = facts.get("left"), facts.get("gpus")
            if isinstance(left, float):
                self._ends = time.time() + left
            lent = gpus if isinstance(gpus, tuple) else ()
            self._write(LiveJob(scope=scope, gpus=lent, ends=self._ends))
        elif what == "sample":
            self._sampled(scope, facts)
        elif what == "ended":
            self._jobs.pop(scope, None)
            with suppress(OSError):
                self._path(scope).unlink(missing_ok=True)

    def _sampled(self, scope: str, facts: Mapping[str, object]) -> None:
        if time.monotonic() - self._written.get(scope, 0.0) < _EACH:
            return
        share, tail, printed = (facts.get(name) for name in ("share", "tail", "printed"))
        before = self._jobs.get(scope, LiveJob(scope=scope))
        told = {
            "share": share if isinstance(share, float) else None,
            "tail": tail if isinstance(tail, str) else "",
            "printed": printed if isinstance(printed, int) else 0,
        }
        self._write(before.model_copy(update={"waits": False, "ends": self._ends, **told}))

    def _write(self, job: LiveJob) -> None:
        known, self._jobs[job.scope] = self._jobs.get(job.scope), job
        self._written[job.scope] = time.monotonic()
        if job != known:
            with suppress(OSError, AisciError):
                write(self._path(job.scope), job.model_dump_json().encode())

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
