"""Monitors one running container: collects its output, samples its use, and enforces its limits."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import AisciError, SandboxFailed
from orchestrator.core.job import Limits, Peaks, Verdict
from orchestrator.core.stopwatch import Stopwatch
from orchestrator.sandbox.engine.client import APIError, Engine, translated
from orchestrator.sandbox.engine.stream import STDOUT, LineBuffer, Stream
from orchestrator.sandbox.gpus.leases import NvmlMeter
from orchestrator.sandbox.job.sampler import Sampler
from orchestrator.sandbox.storage.helper import Helper

_TAIL = 64 << 10  # bytes of each stream that a result keeps
_SLOWEST, _FASTEST = 0.25, 0.02  # seconds between samples: quick at first, short jobs count too
_DEATH = 30.0  # seconds that a killed container may take to end


class Monitor:
    """One thread per running container; the only reader of its output, and the one that kills it.

    ``lines`` gets the standard output of a duplex job, ``on_sample`` each sample's peaks. After the
    container has ended, ``complete`` says whether it was monitored to its end; if not, ``error``
    may say why. The wall clock is ``clock``, which may be stopped. ``over`` is the budget's deadline that ended it, if one did. ``sampler`` has
    what was measured.
    """

    def __init__(
        self,
        engine: Engine,
        container: str,
        *,
        pid: int,
        stream: Stream,
        limits: Limits,
        keeper: Helper,
        gpus: NvmlMeter | None = None,
        lines: LineBuffer | None = None,
        on_sample: Callable[[Peaks], None] | None = None,
        within: Deadline = FOREVER,
    ) -> None:
        self._thread = threading.Thread(
            target=self._run, name=f"monitor {container[:12]}", daemon=True
        )
        # Not Thread.join: after a Ctrl-C, Python 3.11 takes a running thread for ended.
        self._done = threading.Event()
        self.error: AisciError | OSError | None = None
        self.complete = False
        self.over: Deadline | None = None
        self._within = within
        self._engine, self._container = engine, container
        self._stream, self._limits = stream, limits
        self._lines, self._on_sample = lines, on_sample
        self.sampler = Sampler(container, pid, limits, keeper, gpus)
        self._process = os.pidfd_open(pid)
        self.clock = Stopwatch()
        self._asked: Verdict | None = None
        self._term_at: float | None = None
        self._kill_at: float | None = None
        self._log_bytes = 0
        self._tails: dict[int, bytearray] = {}
        self._printed = Counter[int]()
        self._senders: list[threading.Thread] = []
        self._unsent: AisciError | None = None

    def interrupt(self, why: Verdict = Verdict.INTERRUPTED) -> None:
        """Ask for an end without grace; the thread kills within a quarter of a second."""
        self._asked = self._asked or why

    def start(self) -> None:
        """Start monitoring; the limits' clock started when the monitor was created."""
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait, for ``timeout`` seconds at most; return whether the container has ended."""
        return self._thread.ident is None or self._done.wait(timeout)

    def end(self, within: float = 0.0, why: Verdict = Verdict.INTERRUPTED) -> None:
        """Wait for the container's end; after ``within`` seconds interrupt it."""
        if not self.join(within):
            self.interrupt(why)
            self.join()

    def tail(self, which: int) -> str:
        """The end of one output stream, for people to read; its bytes may be anything."""
        return self._tails.get(which, b"").decode(errors="replace")

    def printed(self, which: int) -> int:
        """How many bytes an output stream has had so far."""
        return self._printed[which]

    def _run(self) -> None:
        try:
            self._monitor()
        finally:
            self._done.set()

    def _monitor(self) -> None:
        """Monitor until the container has ended and its last output is read."""
        try:
            self._loop()
            until = time.monotonic() + 2.0  # for the output that is still in transit
            while not self._stream.ended and time.monotonic() < until:
                self._take(0.2)
            self.complete = True
        except (AisciError, OSError) as error:
            # Nothing enforces the limits any more, so the container must not run on.
            self.error = error
            self._signal("SIGKILL")
        finally:
            for sender in self._senders:
                sender.join(_DEATH)
            os.close(self._process)
            self.sampler.raise_peaks(wall=self.clock.elapsed, log_bytes=self._log_bytes)
            if self._lines:
                self._lines.end()

    def _loop(self) -> None:
        pause, next_sample, ended = _FASTEST, 0.0, False
        while True:
            now = time.monotonic()
            if now >= next_sample:
                if self.sampler.sample() and self._on_sample:
                    self._on_sample(replace(self.sampler.peaks, wall=self.clock.elapsed))
                self._enforce(self.clock.elapsed)
                pause = min(pause * 1.5, _SLOWEST)
                next_sample = now + pause
            output = self._stream.fileno()
            # A closed stream is always readable: waiting for it would make this a busy loop.
            sources = [self._process] if self._stream.ended else [self._process, output]
            ready = select.select(sources, [], [], max(0.0, next_sample - time.monotonic()))[0]
            if self._process in ready and not ended:
                ended = True
                # Once more; on a busy machine the engine may have removed it already.
                self.sampler.missed = not self.sampler.read_cgroup()
            if output in ready:
                self._take(0.0)
            elif self._process in ready:  # only when nothing is left to read just now
                return

    def _take(self, timeout: float) -> None:
        for which, data in self._stream.read(timeout):
            self._log_bytes += len(data)
            self._printed[which] += len(data)
            tail = self._tails.setdefault(which, bytearray())
            tail += data
            del tail[:-_TAIL]
            if self._log_bytes > self._limits.logs:
                # Checked per piece and not per sample: a flood must not fill the host's memory.
                self._kill(Verdict.LOG_FLOOD)
            elif which == STDOUT and self._lines:
                self._lines.add(data)

    def _enforce(self, elapsed: float) -> None:
        """End the container if it exceeds a limit that only the host enforces."""
        limits, peaks = self._limits, self.sampler.peaks
        if self._unsent is not None:
            raise self._unsent
        if self._kill_at is not None and time.monotonic() - self._kill_at > _DEATH:
            raise SandboxFailed(
                f"a killed container still runs after {_DEATH:.0f} s",
                where=self._container[:12],
                todo="examine it with `docker inspect`; its result is not used",
            )
        if self._asked is not None:
            self._kill(self._asked)
        elif limits.gpus and peaks.gpu_memory > limits.gpu_memory:
            self._kill(Verdict.OUT_OF_GPU_MEMORY)
        elif peaks.cpu_time > limits.cpu_time:
            self._stop(Verdict.OUT_OF_CPU_TIME)
        elif elapsed > limits.wall:
            self._stop(Verdict.TIMED_OUT)
        elif not self._within.left:
            if self.sampler.killed is None:
                self.over = self._within
            self._stop(Verdict.INTERRUPTED)

    def _stop(self, verdict: Verdict) -> None:
        """Send TERM first, and KILL when the grace is over."""
        now = time.monotonic()
        if self._term_at is None:
            self._term_at, self.sampler.killed = now, self.sampler.killed or verdict
            self._signal("SIGTERM")
        elif now - self._term_at > self._limits.grace:
            self._kill(verdict)

    def _kill(self, verdict: Verdict) -> None:
        """KILL the whole container; the first reason is kept."""
        if self._kill_at is None:
            self._kill_at, self.sampler.killed = time.monotonic(), self.sampler.killed or verdict
            self._signal("SIGKILL")

    def _signal(self, name: str) -> None:
        """Send a signal through the engine, in another thread.

        An engine may answer only once all output is read, and this thread is its reader.
        """
        sender = threading.Thread(target=self._send, args=(name,), daemon=True)
        self._senders.append(sender)
        sender.start()

    def _send(self, name: str) -> None:
        dead = name == "SIGKILL" and self._kill_directly()
        try:
            with translated("ending a container"):
                try:
                    self._engine.api.kill(self._container, name)
                except APIError as error:
                    if error.status_code not in (404, 409):  # removed, or ended by itself just now
                        raise
        except AisciError as error:
            if not dead:
                self._unsent = error

    def _kill_directly(self) -> bool:
        """Kill the first process; the container ends with it. False where the engine has to do it.

        An engine that hangs must not keep a container alive past its limits.
        """
        try:
            # The pidfd names the process itself: its number may be reused by another one.
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        except OSError as error:  # it has ended; or not root: the engine has to do it
            return isinstance(error, ProcessLookupError)
        return True
