"""The stable rule ids of security events: what each says, and how severe it is."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.job import Verdict

INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL = 1, 2, 3, 4, 5
"""OCSF's severities that are used."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """A rule by its id, which stays the same in later versions."""

    id: str
    title: str
    severity: int = INFORMATIONAL


_LIMITS = {
    Verdict.TIMED_OUT: ("time", "a container used all of its time and was ended"),
    Verdict.OUT_OF_CPU_TIME: ("cpu-time", "a container used all of its CPU time and was ended"),
    Verdict.OUT_OF_MEMORY: ("memory", "a container reached its limit of memory"),
    Verdict.OUT_OF_STORAGE: ("storage", "a container reached its limit of disk"),
    Verdict.OUT_OF_PIDS: ("pids", "a container reached its limit of processes"),
    Verdict.OUT_OF_GPU_MEMORY: ("gpu-memory", "a container used more GPU memory than it may"),
    Verdict.LOG_FLOOD: ("logs", "a container printed more than it may and was ended"),
}
LIMIT_RULES = {
    verdict: EventRule(f"aisci.limit.{name}", title, LOW)
    for verdict, (name, title) in _LIMITS.items()
}
"""The rule of each verdict that says that a limit was reached."""

RUN_STARTED = EventRule("aisci.run.started", "a run was started")
RUN_ENDED = EventRule("aisci.run.ended", "a run came to its end")
RUN_FAILED = EventRule("aisci.run.failed", "a run failed before its first idea", LOW)
POLICY_LOADED = EventRule("aisci.policy.loaded", "a run is held to a policy")
CONTAINER_STARTED = EventRule("aisci.container.started", "a container was asked for")
CONTAINER_ENDED = EventRule("aisci.container.ended", "a container ended")
CONTAINER_LOST = EventRule("aisci.container.lost", "a container gave no result", LOW)
MODEL_CALLED = EventRule("aisci.model.called", "a prompt went to a model's server")
LITERATURE_CALLED = EventRule(
    "aisci.literature.called", "a query went to sources of papers, or to a list on this machine"
)
EGRESS = EventRule("aisci.egress.decided", "the allow-list decided on a connection")
EGRESS_REFUSED = EventRule(
    "aisci.egress.refused", "a container asked for a connection that it may not have", MEDIUM
)
SETTINGS_HELD = EventRule(
    "aisci.container.settings", "the engine gave a container exactly the settings that were asked"
)
KERNEL_READ = EventRule(
    "aisci.container.kernel", "what the kernel reports of a container's process was read"
)
NOT_AS_ASKED = EventRule(
    "aisci.container.not-as-asked", "a container did not follow its policy", CRITICAL
)
HARVEST_REFUSED = EventRule(
    "aisci.harvest.refused", "files of a container break the rules of the harvest", MEDIUM
)
FORBIDDEN_EDIT = EventRule(
    "aisci.edit.forbidden-file", "an edit changed files that it may not change; restored", MEDIUM
)
AUDIT_CHECK = EventRule("aisci.audit", "one check of an audit of the whole record")
"""The beginning of the ids of an audit's checks: ``aisci.audit.chain`` and so on."""

EVENT_RULES = (
    *(RUN_STARTED, RUN_ENDED, RUN_FAILED, POLICY_LOADED, CONTAINER_STARTED, CONTAINER_ENDED),
    *(CONTAINER_LOST, MODEL_CALLED, LITERATURE_CALLED, EGRESS, EGRESS_REFUSED, SETTINGS_HELD),
    *(KERNEL_READ, NOT_AS_ASKED, HARVEST_REFUSED, FORBIDDEN_EDIT, AUDIT_CHECK),
    *LIMIT_RULES.values(),
)
"""Every rule; ``docs/events.md`` lists them."""
