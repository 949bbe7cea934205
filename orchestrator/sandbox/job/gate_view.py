"""The kernel's view of a container that waits at its gate."""

from __future__ import annotations

from orchestrator.record.attestation import SettingPairs
from orchestrator.sandbox.engine.resolver import resolver_of
from orchestrator.sandbox.job import gvisor
from orchestrator.sandbox.job.cgroup import Cgroup, process_status
from orchestrator.sandbox.job.kernel_limits import kernel_limits_of
from orchestrator.sandbox.job.slot import Slot
from orchestrator.sandbox.job.spec import WORKDIR
from orchestrator.sandbox.job.verify import (
    ReadBack,
    check_kernel_view,
    check_workspace,
    workspace_of,
)


def gate_view(slot: Slot, back: ReadBack) -> SettingPairs:
    """Rights, limits, resolver and workspace of a started container, as the kernel tells them.

    Raises :class:`SandboxFailed` if it has more rights, or other mounts, than requested.
    """
    limits = slot.shape.limits
    seen = process_status(back.pid) + kernel_limits_of(
        back.pid, Cgroup.of(back.pid, slot.container)
    )
    seen += resolver_of(back.resolv_conf)
    if limits.runtime == gvisor.RUNTIME:  # its first process is gVisor, which has no such mount
        slot.status = slot.status or gvisor.read_gate_status(slot.stream)  # it is written once
        seen += slot.status
    else:
        seen += workspace_of(back.pid, WORKDIR)
    check_kernel_view(seen, limits)
    check_workspace(seen, slot.backend)
    return seen
