"""A running job under the caller's control, and its result when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime

from orchestrator.core.errors import Interrupted, SandboxFailed
from orchestrator.core.job import Attestation, Job, JobResult, Verdict
from orchestrator.core.stopwatch import utc_now
from orchestrator.record.attestation import suspected, verdict
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.objects import remove_container
from orchestrator.sandbox.engine.stream import STDERR, STDOUT, LineBuffer, Stream
from orchestrator.sandbox.harvest.harvest import Harvested, HarvestRules, harvest
from orchestrator.sandbox.harvest.tarstream import RERUN_JOB
from orchestrator.sandbox.job.monitor import Monitor
from orchestrator.sandbox.network.proxy import Proxy
from orchestrator.sandbox.storage.helper import Helper

_NOTICED = 30  # seconds for the engine to report an end that the kernel has reported


class Session:
    """One started job. Its whole output may be ``limits.logs`` bytes, duplex or not.

    ``attest`` completes what is known of the container before its program starts. ``deadline`` is
    its label's: after it (seconds since the epoch) the sentinel may kill it.
    """

    def __init__(
        self,
        engine: Engine,
        blobs: BlobStore,
        job: Job,
        container: str,
        *,
        monitor: Monitor,
        stream: Stream,
        keeper: Helper,
        lines: LineBuffer,
        proxy: Proxy | None,
        deadline: float,
        attest: Callable[..., Attestation],
    ) -> None:
        self._engine, self._blobs, self._job, self._container = engine, blobs, job, container
        self._monitor, self._stream, self._keeper = monitor, stream, keeper
        self._lines, self._proxy, self._deadline, self._attest = lines, proxy, deadline, attest

    def send(self, line: bytes) -> None:
        """Write one line to the job's stdin. Raises BrokenPipeError once it has ended."""
        if self._monitor.join(0):  # an engine may still accept input after the container has ended
            raise BrokenPipeError("the job has ended")
        self._stream.send(line.rstrip(b"\n") + b"\n")

    def receive(self, timeout: float) -> bytes | None:
        """Its next line of stdout, without the newline; None after ``timeout`` s or at its end."""
        return self._lines.take(timeout)

    def printed(self) -> str:
        """The end of what it has printed so far."""
        return self._monitor.tail(STDOUT)

    def waiting(self) -> AbstractContextManager[None]:
        """Pause the job's wall clock while it waits for its caller. Its CPU time
        and the caller's own deadline do not.
        """
        return self._monitor.clock.stopped()

    def wait(self) -> None:
        """Wait until the container has ended; the monitor enforces that it does."""
        self._monitor.join()

    def finish(self) -> JobResult:
        """Close stdin, wait for the end (killed after the grace), and harvest its files.

        Raises :class:`Interrupted`, or :class:`BudgetSpent` if a budget's time was over; and
        :class:`EngineFailed`, :class:`SandboxFailed`, :class:`HarvestRefused` without a result.
        """
        self._stream.close_stdin()
        self._monitor.end(self._job.limits.grace, Verdict.TIMED_OUT)
        if self._monitor.error is not None:
            raise self._monitor.error
        if not self._monitor.complete:
            raise SandboxFailed(
                "a job was not monitored to its end", where=self._job.scope, todo=RERUN_JOB
            )
        if self._monitor.over is not None:
            raise self._monitor.over.spent(self._job.scope)
        if self._monitor.sampler.killed is Verdict.INTERRUPTED:
            raise job_interrupted(self._job)
        exit_code = self._ended()
        remove_container(self._engine, self._container)
        self._monitor.sampler.sample_disk()
        if self._keeper.ask({"op": "census"})["largest"] >= self._job.limits.file:
            self._monitor.sampler.hit.add("storage: file size")
        rules = HarvestRules.of(self._job.limits, self._job.harvest)
        request = asdict(rules) | {"op": "send", "members": rules.members}
        harvested = harvest(self._keeper.stream(request), rules, self._blobs)
        return self._result(exit_code, harvested)

    def _ended(self) -> int:
        """The exit code; also asks the engine whether memory was the reason."""
        with translated("reading how a job ended"):
            code: int = self._engine.api.wait(self._container, timeout=_NOTICED)["StatusCode"]
            state = self._engine.api.inspect_container(self._container)["State"]
        if state["OOMKilled"]:
            self._monitor.sampler.hit.add("memory")
        ended = datetime.fromisoformat(f"{state['FinishedAt'][:19]}+00:00").timestamp()
        if ended >= self._deadline:  # the sentinel killed it while this process hung
            self._monitor.sampler.killed = self._monitor.sampler.killed or Verdict.TIMED_OUT
        if state.get("Error"):
            raise SandboxFailed(
                "a container did not run its program",
                where=self._job.scope,
                why=str(state["Error"]),
                todo="`aisci doctor` tests this engine; `aisci images build` rebuilds the image",
            )
        return code

    def _result(self, exit_code: int, harvested: Harvested) -> JobResult:
        stdout, stderr = self._monitor.tail(STDOUT), self._monitor.tail(STDERR)
        usage = self._monitor.sampler
        if usage.missed and "pids" in suspected(stderr, usage.hit):
            # Nobody saw the last counters, so the program's own word stands for them: that a
            # verdict depends on how busy the machine is would be worse.
            usage.hit.add("pids")
        hit = tuple(sorted(usage.hit))
        why = verdict(usage.killed, exit_code, hit)
        attestation = self._attest(
            hit=hit,
            peaks=usage.peaks,
            verdict=why,
            exit_code=exit_code,
            killed=usage.killed,
            suspected=suspected(stderr, hit) if why is not Verdict.FINISHED else (),
            egress=self._proxy.close() if self._proxy else (),
            ended=utc_now(),
        )
        files, refused = harvested.files, harvested.refused
        return JobResult(
            stdout=stdout, stderr=stderr, files=files, refused=refused, attestation=attestation
        )


def job_interrupted(job: Job) -> Interrupted:
    """The error of a stopped job, once its container is removed."""
    return Interrupted(
        "a job was interrupted; its container is removed",
        where=job.scope,
        todo="`aisci resume` runs it again from its start",
    )
