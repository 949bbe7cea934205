"""Which of the machine's GPUs a run may use: ``--gpus``, in the words of ``docker run --gpus``."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.errors import UserError
from orchestrator.sandbox.gpus.nvml import GpuDevice

Choice = Callable[[tuple[GpuDevice, ...]], tuple[GpuDevice, ...]]

_DEVICE = "device="


def all_gpus(present: tuple[GpuDevice, ...]) -> tuple[GpuDevice, ...]:
    """Every one."""
    return present


def gpu_choice(text: str) -> Choice:
    """``all``, a count, ``device=0,2`` by the driver's numbers, or ``device=GPU-…`` by UUID.

    Raises :class:`UserError` for another text, and the choice itself for a GPU that is not there.
    """
    asked = text.strip()
    if asked in {"", "all"}:
        return all_gpus
    if asked.isdecimal() and int(asked):
        return lambda present: _first(int(asked), present)
    names = [name.strip() for name in asked.removeprefix(_DEVICE).split(",")]
    if not asked.startswith(_DEVICE) or not all(names):
        raise UserError(
            "this says no GPUs",
            where=f"--gpus {text[:80]!a}",
            todo="write all, a number of GPUs, or device=0,2 with their numbers or UUIDs",
        )
    return lambda present: tuple(dict.fromkeys(_named(name, present) for name in names))


def _first(count: int, present: tuple[GpuDevice, ...]) -> tuple[GpuDevice, ...]:
    if count > len(present):
        raise _absent(str(count), present)
    return present[:count]


def _named(name: str, present: tuple[GpuDevice, ...]) -> GpuDevice:
    for number, device in enumerate(present):
        if name in {str(number), device.uuid}:
            return device
    raise _absent(name, present)


def _absent(name: str, present: tuple[GpuDevice, ...]) -> UserError:
    have = "; ".join(f"{number}: {gpu.name} {gpu.uuid}" for number, gpu in enumerate(present))
    return UserError(
        "this machine has no such GPU",
        where=f"--gpus {name[:80]!a}",
        why=f"it has {have or 'none'}",
        todo="`nvidia-smi -L` lists them",
    )
