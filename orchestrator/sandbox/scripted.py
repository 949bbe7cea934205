"""The sandbox's shipped fake: a function decides how each job ends and what it leaves.

It runs nothing. The result is compared with the job's limits, and the files go through the same
harvest, so a stage tested with it gets the same values as with Docker: verdicts in the same
order, limits hit, files refused.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import Attestation, Job, JobResult, Peaks, Verdict
from orchestrator.core.protocols import Blobs
from orchestrator.record.attestation import suspected, verdict
from orchestrator.sandbox.harvest.harvest import HarvestRules, harvest

_FIRST_GRACELESS = 137  # 128 + SIGKILL, as a shell reports it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a job's program would do: the bytes, counts and seconds that it would use.

    ``odd`` are members that are not regular files, as (path, tar type: ``b"2"`` for a symlink).
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    cpu_time: float = 0.0
    memory: int = 0
    pids: int = 1
    odd: tuple[tuple[str, bytes], ...] = ()


class ScriptedSandbox:
    """Implements :class:`orchestrator.core.protocols.Sandbox`; ``script`` is called once per job.

    ``policy`` is the hash of the policy that the attestations name.
    """

    def __init__(self, blobs: Blobs, script: Callable[[Job], Ending], policy: str = "") -> None:
        self._blobs, self._script, self._policy = blobs, script, policy
        self.jobs: list[Job] = []

    def run(self, job: Job, within: Deadline = FOREVER) -> JobResult:
        """See :class:`orchestrator.core.protocols.Sandbox`."""
        self.jobs.append(job)
        ending = self._script(job)
        if min(ending.seconds, job.limits.wall) > within.left:
            raise within.spent(job.scope)
        killed, hit = _killed(job, ending), _hit(job, ending)
        exit_code = _FIRST_GRACELESS if killed else ending.exit_code
        why = verdict(killed, exit_code, hit)
        rules = HarvestRules.of(job.limits, job.harvest)
        harvested = harvest((_archive(job, ending, rules),), rules, WholeBlobs(self._blobs))
        peaks = Peaks(
            memory=ending.memory,
            pids=ending.pids,
            cpu_time=ending.cpu_time,
            wall=min(ending.seconds, job.limits.wall),
            log_bytes=len(ending.stdout) + len(ending.stderr),
        )
        attestation = Attestation(
            container="", image=job.limits.image, policy=self._policy, engine="scripted: nothing ran",
            kernel="", runtime="", storage="", asked=(), inspected=(), seen=(), hit=hit, peaks=peaks,
            verdict=why, exit_code=exit_code, killed=killed,
            suspected=suspected(ending.stderr, hit) if why is not Verdict.FINISHED else (),
        )  # fmt: skip
        stdout, stderr = (text[-(64 << 10) :] for text in (ending.stdout, ending.stderr))
        files, refused = harvested.files, harvested.refused
        return JobResult(
            stdout=stdout, stderr=stderr, files=files, refused=refused, attestation=attestation
        )


class WholeBlobs:
    """Adds ``put_stream`` to a store that only takes whole bytes."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def put_stream(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        data = b"".join(chunks)
        return self._blobs.put(data), len(data)


def _killed(job: Job, ending: Ending) -> Verdict | None:
    limits = job.limits
    if len(ending.stdout) + len(ending.stderr) > limits.logs:
        return Verdict.LOG_FLOOD
    if ending.cpu_time > limits.cpu_time:
        return Verdict.OUT_OF_CPU_TIME
    return Verdict.TIMED_OUT if ending.seconds > limits.wall else None


def _hit(job: Job, ending: Ending) -> tuple[str, ...]:
    limits = job.limits
    rows = (
        ("memory", ending.memory > limits.memory),
        ("pids", ending.pids > limits.pids),
        ("storage: bytes", sum(map(len, ending.files.values())) > limits.workspace),
        ("storage: inodes", len(ending.files) + len(ending.odd) > limits.inodes),
        ("storage: file size", any(len(data) > limits.file for data in ending.files.values())),
    )
    return tuple(sorted(name for name, over in rows if over))


def _archive(job: Job, ending: Ending, rules: HarvestRules) -> bytes:
    """The reader's archive: the declared outputs, as far as they fit the workspace."""
    room = job.limits.workspace
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, data in sorted(ending.files.items()):
            kept = data[: min(room, job.limits.file)]
            room -= len(kept)
            if not rules.want(path):
                continue
            member = tarfile.TarInfo(path)
            member.size = len(kept)
            if len(kept) > job.limits.harvest_file:  # a reader sends the name and the size
                member.type, member.size, member.linkname = b"Z", 0, str(len(kept))
            tar.addfile(member, io.BytesIO(kept))
        for path, kind in ending.odd:
            member = tarfile.TarInfo(path)
            member.type = kind
            tar.addfile(member)
    return out.getvalue()
