"""Every control of a policy: its meaning, how a machine provides it, what it does not stop.

``aisci policy explain`` shows these with a policy's own numbers and this machine's own facts;
``docs/security.md`` has them in a table. Each setting of a policy belongs to exactly one.
"""

from __future__ import annotations

from orchestrator.core.host import Host, Machine
from orchestrator.policy.controls.amounts import LIMITS
from orchestrator.policy.controls.control import CIS, PSS, Control, How, departing
from orchestrator.policy.controls.isolation import BOX
from orchestrator.policy.controls.leaving import Leaving, leaving
from orchestrator.policy.controls.models import MODELS
from orchestrator.policy.controls.work import WORK
from orchestrator.policy.lint import of_machine
from orchestrator.policy.policy import Policy

__all__ = [
    "CIS",
    "CONTROLS",
    "PSS",
    "Control",
    "How",
    "Leaving",
    "departing",
    "here",
    "leaving",
    "of_setting",
]

CONTROLS: tuple[Control, ...] = (*BOX, *LIMITS, *MODELS, *WORK)


def of_setting(key: str) -> Control:
    """The control that a setting such as ``experiment.time.wall`` belongs to."""
    (found,) = (control for control in CONTROLS if key in control.settings)
    return found


def here(host: Host, policy: Policy) -> tuple[tuple[Control, How], ...]:
    """Every control with how this machine provides it; a limit above the machine is missing."""
    machine = Machine(cpus=host.cpus, memory=host.memory, disk=host.disk, gpus=len(host.gpus))
    above: dict[str, list[str]] = {}
    for key, what, *_ in of_machine(policy.whole, machine):
        above.setdefault(of_setting(key).id, []).append(f"{key}: {what}")
    missing = {one: How("missing", "; ".join(texts)) for one, texts in above.items()}
    return tuple((one, missing.get(one.id) or one.how(host, policy)) for one in CONTROLS)
