"""The editor's worker as a child process of this machine, and one that has loaded Aider ahead of its edit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from orchestrator.core.deadline import Deadline
from orchestrator.core.job import Limits
from orchestrator.core.stopwatch import Stopwatch
from orchestrator.editor.wire import MAX_LINE

AIDER_PYTHON = Path(sys.prefix) / "editor" / "bin" / "python"
"""The interpreter of Aider's environment on this machine; only ``editor: process`` needs it."""


class WorkerProcess:
    """A child in its own process group, with a private folder; both are gone at exit. It loads Aider and
    waits; from :meth:`begin` it is killed at its time limit. It ends by itself if this process is gone.
    """

    def __init__(self, script: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="aisci-editor-")
        # Resolved, because a path that leads through a link is refused when it is read back.
        home = Path(self._folder.name).resolve()
        self.tree = home / "tree"
        self.tree.mkdir()
        self._log = home / "stderr"
        try:
            self._child = self._started(script, home)
        except BaseException:
            self._folder.cleanup()
            raise
        self._late = self._ended = False
        self._alarm = threading.Timer(0, lambda: None)

    def _started(self, script: Path, home: Path) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [str(AIDER_PYTHON), "-I", str(script)],
                cwd=self.tree,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(home),
                    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                    "LITELLM_MODE": "PRODUCTION",
                },
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.end()
        finally:
            self._folder.cleanup()

    @property
    def runs(self) -> bool:
        return self._child.poll() is None

    def begin(self, limits: Limits, within: Deadline) -> None:
        """Start the clock of an edit, whose files are in ``tree``."""
        self._limits, self._within = limits, within
        self._clock = Stopwatch()
        self._alarm = self._set_alarm()

    def end(self) -> None:
        """Kill it and all that it started, as far as that is not done."""
        if self._ended:  # its number may be another process's by now
            return
        self._ended = True
        self._alarm.cancel()
        self._kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(BrokenPipeError):  # buffered bytes that no process reads any more
                if pipe is not None:
                    pipe.close()

    def send(self, line: bytes) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(line + b"\n")
        self._child.stdin.flush()

    def receive(self, timeout: float) -> bytes | None:  # noqa: ARG002  # the clock kills; then this ends
        assert self._child.stdout is not None
        line = self._child.stdout.readline(MAX_LINE + 1)
        return line.removesuffix(b"\n") if line else None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        self._alarm.cancel()
        try:
            with self._clock.stopped():
                yield
        finally:
            self._alarm = self._set_alarm()

    def _set_alarm(self) -> threading.Timer:
        """Have the worker killed when its own time or the call's is over; at once if it is."""
        left = min(self._limits.wall - self._clock.elapsed, self._within.left)
        if left <= 0:
            self._time_out()
        alarm = threading.Timer(left, self._time_out)
        alarm.daemon = True
        alarm.start()
        return alarm

    def why(self) -> str:
        """Why the worker ended early."""
        if self._late:
            return f"it took longer than the {self._limits.wall:g} s of the policy's editor block"
        tail = self._log.read_bytes()[-1000:].decode("utf-8", "replace")
        return f"exit code {self._child.poll()}; {tail}"

    def _time_out(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)


class WarmWorkers:
    """Keeps at most one worker that has loaded Aider before its edit is known; thread-safe. Call ``close``."""

    def __init__(self, script: Path) -> None:
        self._script, self._closed = script, False
        self._waits: WorkerProcess | None = None
        self._lock = threading.Lock()

    def want(self) -> None:
        """Start a worker, if none waits. If that fails, the edit starts its own and reports the reason."""
        with self._lock:
            if self._waits is None and not self._closed:
                with suppress(OSError):
                    self._waits = WorkerProcess(self._script)

    def take(self) -> WorkerProcess:
        """Give the waiting worker to the caller; start one if none waits, or the waiting one has ended."""
        with self._lock:
            waited, self._waits = self._waits, None
        if waited is not None and waited.runs:
            return waited
        if waited is not None:
            waited.__exit__()
        return WorkerProcess(self._script)

    def close(self) -> None:
        """End the one that waits, and start no more."""
        with self._lock:
            self._closed = True
            waited, self._waits = self._waits, None
        if waited is not None:
            waited.__exit__()
