"""A container's end as security events: its process, its connections, whether its settings held, what it broke."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from orchestrator.core.job import Attestation, Egress, Verdict
from orchestrator.core.sanitize import plain_line
from orchestrator.exchange import ocsf_rules as rules
from orchestrator.exchange.ocsf import (
    COMPLIANCE,
    DETECTION,
    FAILURE,
    NETWORK,
    PROCESS,
    SUCCESS,
    OcsfEvent,
    OcsfJson,
    OcsfMoment,
)
from orchestrator.record.attestation import mismatches

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)
_LINUX = 200  # OCSF's number of the system
_STANDARDS = ["CIS Docker Benchmark 1.6.0", "Kubernetes Pod Security Standards: restricted"]
_PASS, _WARNING, _FAIL = 1, 2, 3

Placed = Iterator[tuple[OcsfEvent, OcsfMoment]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedContainer:
    """A container's call by its name, and how it ended."""

    call: str
    kind: str
    image: str
    box: Attestation
    refused: tuple[tuple[str, str], ...]


def process_of(call: str, kind: str, container: OcsfJson | None = None) -> OcsfJson:
    """OCSF's process of a container's call; its container is known when it has ended."""
    found: OcsfJson = {"name": kind, "uid": call}
    return {**found, "container": container} if container else found


def container_events(ended: EndedContainer, when: OcsfMoment) -> Placed:
    """Every event of a container that ended at ``when``."""
    box = ended.box
    made: OcsfJson = {
        "uid": box.container or ended.call,
        "image": {"uid": box.image, "name": ended.image},
        "runtime": box.runtime,
    }
    process = process_of(ended.call, ended.kind, made)
    yield _end(ended, process), when
    yield _settings(box), when
    yield _kernel(box), when
    for number, egress in enumerate(box.egress):
        moment = replace(when, part=str(number), offset=egress.at - box.peaks.wall)
        yield _connection(egress, ended.call), moment
    for event in _detections(ended, process):
        yield event, when


def _end(ended: EndedContainer, process: OcsfJson) -> OcsfEvent:
    """How the container ended, and what it used."""
    box = ended.box
    fields: OcsfJson = {"process": process}
    if box.exit_code is not None:
        fields["exit_code"] = box.exit_code
    facts = {
        "verdict": str(box.verdict),
        "limits_hit": list(box.hit),
        "policy": box.policy,
        "engine": box.engine,
        "kernel": box.kernel,
        "peak_memory": box.peaks.memory,
        "cpu_seconds": box.peaks.cpu_time,
        "wall_seconds": box.peaks.wall,
    }
    text = f"{ended.kind} container ended: {box.verdict}"
    good = SUCCESS if box.verdict is Verdict.FINISHED else FAILURE
    return OcsfEvent(
        kind=PROCESS,
        activity=2,
        rule=rules.CONTAINER_ENDED,
        message=text,
        status=good,
        detail=str(box.verdict),
        fields=fields,
        own=facts,
    )


def _settings(box: Attestation) -> OcsfEvent:
    wrong = mismatches(box.asked, box.inspected)
    names = ", ".join(one.partition(":")[0] for one in wrong)
    rule = replace(rules.SETTINGS_HELD, severity=rules.CRITICAL) if wrong else rules.SETTINGS_HELD
    return _compliance(rule, _FAIL if wrong else _PASS, f"settings that differ: {names or 'none'}")


def _kernel(box: Attestation) -> OcsfEvent:
    names = ", ".join(box.unread)
    status = _WARNING if names or not box.seen else _PASS
    said = f"facts that were not read: {names or ('none' if box.seen else 'all')}"
    return _compliance(rules.KERNEL_READ, status, said)


def _compliance(rule: rules.EventRule, status: int, said: str) -> OcsfEvent:
    return OcsfEvent(
        kind=COMPLIANCE,
        activity=1,
        rule=rule,
        message=f"{rule.title}: {said}",
        fields={
            "compliance": {
                "control": rule.id,
                "standards": _STANDARDS,
                "status_id": status,
                "status_details": [plain_line(said)],
            }
        },
    )


def _connection(egress: Egress, call: str) -> OcsfEvent:
    rule = rules.EGRESS if egress.allowed else rules.EGRESS_REFUSED
    word = "allowed" if egress.allowed else "refused"
    decision = 1 if egress.allowed else 2  # OCSF's numbers: allowed, denied or blocked
    return OcsfEvent(
        kind=NETWORK,
        activity=1 if egress.allowed else 5,
        rule=rule,
        message=f"connection to {plain_line(egress.host) or 'several hosts'} {word}",
        status=SUCCESS if egress.allowed else FAILURE,
        detail=egress.why,
        fields={
            "action_id": decision,
            "disposition_id": decision,
            "dst_endpoint": _endpoint(egress),
            "traffic": {
                "bytes_out": egress.sent,
                "bytes_in": egress.received,
                "bytes": egress.sent + egress.received,
            },
            "firewall_rule": {"uid": rule.id, "name": "allow-list of the policy"},
        },
        own={"process": call, "connections": egress.count},
    )


def _endpoint(egress: Egress) -> OcsfJson:
    """The host and port as asked for: a container's text, taken apart only where it has the form of a name."""
    name, _, port = egress.host.rpartition(":")
    named = bool(name) and port.isdecimal() and len(port) <= 5 and int(port) < 65536
    host = name if named else egress.host
    out: OcsfJson = {"name": plain_line(egress.host) or "several"}
    if _HOST.fullmatch(host):
        out["hostname"] = host
    if named:
        out["port"] = int(port)
    with suppress(ValueError):  # refused before a name was looked up
        out["ip"] = str(ipaddress.ip_address(egress.address))
    return out


def _detections(ended: EndedContainer, process: OcsfJson) -> Iterator[OcsfEvent]:
    evidences = [{"process": process}]
    rule = rules.LIMIT_RULES.get(ended.box.verdict)
    if rule is not None:
        hit = ", ".join(ended.box.hit) or str(ended.box.verdict)
        yield detection(rule, f"{rule.title} ({hit})", evidences)
    if ended.refused:
        rule, count = rules.HARVEST_REFUSED, len(ended.refused)
        yield detection(rule, f"{rule.title}: {count}", evidences, {"files": count})
    refused = sum(one.count for one in ended.box.egress if not one.allowed)
    if refused:
        rule = rules.EGRESS_REFUSED
        yield detection(rule, f"{rule.title}: {refused}", evidences, {"connections": refused})


def detection(
    rule: rules.EventRule,
    message: str,
    evidences: list[OcsfJson] | None = None,
    own: OcsfJson | None = None,
) -> OcsfEvent:
    """A Detection Finding."""
    fields: OcsfJson = {"evidences": evidences} if evidences else {}
    return OcsfEvent(
        kind=DETECTION, activity=1, rule=rule, message=message, fields=fields, own=own or {}
    )
