"""The machine's deny list, ``/etc/aisci/deny.yaml``: policies, images and keys that are withdrawn.

::

    policies: [HASH, ...]  # as a run's first line has them
    images: ["sha256:...", ...]  # ids
    keys: ["SHA256:...", ...]  # fingerprints of signing keys
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.audit.audit import Audit
from orchestrator.audit.finding import AuditFinding, CheckResult
from orchestrator.core import machine_folder
from orchestrator.core.errors import UserError
from orchestrator.core.strict_yaml import read, validated
from orchestrator.record.pins import Pins
from orchestrator.research.run_spec import RunSpec

DENY_FILE = "deny.yaml"
_Hash = Annotated[str, Field(pattern="^[0-9a-f]{12,64}$")]
_Image = Annotated[str, Field(pattern="^sha256:[0-9a-f]{12,64}$")]
_Key = Annotated[str, Field(pattern="^SHA256:[A-Za-z0-9+/]{43}$")]
_WITHDRAWN = "this machine's administrator has withdrawn it"


class DenyList(BaseModel):
    """What is withdrawn: hashes and ids may be cut to their first 12 digits or more."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)
    policies: tuple[_Hash, ...] = ()
    images: tuple[_Image, ...] = ()
    keys: tuple[_Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Something that is on the list."""

    what: str
    name: str
    check: str


def deny_list() -> DenyList:
    """The machine's list; empty without a file. Raises :class:`BadFile` for one that cannot be relied on."""
    path = machine_folder.MACHINE.file(DENY_FILE)
    return DenyList() if path is None else validated(read(path), DenyList)


def require_not_withdrawn(setup: RunSpec) -> None:
    """Raise :class:`UserError` where a run's policy or one of its images is withdrawn."""
    hashes = {setup.policy.hash, *((setup.proof.of,) if setup.proof else ())}
    found = next(_named(hashes, setup.images), None)
    if found is not None:
        raise UserError(
            f"{_WITHDRAWN}: {found.what}",
            where=str(machine_folder.MACHINE.folder / DENY_FILE),
            why=found.name,
            todo="take another policy, or build the images again: `aisci images build --fresh`",
        )


def with_withdrawn(done: Audit, signers: Iterable[str]) -> Audit:
    """The audit, with a finding for each policy, image and signing key of the record that is withdrawn."""
    keys = deny_list().keys
    found = list(_of_pins(done.pins)) if done.pins else []
    found += [Withdrawn("the signing key", name, "anchor") for name in signers if name in keys]
    if not found:
        return done
    checks = tuple(_added(one, [w for w in found if w.check == one.check]) for one in done.checks)
    return replace(done, checks=checks)


def _added(check: CheckResult, found: list[Withdrawn]) -> CheckResult:
    where = str(machine_folder.MACHINE.folder / DENY_FILE)
    todo = "do not rely on this run; ask whoever keeps the list why"
    more = (
        AuditFinding(one.check, where, f"{_WITHDRAWN}: {one.what}", one.name, todo) for one in found
    )
    return replace(check, findings=(*check.findings, *more))


def _of_pins(pins: Pins) -> Iterator[Withdrawn]:
    hashes = {pins.policy.hash, *((pins.proof.of,) if pins.proof else ())}
    return _named(hashes, pins.images)


def _named(hashes: Iterable[str], images: Iterable[tuple[str, str]]) -> Iterator[Withdrawn]:
    denied = deny_list()
    for one in sorted(hashes):
        if one.startswith(denied.policies or ("-",)):
            yield Withdrawn("the policy", one, "policy")
    for name, sha256 in images:
        if sha256.startswith(denied.images or ("-",)):
            yield Withdrawn(f"the image {name}", sha256, "image")
