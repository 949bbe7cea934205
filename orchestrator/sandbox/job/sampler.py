"""Samples what a running container uses: the kernel's counters, its disk, its GPUs."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace

from orchestrator.core.job import Limits, Peaks, Verdict
from orchestrator.sandbox.gpus.leases import NvmlMeter
from orchestrator.sandbox.job.cgroup import Cgroup
from orchestrator.sandbox.storage.helper import Helper


class Sampler:
    """What one container used: its peaks, the limits that it hit, why it was ``killed``."""

    def __init__(
        self, container: str, pid: int, limits: Limits, keeper: Helper, gpus: NvmlMeter | None
    ) -> None:
        self.killed: Verdict | None = None
        self.peaks, self.hit = Peaks(), set[str]()
        self.missed = (
            False  # the last counters: the engine removed the cgroup before they were read
        )
        self._container, self._pid, self._limits = container, pid, limits
        self._keeper, self._gpus = keeper, gpus
        self._cgroup = Cgroup.of(pid, container)
        self._gpu_sampled: float | None = None

    def sample(self) -> bool:
        """Sample everything; False once the container has no counters any more."""
        if not self.read_cgroup():
            return False
        self.sample_disk()
        with suppress(OSError):  # not root, or just ended: only the job's own output shows it
            tmp = os.statvfs(f"/proc/{self._pid}/root/tmp")
            if tmp.f_bavail == 0 or tmp.f_favail == 0:
                self.hit.add("storage: tmp")
        self._sample_gpus()
        return True

    def read_cgroup(self) -> bool:
        """Read the kernel's counters of the container; False once they no longer exist."""
        sample = self._cgroup.sample()
        if sample is None:
            return False
        if sample.oom:
            self.hit.add("memory")
        if sample.pids_denied:
            self.hit.add("pids")
        self.raise_peaks(memory=sample.memory, pids=sample.pids, cpu_time=sample.cpu)
        return True

    def sample_disk(self) -> None:
        """Measure the volume, which the keeper still mounts when the container is removed."""
        volume = self._keeper.ask({"op": "stat"})
        self.raise_peaks(disk=volume["bytes"], inodes=volume["inodes"])
        # A kernel refuses a large write as a whole: up to 2 MiB stayed free on ext4, and up to 4 MiB
        # on XFS, which reserves the space for a write in steps of that size.
        if volume["free"] < min(4 << 20, self._limits.workspace // 8):
            self.hit.add("storage: bytes")
        if volume["free_inodes"] == 0:
            self.hit.add("storage: inodes")

    def _sample_gpus(self) -> None:
        if self._gpus is None:
            return
        used, busy = self._gpus.sample(self._container)
        # GPU time is the time between two samples in which the container was on a GPU: the driver
        # reports no seconds per process.
        now = time.monotonic()
        since, self._gpu_sampled = (now - (self._gpu_sampled or now)), now
        spent = self.peaks.gpu_time + (since if busy else 0.0)
        self.raise_peaks(gpu_memory=used, gpu_time=spent)

    def raise_peaks(self, **values: float) -> None:
        """Raise each named peak to ``values`` where they are higher."""
        higher = {name: max(getattr(self.peaks, name), value) for name, value in values.items()}
        self.peaks = replace(self.peaks, **higher)
