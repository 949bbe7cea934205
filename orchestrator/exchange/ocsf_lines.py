"""The lines of a run's journals as OCSF events, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from orchestrator.core.decode import decode
from orchestrator.core.edit import Edit
from orchestrator.core.job import JobResult
from orchestrator.core.sanitize import plain_line
from orchestrator.exchange import ocsf_rules as rules
from orchestrator.exchange.ocsf import (
    API,
    CONFIG,
    FAILURE,
    LIFECYCLE,
    PROCESS,
    SUCCESS,
    OcsfEvent,
    OcsfJson,
    OcsfMoment,
    OcsfSource,
)
from orchestrator.exchange.ocsf_containers import (
    EndedContainer,
    Placed,
    container_events,
    detection,
    process_of,
)
from orchestrator.record.events import (
    Answered,
    Asked,
    Body,
    CallFailed,
    Event,
    Forked,
    Noted,
    RunStarted,
    Sealed,
)
from orchestrator.record.notes import FilesRestored, read_note

_CONTAINERS = frozenset({"sandbox", "editor"})
_BROKEN = {"SandboxFailed": rules.NOT_AS_ASKED, "HarvestRefused": rules.HARVEST_REFUSED}
_PORTS = {"model": rules.MODEL_CALLED, "literature": rules.LITERATURE_CALLED}
# A call of the editor whose model calls are recorded below it has a container only with an attestation.


class OcsfLines:
    """Makes events of the lines of one run, whose id is ``run``; ``load`` reads a body of a line."""

    def __init__(self, run: str, load: Callable[[Body], Any]) -> None:
        self._source, self._load = OcsfSource(run=run), load
        self._out: dict[tuple[str, str, int], tuple[str, str]] = {}
        self._servers: dict[str, str] = {}

    @property
    def source(self) -> OcsfSource:
        return self._source

    def take(self, line: Event) -> Iterator[OcsfJson]:
        """The events of the next line. Raises what a line that this program did not write raises."""
        when = OcsfMoment(
            at=line.at, number=line.n, scope=plain_line(getattr(line, "scope", "run"))
        )
        if isinstance(line, RunStarted | Forked):
            self._began(line)
        for event, moment in self._events(line, when):
            yield event.as_json(self._source, moment)

    def _began(self, line: RunStarted | Forked) -> None:
        by = line.by
        if by is not None:
            self._source = replace(self._source, host=by.host, user=by.user, commit=by.commit)
        self._servers = {one.name: one.server for one in line.pins.models}

    def _events(self, line: Event, when: OcsfMoment) -> Placed:
        match line:
            case RunStarted() | Forked():
                yield self._started(line), when
                yield _loaded_policy(line), when
            case Asked() if line.port in _CONTAINERS:
                yield self._asked(line), when
            case Answered() if line.port in _CONTAINERS:
                yield from self._ended(line, when)
            case Answered() | CallFailed() if line.port not in _CONTAINERS:
                yield self._called(line), when
            case CallFailed():
                yield from self._failed(line, when)
            case Noted():
                yield from self._noted(line, when)
            case Sealed() if line.ideas is not None:
                yield _lifecycle(4, rules.RUN_ENDED, {"head": line.head}), when

    def _started(self, line: RunStarted | Forked) -> OcsfEvent:
        pins = line.pins
        own: OcsfJson = {
            "template": plain_line(pins.template.name),
            "template_hash": pins.template.hash,
            "models": [plain_line(one.name) for one in pins.models],
            "images": {plain_line(name): sha256 for name, sha256 in pins.images},
            "program": plain_line(pins.program),
            "commit": self._source.commit,
            "branch": isinstance(line, Forked),
        }
        return _lifecycle(3, rules.RUN_STARTED, own)

    def _asked(self, line: Asked) -> OcsfEvent:
        request = self._load(line.body)
        kind, image = str(request.get("kind", "editor")), str(request["limits"]["image"])
        self._out[line.key] = kind, image
        return OcsfEvent(
            kind=PROCESS,
            activity=1,
            rule=rules.CONTAINER_STARTED,
            message=f"{kind} container asked for, of image {image}",
            fields={"process": process_of(_call(line), kind)},
            own={"image": plain_line(image), "limits": _plain_limits(request["limits"])},
        )

    def _ended(self, line: Answered, when: OcsfMoment) -> Placed:
        value = self._load(line.body)
        kind, image = self._out.pop(line.key, ("editor", ""))
        answer = decode(JobResult, value) if line.port == "sandbox" else decode(Edit, value)
        if answer.attestation is None:  # an edit without a container
            return
        refused = answer.refused if isinstance(answer, JobResult) else ()
        yield from container_events(
            EndedContainer(
                call=_call(line), kind=kind, image=image, box=answer.attestation, refused=refused
            ),
            when,
        )

    def _called(self, line: Answered | CallFailed) -> OcsfEvent:
        """A call of a model or a search: that it was made, to whom, and how it ended; nothing of what was said."""
        rule, good = _PORTS[line.port], isinstance(line, Answered)
        own: OcsfJson = {"seconds": line.seconds}
        service: str = line.port
        if isinstance(line, Answered) and line.port == "model":
            reply = self._load(line.body)
            service = str(reply.get("model", "model"))
            usage = reply.get("usage", {})
            own |= {name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")}
        server = self._servers.get(service, "")
        return OcsfEvent(
            kind=API,
            activity=1,
            rule=rule,
            message=f"{rule.title}: {service}",
            status=SUCCESS if good else FAILURE,
            detail="" if good else line.error.type,  # type: ignore[union-attr]  # `good` says which
            fields={
                "api": {"operation": line.port, "service": {"name": plain_line(service)}},
                "src_endpoint": {"name": self._source.host or "the host of aisci"},
                "dst_endpoint": {"name": plain_line(server or "as the model's name says")},
            },
            own=own,
        )

    def _failed(self, line: CallFailed, when: OcsfMoment) -> Placed:
        kind, image = self._out.pop(line.key, ("editor", ""))
        process = process_of(_call(line), kind)
        yield (
            OcsfEvent(
                kind=PROCESS,
                activity=2,
                rule=rules.CONTAINER_LOST,
                message=f"{kind} container gave no result: {line.error.type}",
                status=FAILURE,
                detail=line.error.type,
                fields={"process": process},
                own={"image": plain_line(image)},
            ),
            when,
        )
        rule = _BROKEN.get(line.error.type)
        if rule is not None:
            yield detection(rule, rule.title, [{"process": process}]), when

    def _noted(self, line: Noted, when: OcsfMoment) -> Placed:
        if line.name == "put_back":
            note = read_note(self._load(line.body))
            if isinstance(note, FilesRestored):
                own = {"files": [plain_line(one) for one in note.files[:20]]}
                rule = rules.FORBIDDEN_EDIT
                yield detection(rule, f"{rule.title}: {len(note.files)}", own=own), when
        elif line.name == "run_failed":
            yield _lifecycle(4, rules.RUN_FAILED, {}, FAILURE), when


def _lifecycle(
    activity: int, rule: rules.EventRule, own: OcsfJson, status: int = SUCCESS
) -> OcsfEvent:
    fields: OcsfJson = {"app": {"name": "aisci", "uid": "aisci"}}
    return OcsfEvent(
        kind=LIFECYCLE,
        activity=activity,
        rule=rule,
        message=rule.title,
        status=status,
        fields=fields,
        own=own,
    )


def _loaded_policy(line: RunStarted | Forked) -> OcsfEvent:
    policy = line.pins.policy
    name, rule = plain_line(policy.name), rules.POLICY_LOADED
    return OcsfEvent(
        kind=CONFIG,
        activity=1,
        rule=rule,
        message=f"{rule.title}: {name}, {policy.hash}",
        fields={"policy": {"name": name, "uid": policy.hash, "is_applied": True}},
    )


def _plain_limits(limits: OcsfJson) -> OcsfJson:
    """The limits without a container's variables: a policy may have set anything there."""
    return {name: value for name, value in limits.items() if name not in {"env", "image"}}


def _call(line: Asked | Answered | CallFailed) -> str:
    return f"{line.port}/{plain_line(line.scope)}/{line.ord + 1}"
