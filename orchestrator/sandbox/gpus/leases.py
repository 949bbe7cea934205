"""The GPUs of this machine: lent whole, by UUID, and monitored.

Except for MIG there is no kernel limit on a container's GPU memory: it is sampled through NVML,
and a container over its limit is killed. That is soft, and the evidence calls it "watched".
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ControlUnavailable, HostBusy
from orchestrator.core.job import Limits
from orchestrator.core.outlook import WorkLeft
from orchestrator.sandbox.gpus.choice import Choice, all_gpus
from orchestrator.sandbox.gpus.nvml import GpuDevice, Nvml, NvmlDriver
from orchestrator.sandbox.machine_locks import MachineLocks
from orchestrator.sandbox.scheduler.line import Line
from orchestrator.sandbox.scheduler.turns import Turns

_Lent = tuple[GpuDevice, int]  # a GPU and the handle of its lock


@dataclass(frozen=True, slots=True)
class GpuLease:
    """The GPUs lent to one job, and the meter of their use; empty for a job without GPUs."""

    uuids: tuple[str, ...] = ()
    meter: NvmlMeter | None = None


@dataclass(frozen=True, slots=True)
class NvmlMeter:
    """Measures what one container uses of its GPUs: NVML's processes, matched by cgroup."""

    nvml: Nvml
    uuids: tuple[str, ...]
    container_of: Callable[[int], str]

    def sample(self, container: str) -> tuple[int, bool]:
        """Bytes in use on its fullest GPU, and whether any of its processes uses one."""
        per_gpu = [
            [used for pid, used in self.nvml.processes(uuid) if container in self.container_of(pid)]
            for uuid in self.uuids
        ]
        return max((sum(used) for used in per_gpu), default=0), any(per_gpu)


def cgroup_of(pid: int) -> str:
    """A process's cgroup paths, which contain its container's id; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return ""


class GpuPool:
    """Lends whole GPUs; a job's lease lasts from start to harvest. Who waits is served in the order of
    ``work_left``, see :mod:`orchestrator.sandbox.scheduler.order`; a job goes before another one only on
    GPUs that are too small for that one.

    A lease is the machine's: all runs of the user share ``locks``, one per UUID, and take turns. Programs of others
    are seen by the driver: a GPU on which they leave less memory than the job may use is not lent. Only
    those of ``choice`` are lent.
    """

    def __init__(
        self,
        nvml: Nvml | None = None,
        container_of: Callable[[int], str] = cgroup_of,
        locks: MachineLocks | None = None,
        work_left: Callable[[], WorkLeft] = WorkLeft,
        choice: Choice = all_gpus,
    ) -> None:
        self._choice = choice
        self._nvml, self._container_of = nvml or NvmlDriver(), container_of
        self._locks = locks or MachineLocks()
        self._all: tuple[GpuDevice, ...] | None = None
        self._free: list[GpuDevice] = []
        self._line, self._runs = Line[Limits](work_left), Turns(self._locks)
        self._turn = threading.Condition()

    @contextmanager
    def lease(
        self, limits: Limits, within: Deadline = FOREVER, where: str = ""
    ) -> Iterator[GpuLease]:
        """Wait for ``limits.gpus`` GPUs and hold them; ``where`` is the job's scope.

        Raises :class:`ControlUnavailable` if here are too few or too small ones, :class:`BudgetSpent`.
        """
        if not limits.gpus:
            yield GpuLease()
            return
        lent = self._take(limits, within, where)
        try:
            uuids = tuple(device.uuid for device, _ in lent)
            self._require_room(lent, limits)
            yield GpuLease(uuids, NvmlMeter(self._nvml, uuids, self._container_of))
        finally:
            with self._turn:
                self._give_back(lent)
                self._turn.notify_all()

    def _require_room(self, lent: list[_Lent], limits: Limits) -> None:
        for device, _ in lent:
            used = sum(memory for _, memory in self._nvml.processes(device.uuid))
            if device.memory - used < limits.gpu_memory:
                raise HostBusy(
                    f"other programs use {used} bytes of a GPU, and the job may use "
                    f"{limits.gpu_memory} of its {device.memory}",
                    where=device.uuid,
                    why="`nvidia-smi` names them; they are not aisci's, or of another user",
                    todo="end them and `aisci resume`, or use a policy with less gpus.memory",
                )

    def _take(self, limits: Limits, within: Deadline, where: str) -> list[_Lent]:
        lent = list[_Lent]()

        def served(ahead: list[Limits]) -> bool:
            nonlocal lent
            if self._runs.mine():
                lent = self._locked(limits, [one.gpu_memory for one in ahead])
            return bool(lent)

        with self._turn:
            if self._all is None:
                self._all = self._choice(self._nvml.devices())
                self._free = list(self._all)
            fitting = [device for device in self._all if device.memory >= limits.gpu_memory]
            if len(fitting) < limits.gpus:
                have = ", ".join(f"{device.memory} bytes" for device in self._all) or "none"
                raise ControlUnavailable(
                    f"the policy asks for {limits.gpus} GPU(s) of {limits.gpu_memory} bytes",
                    where="the policy's gpus",
                    why=f"GPUs of this machine that the run may use: {have}",
                    todo="use a policy without GPUs (such as ci-cpu), or a machine that has them",
                )
            self._runs.wait()
            try:
                self._line.wait(self._turn, limits, served, within, where)
            finally:
                if lent or not len(self._line):
                    self._runs.leave()
                if len(self._line):
                    self._runs.wait()
        return lent

    def _locked(self, limits: Limits, ahead: list[int]) -> list[_Lent]:
        """As many free GPUs as the job may hold, each locked for it; none if they are too few. None that a
        job ahead of it could use, which needs that many bytes.
        """
        wanted = min(ahead, default=math.inf)
        lent: list[_Lent] = []
        for device in tuple(self._free):
            if limits.gpu_memory <= device.memory < wanted and len(lent) < limits.gpus:
                lock = self._locks.take(f"gpu-{device.uuid}")
                if lock is not None:
                    self._free.remove(device)
                    lent.append((device, lock))
        if len(lent) < limits.gpus:
            self._give_back(lent)
            return []
        return lent

    def _give_back(self, lent: list[_Lent]) -> None:
        for device, lock in lent:
            self._free.append(device)
            self._locks.release(lock)
