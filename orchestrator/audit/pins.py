"""What the run was held to: its pinned policies and templates, and what held for each container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError

from orchestrator import __version__
from orchestrator.audit.calls import Box
from orchestrator.audit.finding import NOT_HELD, Checked, Finding, checked
from orchestrator.audit.record import Line, Record
from orchestrator.core.errors import AisciError
from orchestrator.core.tree import digest
from orchestrator.policy.policy import Policy
from orchestrator.policy.seccomp import Profile, profile_of, shipped_profile
from orchestrator.record.events import Forked, RunStarted
from orchestrator.record.pins import Pins
from orchestrator.research.pins import policy_of, template_of


@dataclass(frozen=True, slots=True)
class Held:
    """One line that pins, and its policy; None where that cannot be read."""

    line: Line[RunStarted | Forked]
    policy: Policy | None
    profile: Profile
    findings: tuple[Finding, ...]

    @property
    def pins(self) -> Pins:
        return self.line.event.pins

    @property
    def images(self) -> dict[str, str]:
        """Image ids by name."""
        return dict(self.pins.images)

    @property
    def folders(self) -> dict[str, str]:
        """Where each data set lay, by the hash of its content."""
        return {staged.hash: staged.folder for staged in self.pins.data}


def read_pins(record: Record) -> tuple[Held, ...]:
    """Every line of the run that pins: its first, and one for each fork."""
    lines: list[Line[RunStarted | Forked]] = [*record.run.of(RunStarted), *record.run.of(Forked)]
    return tuple(_read(line, record) for line in sorted(lines, key=lambda one: one.number))


def _read(line: Line[RunStarted | Forked], record: Record) -> Held:
    found: list[tuple[str, str]] = []
    pins = line.event.pins
    policy: Policy | None = None
    profile = shipped_profile()
    try:
        profile = profile_of(pins.seccomp)
        policy = policy_of(pins)
        told, name = pins.policy.hash, pins.policy.name
        have = digest(pins.policy.settings)
        if {policy.hash, have} != {told}:
            found.append(
                ("the pinned policy's settings are not what its hash says", _hashes(told, have))
            )
        if policy.name != name:
            found.append(("the pinned policy has another name than its settings", str(name)))
        template = template_of(pins, record.paths)
        told = pins.template.hash
        if template.hash != told:
            found.append(
                (
                    "the pinned template's files are not what its hash says",
                    _hashes(told, template.hash),
                )
            )
    except (AisciError, ValidationError, LookupError, TypeError, ValueError) as error:
        why = error.what if isinstance(error, AisciError) else str(error).split("\n")[0]
        found.append(("what this line pins cannot be read", why))
    findings = [
        Finding(check="policy", where=line.where, what=what, why=why) for what, why in found
    ]
    return Held(line, policy, profile, (*findings, *_noted(line, profile)))


def _hashes(told: str, have: str) -> str:
    return f"it says {str(told)[:12]}…, they have {have[:12]}…"


def _noted(line: Line[RunStarted | Forked], profile: Profile) -> Iterator[Finding]:
    """What is otherwise here than where the run was recorded."""
    if profile.sha256 != shipped_profile().sha256:
        yield Finding(
            check="policy",
            where=line.where,
            what="the filter of system calls that `default` stood for is another than this aisci's",
            why=f"pinned is {profile.sha256[:12]}…, here it is {shipped_profile().sha256[:12]}…",
            todo="compare the two: the pinned one stands in that line under `seccomp`",
            level="noted",
        )
    program = line.event.pins.program
    if program != __version__:
        yield Finding(
            check="policy",
            where=line.where,
            what=f"recorded by aisci {program}, audited by {__version__}",
            why="what one version asks of an engine, another may ask otherwise",
            todo="where settings differ, audit it with the version that recorded it",
            level="noted",
        )


def policy(pins: tuple[Held, ...]) -> Checked:
    return checked("policy", len(pins), (one for each in pins for one in each.findings))


def held(box: Box, pins: tuple[Held, ...], record: Record) -> Held | None:
    """The pins that held when ``box`` was asked for.

    In the run's own journal the order of lines says so; in an idea's, the clock.
    """
    asked = box.call.asked
    if box.call.log is record.run:
        before = [one for one in pins if one.line.number < asked.number]
    else:
        before = [one for one in pins if one.line.event.at <= asked.event.at]
    return before[-1] if before else None


def limits(box: Box, pins: Held | None) -> Iterator[Finding]:
    """Whether a container had its policy's limits, each of them."""
    if pins is None or pins.policy is None:
        yield _wrong("limits", box, "no policy held that can be read", "")
        return
    theirs = pins.policy.limits(box.kind)  # type: ignore[arg-type]  # a kind by the job's own type
    for one in fields(theirs):
        have, most = getattr(box.limits, one.name), getattr(theirs, one.name)
        if have != most:
            yield _wrong(
                "limits",
                box,
                f"{box.kind}: the limit {one.name} was {_text(have)}",
                f"the policy {pins.policy.name!r}, pinned at {pins.line.where}, says {_text(most)}",
            )
    if box.attestation is not None and box.attestation.policy != pins.policy.hash:
        yield _wrong(
            "limits",
            box,
            "the container's evidence names another policy than the one that held",
            f"{box.attestation.policy[:12]}…, pinned is {pins.policy.hash[:12]}…",
        )


def image(box: Box, pins: Held | None) -> Iterator[Finding]:
    """Whether a container's image is the one that was pinned under its name."""
    known = pins.images.get(box.limits.image) if pins else None
    have = box.attestation.image if box.attestation else known
    if have != known or known is None:
        why = f"pinned for {box.limits.image}: {known or 'none'}"
        yield _wrong("image", box, f"the image is not a pinned one: {have}", why)


def _wrong(check: str, box: Box, what: str, why: str) -> Finding:
    return Finding(check=check, where=box.where, what=what, why=why, todo=NOT_HELD)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)[:200]
