"""What an audit checks, in sentences, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

CHECKS = {
    "chain": "each line follows from the one before it",
    "seal": "each journal is at its end, and the run's seal names every idea's head",
    "blobs": "every body and file that a line names is there, with its hash",
    "calls": "each answer stands behind the question that its hash names",
    "policy": "the pinned policies and templates are what their hashes say",
    "limits": "each container had the limits of the policy that held",
    "image": "each container ran a pinned image",
    "evidence": "each container has its evidence, and no evidence is without a container",
    "settings": "the engine was asked for what the policy says, and made what it was asked",
    "kernel": "the kernel saw each container within its rights and limits",
    "use": "no container used more than its limits let it",
    "verdict": "each verdict follows from how its container ended",
    "results": "each file of a finished run came out of a container",
    "anchor": "the head or the signature that was kept elsewhere is this record's",
}
"""The checks in the order in which they are made and shown."""

RESTORE = "restore the record from a copy; what rests on this one cannot be relied on"

NOT_HELD = (
    "compare it with a copy; if that says the same, the container was not held to its policy: "
    "use nothing of it, and report it as SECURITY.md says"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What does not hold, or is to be known: file and line, what, why, what to do.

    What is only ``noted`` breaks nothing.
    """

    check: str
    where: str
    what: str
    why: str = ""
    todo: str = RESTORE
    level: Literal["wrong", "noted"] = "wrong"


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that say the same of several places."""

    first: Finding
    places: tuple[str, ...]

    @property
    def where(self) -> str:
        """The first place, and how many others."""
        others = len(self.places) - 1
        more = f" and {others} other{'s' * (others > 1)}" if others else ""
        return f"{self.places[0]}{more}"


def grouped(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Each thing that is said, once, with all its places; in the order of the first of them."""
    said: dict[Finding, list[str]] = {}
    for one in findings:
        said.setdefault(replace(one, where=""), []).append(one.where)
    return tuple(
        Group(replace(one, where=places[0]), tuple(places)) for one, places in said.items()
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: how many things it looked at, and what it found."""

    check: str
    count: int
    findings: tuple[Finding, ...] = ()

    @property
    def wrong(self) -> int:
        return sum(one.level == "wrong" for one in self.findings)


def checked(check: str, count: int, findings: Iterable[Finding]) -> Checked:
    return Checked(check, count, tuple(findings))
