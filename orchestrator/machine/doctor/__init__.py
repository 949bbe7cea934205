"""What this machine can give: each check says what was found, how it is known, and what to do.

Pure: it judges a :class:`orchestrator.core.host.Host`, which ``machine/survey.py`` measured.
"""

from __future__ import annotations

from orchestrator.core.host import Host
from orchestrator.machine.doctor.capacity import capacity_checks
from orchestrator.machine.doctor.check import Basis, Check, CheckState
from orchestrator.machine.doctor.engine import engine_checks
from orchestrator.machine.doctor.isolation import isolation_checks
from orchestrator.machine.doctor.versions import version_checks

__all__ = ["Basis", "Check", "CheckState", "examine"]


def examine(host: Host) -> tuple[Check, ...]:
    """Every check of ``host``; without an engine, those of the machine alone."""
    checks = [*engine_checks(host)]
    if host.engine is not None:
        checks += [*isolation_checks(host, host.engine), *version_checks(host)]
    return (*checks, *capacity_checks(host))
