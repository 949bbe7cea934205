"""The pins of a run: its policies and templates, and those in force for each container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError

from orchestrator import __version__
from orchestrator.audit.calls import AuditedContainer
from orchestrator.audit.contents import RecordedContents, recorded_contents
from orchestrator.audit.false_name import name_findings
from orchestrator.audit.finding import AuditFinding
from orchestrator.audit.record import JournalLine, RunRecord
from orchestrator.core.errors import AisciError
from orchestrator.core.tree import digest
from orchestrator.policy.compare import shown_setting, weaker
from orchestrator.policy.model_rules import may_be_asked
from orchestrator.policy.policy import Policy
from orchestrator.policy.schema import BLOCKS, WholePolicy
from orchestrator.policy.seccomp import DEFAULT, Profile, profile_of, shipped_profile
from orchestrator.record.events import Forked, RunStarted
from orchestrator.record.pins import Pins
from orchestrator.research.pins import policy_of, template_of

_Pinning = JournalLine[RunStarted | Forked]


@dataclass(frozen=True, slots=True)
class HeldPins:
    """A line that pins, and its policy; ``policy`` is None where it cannot be read. ``images`` are what it says
    of the contents of its images: nothing in a record of before.
    """

    line: _Pinning
    policy: Policy | None
    profile: Profile
    findings: tuple[AuditFinding, ...]
    images: tuple[RecordedContents, ...] = ()

    @property
    def pins(self) -> Pins:
        return self.line.event.pins

    @property
    def settings(self) -> dict[str, Any]:
        """The policy's settings, in which a `default` that is another profile here stands as it was. Of a line
        whose policy can be read.
        """
        assert self.policy is not None
        settings = self.policy.settings
        if self.profile.sha256 != shipped_profile().sha256:
            for block in BLOCKS:
                if settings[block]["seccomp"] == DEFAULT:
                    settings[block]["seccomp"] = self.profile.normal()
        return settings

    @property
    def folders(self) -> dict[str, str]:
        """The folder of each data set, by the hash of its content."""
        return {staged.hash: staged.folder for staged in self.pins.data}


def read_held_pins(record: RunRecord) -> tuple[HeldPins, ...]:
    """Every line of the run that pins: its first, and one per fork."""
    lines: list[_Pinning] = [*record.run.of(RunStarted), *record.run.of(Forked)]
    return tuple(_read(line, record) for line in sorted(lines, key=lambda line: line.number))


def _read(line: _Pinning, record: RunRecord) -> HeldPins:
    found: list[tuple[str, str]] = []
    pins = line.event.pins
    policy: Policy | None = None
    notes: list[AuditFinding] = []
    profile = shipped_profile()
    images, faults = recorded_contents(line.event, record)
    found += faults
    try:
        profile = profile_of(pins.seccomp)
        policy = policy_of(pins)
        # Both the settings as recorded and the policy read from them must have the stated hash.
        actual = digest(pins.policy.settings)
        if {policy.hash, actual} != {pins.policy.hash}:
            what = "the pinned policy's settings do not match its hash"
            found.append((what, _hashes(pins.policy.hash, actual)))
        if policy.name != pins.policy.name:
            what = "the pinned policy has another name than its settings"
            found.append((what, str(pins.policy.name)))
        notes += name_findings(line.where, policy.name, policy.settings)
        template = template_of(pins, record.paths)
        if template.hash != pins.template.hash:
            what = "the pinned template's files do not match its hash"
            found.append((what, _hashes(pins.template.hash, template.hash)))
        found += [*_above_ceilings(pins, policy), *_forbidden_models(pins, policy)]
        found += _signatures_of_others(pins)
    except (AisciError, ValidationError, LookupError, TypeError, ValueError) as error:
        why = error.what if isinstance(error, AisciError) else str(error).split("\n")[0]
        found.append(("the pins of this line cannot be read", why))
    findings = [AuditFinding("policy", line.where, what, why) for what, why in found]
    return HeldPins(line, policy, profile, (*findings, *notes, *_notes(line, profile)), images)


def _above_ceilings(pins: Pins, policy: Policy) -> Iterator[tuple[str, str]]:
    """Where the policy allows more than a ceiling of the machine that the same line pins."""
    for ceiling in pins.ceilings:
        actual = digest(ceiling.settings)
        if actual != ceiling.hash:
            yield (
                "the settings of a pinned ceiling do not match its hash",
                _hashes(ceiling.hash, actual),
            )
        settings = WholePolicy.model_validate(ceiling.settings).model_dump(mode="json")
        for one in weaker(settings, policy.settings):
            values = f"there {shown_setting(one.before)}; here {shown_setting(one.after)}"
            yield (
                f"the policy allows more than the pinned ceiling {ceiling.name!r}",
                f"{one.key}: {values}",
            )


def _signatures_of_others(pins: Pins) -> Iterator[tuple[str, str]]:
    """The pinned signatures that are of another policy or image than the same line pins."""
    pinned = {"policy": pins.policy.hash, **dict(pins.images)}
    for one in pins.signatures:
        if pinned.get(one.of) != one.hash:
            yield (
                f"the pinned signature of {one.of!r} is of something else",
                _hashes(pinned.get(one.of, "nothing"), one.hash),
            )


def _forbidden_models(pins: Pins, policy: Policy) -> Iterator[tuple[str, str]]:
    """The pinned models that the policy does not let be asked at the pinned address."""
    allowed = policy.whole.model.allow
    for one in pins.models:
        free = one.name.partition("/")[0] in {"builtin", "scripted"}
        if not (free or may_be_asked(allowed, one.name, one.server)):
            at = one.server or "its vendor"
            why = f"{one.name} at {at}; model.allow is {list(allowed)}"
            yield "the policy does not let a pinned model be asked", why


def _hashes(stated: str, actual: str) -> str:
    return f"the line states {str(stated)[:12]}…, they have {actual[:12]}…"


def _notes(line: _Pinning, profile: Profile) -> Iterator[AuditFinding]:
    """Differences between the recording program and this one."""
    if profile.sha256 != shipped_profile().sha256:
        yield AuditFinding(
            "policy",
            line.where,
            "the seccomp profile `default` differs from the one of this aisci",
            f"pinned is {profile.sha256[:12]}…, this one has {shipped_profile().sha256[:12]}…",
            "compare the two: the pinned one is in that line under `seccomp`",
            level="noted",
        )
    program = line.event.pins.program
    if program != __version__:
        yield AuditFinding(
            "policy",
            line.where,
            f"recorded by aisci {program}, audited by {__version__}",
            "versions can make different requests to an engine",
            "where settings differ, audit with the version that recorded the run",
            level="noted",
        )


def pins_of_container(
    container: AuditedContainer, pins: tuple[HeldPins, ...], record: RunRecord
) -> HeldPins | None:
    """The pins in force when ``container`` was requested.

    In the run's own journal the order of lines decides; an idea has its own journal, so there the
    times of the lines decide.
    """
    asked = container.call.asked
    if container.call.log is record.run:
        before = [held for held in pins if held.line.number < asked.number]
    else:
        before = [held for held in pins if held.line.event.at <= asked.event.at]
    return before[-1] if before else None


def limit_findings(container: AuditedContainer, pins: HeldPins | None) -> Iterator[AuditFinding]:
    """Each limit of a container that differs from its policy."""
    if pins is None or pins.policy is None:
        yield container.finding("limits", "no readable policy was in force")
        return
    limits = pins.policy.limits(container.kind)  # type: ignore[arg-type]  # the job's own type
    if not container.limits.gpus:  # fewer are no weaker; a job that draws figures has none
        limits = limits.without_gpus()
    for field in fields(limits):
        actual, expected = getattr(container.limits, field.name), getattr(limits, field.name)
        if actual != expected:
            what = f"{container.kind}: the limit {field.name} was {_text(actual)}"
            policy = f"the policy {pins.policy.name!r}, pinned at {pins.line.where}"
            yield container.finding("limits", what, f"{policy}, sets {_text(expected)}")
    yield from _data_findings(container, pins, pins.policy)
    box = container.attestation
    if box is not None and box.policy != pins.policy.hash:
        what = "the container's evidence names another policy than the one in force"
        why = f"{box.policy[:12]}…, pinned is {pins.policy.hash[:12]}…"
        yield container.finding("limits", what, why)


def _data_findings(
    container: AuditedContainer, pins: HeldPins, policy: Policy
) -> Iterator[AuditFinding]:
    """Each folder of the host in a container that is no pinned data set, or that the policy keeps out."""
    staged = {(one.name, one.hash) for one in pins.pins.data}
    allowed = getattr(policy.whole, container.kind).data != "none"
    for name, source in container.job.data if container.job else ():
        if not allowed:
            what = f"{container.kind}: the data set {name!r} was mounted"
            yield container.finding("limits", what, f"the policy {policy.name!r} lets it see none")
        elif (name, source) not in staged:
            what = f"{container.kind}: a folder that is no pinned data set was mounted: {source[:200]!r}"
            yield container.finding("limits", what, f"as {name!r}, pinned at {pins.line.where}")


def image_findings(container: AuditedContainer, pins: HeldPins | None) -> Iterator[AuditFinding]:
    """Whether a container's image is the one pinned under its name."""
    name = container.limits.image
    pinned = dict(pins.pins.images).get(name) if pins else None
    actual = container.attestation.image if container.attestation else pinned
    if actual != pinned or pinned is None:
        why = f"pinned for {name}: {pinned or 'none'}"
        yield container.finding("image", f"the image is not pinned: {actual}", why)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)[:200]
