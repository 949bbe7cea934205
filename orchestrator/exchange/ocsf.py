"""An event of the Open Cybersecurity Schema Framework (OCSF 1.8.0), as JSON.

An event names places, hashes, limits, amounts and verdicts. It has no text of a prompt, a reply, a program or
its output, no variable of a container and no path of this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator import __version__
from orchestrator.core.sanitize import plain_line
from orchestrator.core.tree import digest
from orchestrator.exchange.ocsf_rules import EventRule

OCSF_VERSION = "1.8.0"
PROCESS, NETWORK, COMPLIANCE, DETECTION, CONFIG, LIFECYCLE, API = (
    *(1007, 4001, 2003, 2004, 5019, 6002, 6003),
)
"""The classes that are used: Process Activity, Network Activity, Compliance Finding, Detection Finding, Device
Config State Change, Application Lifecycle, API Activity.
"""
SUCCESS, FAILURE = 1, 2
_PROFILES = ["container", "host", "security_control"]
_NOT_RECORDED = "not recorded"

OcsfJson = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OcsfSource:
    """Where events come from: the run's id, and as far as recorded the host, the user and the program."""

    run: str
    host: str = ""
    user: str = ""
    commit: str = ""

    @property
    def device(self) -> OcsfJson:
        return {"type_id": 0, "name": plain_line(self.host or _NOT_RECORDED)}

    @property
    def actor(self) -> OcsfJson:
        user = {"user": {"name": plain_line(self.user)}} if self.user else {}
        return {"app_name": "aisci", "app_uid": "aisci", **user}


@dataclass(frozen=True, slots=True, kw_only=True)
class OcsfMoment:
    """The line of a journal that an event comes from. ``part`` tells several events of one line apart."""

    at: str
    number: int
    scope: str = ""
    part: str = ""
    offset: float = 0.0  # seconds after ``at``

    @property
    def milliseconds(self) -> int:
        return round((datetime.fromisoformat(self.at).timestamp() + self.offset) * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class OcsfEvent:
    """An event before it becomes JSON: class, activity, rule, and the fields of the class."""

    kind: int
    activity: int
    rule: EventRule
    message: str
    status: int = SUCCESS
    detail: str = ""
    fields: OcsfJson = field(default_factory=dict)
    own: OcsfJson = field(default_factory=dict)

    def as_json(self, source: OcsfSource, when: OcsfMoment) -> OcsfJson:
        """The event of ``source`` at ``when``; the same line gives the same ``metadata.uid`` each time."""
        place = (source.run, when.at, when.number, when.scope, self.rule.id, when.part)
        finding = self.kind in {COMPLIANCE, DETECTION}
        common: OcsfJson = {
            "metadata": {
                "version": OCSF_VERSION,
                "uid": digest("\0".join(map(str, place)))[:32],
                "correlation_uid": source.run,
                "event_code": self.rule.id,
                "log_name": "aisci",
                "sequence": when.number,
                "profiles": _PROFILES,
                "product": {
                    "name": "aisci",
                    "uid": "aisci",
                    "vendor_name": "aisci",
                    "version": __version__,
                },
            },
            "time": when.milliseconds,
            "category_uid": self.kind // 1000,
            "class_uid": self.kind,
            "activity_id": self.activity,
            "type_uid": self.kind * 100 + self.activity,
            "severity_id": self.rule.severity,
            "status_id": SUCCESS if finding else self.status,
            "message": plain_line(self.message),
            "unmapped": {"rule": self.rule.id, "run": source.run, "scope": when.scope, **self.own},
        }
        if self.detail:
            common["status_detail"] = plain_line(self.detail)
        if finding:
            common["finding_info"] = {
                "uid": common["metadata"]["uid"],
                "title": self.rule.title,
                "analytic": {"uid": self.rule.id, "name": self.rule.title, "type_id": 1},
            }
        return {**common, "device": source.device, "actor": source.actor, **self.fields}
