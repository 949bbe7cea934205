"""Measures this machine, so that a policy that needs more can be refused."""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path

from orchestrator.core.host import Machine


def measure_machine(
    folder: Path, *, gpus: int | None = None, gpu_memory: int | None = None
) -> Machine:
    """Usable CPUs, bytes of memory and of free disk at ``folder``, the kernel's maximum counts."""
    page, pages = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        memory=page * pages,
        disk=shutil.disk_usage(folder).free,
        gpus=gpus,
        gpu_memory=gpu_memory,
        pids=min(_count("kernel/pid_max"), _count("kernel/threads-max")),
        open_files=_count("fs/nr_open"),
    )


def machine_text(gpus: tuple[str, ...] = ()) -> str:
    """This machine as text: processor, usable CPUs, memory, GPUs."""
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    processor = found[1] if found else platform.machine()
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = (processor, f"{len(os.sched_getaffinity(0))} CPUs", f"{gib:.0f} GiB", *gpus)
    return ", ".join(" ".join(part.split()) for part in parts)


def _count(name: str) -> int:
    return int(Path("/proc/sys", name).read_text("ascii"))
