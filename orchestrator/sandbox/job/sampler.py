"""Samples what one running container uses: the kernel's counters, its disk, its GPUs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import Protocol

from orchestrator.core.job import Limits, Peaks, Verdict
from orchestrator.sandbox.job.cgroup import Cgroup
from orchestrator.sandbox.storage.helper import Helper


class GpuMeter(Protocol):
    """What one container uses of the GPUs that it was lent."""

    def sample(self, container: str) -> tuple[int, bool]:
        """Bytes in use on its fullest GPU, and whether any of its processes is on one."""


@dataclass(slots=True)
class Usage:
    """What was gathered of one container: why it was killed, its peaks, the limits it hit."""

    killed: Verdict | None = None
    peaks: Peaks = field(default_factory=Peaks)
    hit: set[str] = field(default_factory=set)


def full_threshold(workspace: int) -> int:
    """How many free bytes count as none: a kernel refuses a large write as a whole.

    Seen with up to 2 MiB still free on ext4, and 4 MiB on XFS, which reserves a write's room in
    steps of that size.
    """
    return min(4 << 20, workspace // 8)


class Sampler:
    """Gathers peaks and limits that were hit into ``seen``; not thread-safe."""

    def __init__(
        self, container: str, pid: int, limits: Limits, keeper: Helper, gpus: GpuMeter | None
    ) -> None:
        self.seen = Usage()
        self._container, self._pid, self._limits = container, pid, limits
        self._keeper, self._gpus = keeper, gpus
        self._meter = Cgroup.of(pid, container)
        self._gpu_looked: float | None = None

    def sample(self) -> bool:
        """One sample of everything; False once the container has no counters any more."""
        if not self.read_cgroup():
            return False
        self.look_at_disk()
        self._look_at_tmp()
        self._look_at_gpus()
        return True

    def read_cgroup(self) -> bool:
        """The kernel's counters of the container; whether it still has any."""
        sample = self._meter.sample()
        if sample is None:
            return False
        if sample.oom:
            self.seen.hit.add("memory")
        if sample.pids_denied:
            self.seen.hit.add("pids")
        self.raise_peaks(memory=sample.memory, pids=sample.pids, cpu_time=sample.cpu)
        return True

    def look_at_disk(self) -> None:
        """How full the volume is; the keeper still holds it when the container is gone."""
        room = self._keeper.ask({"op": "stat"})
        self.raise_peaks(disk=room["bytes"], inodes=room["inodes"])
        if room["free"] < full_threshold(self._limits.workspace):
            self.seen.hit.add("storage: bytes")
        if room["free_inodes"] == 0:
            self.seen.hit.add("storage: inodes")

    def _look_at_tmp(self) -> None:
        try:
            tmp = os.statvfs(f"/proc/{self._pid}/root/tmp")
        except OSError:
            return  # not root, or just ended: then only the job's own output tells
        if tmp.f_bavail == 0 or tmp.f_favail == 0:
            self.seen.hit.add("storage: tmp")

    def _look_at_gpus(self) -> None:
        if self._gpus is None:
            return
        used, busy = self._gpus.sample(self._container)
        now = time.monotonic()
        since, self._gpu_looked = (now - (self._gpu_looked or now)), now
        spent = self.seen.peaks.gpu_time + (since if busy else 0.0)
        self.raise_peaks(gpu_memory=used, gpu_time=spent)

    def raise_peaks(self, **seen: float) -> None:
        """Raise each peak to what was just seen."""
        peaks = self.seen.peaks
        more = {name: max(getattr(peaks, name), value) for name, value in seen.items()}
        self.seen.peaks = replace(peaks, **more)
