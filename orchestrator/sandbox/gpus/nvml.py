"""The GPUs of this machine, as NVIDIA's driver reports them (the only importer of ``pynvml``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.core.errors import ControlUnavailable, SandboxFailed


@dataclass(frozen=True, slots=True)
class GpuDevice:
    """One GPU: its UUID, its memory in bytes, and its model name."""

    uuid: str
    memory: int
    name: str = ""


class Nvml(Protocol):
    """The queries to the driver."""

    def devices(self) -> tuple[GpuDevice, ...]:
        """All GPUs; none where there is no driver."""

    def processes(self, uuid: str) -> tuple[tuple[int, int], ...]:
        """Each process on one GPU as (host pid, bytes in use)."""


class NvmlDriver:
    """NVML through ``pynvml``."""

    def __init__(self) -> None:
        self._nvml: Any = None

    def devices(self) -> tuple[GpuDevice, ...]:
        """All whole GPUs; none where no driver is loaded. A GPU in MIG mode cannot be lent whole."""
        import pynvml  # noqa: PLC0415  # only machines with GPU jobs need it

        nvml: Any = pynvml
        try:
            nvml.nvmlInit()
        except nvml.NVMLError:
            return ()
        self._nvml = nvml
        with self._answering("listing the GPUs"):
            handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
            return tuple(
                GpuDevice(
                    _text(nvml.nvmlDeviceGetUUID(h)),
                    int(nvml.nvmlDeviceGetMemoryInfo(h).total),
                    _text(nvml.nvmlDeviceGetName(h)),
                )
                for h in handles
                if not self._in_mig_mode(h)
            )

    def processes(self, uuid: str) -> tuple[tuple[int, int], ...]:
        """Each process on one GPU as (host pid, bytes in use), whether it computes or draws.

        Raises :class:`SandboxFailed`, and :class:`ControlUnavailable` where the driver does not report
        the memory of a process, as on some virtual GPUs and under WSL: no limit could be enforced.
        """
        with self._answering("reading a GPU"):
            handle = self._nvml.nvmlDeviceGetHandleByUUID(uuid)
            running = [*self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)]
            # A compute card, for one, has no graphics processes.
            running += self._ask(self._nvml.nvmlDeviceGetGraphicsRunningProcesses, handle, [])
            running += self._ask(self._nvml.nvmlDeviceGetMPSComputeRunningProcesses, handle, [])
        if any(item.usedGpuMemory is None for item in running):
            raise ControlUnavailable(
                "the driver does not report the GPU memory of a process",
                where=f"the policy's gpus.memory; {uuid}",
                todo="use a policy without GPUs, or a machine whose driver reports it",
            )
        most: dict[int, int] = {}
        for item in running:  # one that computes and draws is in both lists, with the same sum
            most[int(item.pid)] = max(int(item.usedGpuMemory), most.get(int(item.pid), 0))
        return tuple(sorted(most.items()))

    def _ask(self, query: Callable[[Any], Any], handle: Any, otherwise: Any) -> Any:
        """The driver's answer; ``otherwise`` for a device that does not support the query."""
        try:
            return query(handle)
        except self._nvml.NVMLError as error:
            if error.value != self._nvml.NVML_ERROR_NOT_SUPPORTED:
                raise
            return otherwise

    def _in_mig_mode(self, handle: Any) -> bool:
        """Whether a GPU is in MIG mode; most models do not support it."""
        return bool(self._ask(self._nvml.nvmlDeviceGetMigMode, handle, (0, 0))[0])

    @contextmanager
    def _answering(self, doing: str) -> Iterator[None]:
        try:
            yield
        except self._nvml.NVMLError as error:
            raise SandboxFailed(
                f"the GPU driver failed while {doing}",
                where="NVML",
                why=str(error),
                todo="check that `nvidia-smi` answers; `aisci doctor` shows what this machine has",
            ) from error


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
