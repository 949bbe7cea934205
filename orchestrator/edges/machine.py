"""What this machine has, so that a policy above it can be refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from orchestrator.policy_check import Machine


def measure(folder: Path, *, gpus: int | None = None) -> Machine:
    """CPUs that this process may use, memory, and the free disk below ``folder``."""
    page, pages = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        memory=page * pages,
        disk=shutil.disk_usage(folder).free,
        gpus=gpus,
    )
