"""The checks of an audit, and its findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

CHECKS = {
    "chain": "each line contains the hash of the line before it",
    "seal": "each journal is sealed, and the run's seal names the head of every idea",
    "blobs": "every body and file that a line names exists and has its hash",
    "calls": "each answer belongs to the request that its hash names",
    "policy": "the pinned policies and templates have their hashes",
    "limits": "each container had the limits of the policy in force",
    "image": "each container ran a pinned image",
    "evidence": "each container has its evidence, and all evidence has its container",
    "settings": "the engine request matches the policy, and the engine's answer the request",
    "kernel": "the kernel reports the rights and limits that were requested",
    "use": "no container used more than its limits allow",
    "verdict": "each verdict follows from how its container ended",
    "budget": "the recorded use is within the policy's budgets and times",
    "results": "each file of a finished run was written by a container",
    "files": "every file beside the journals is the one that the record makes",
    "anchor": "the head or signature that was stored elsewhere matches this record",
}
"""The checks, in the order in which they run and are shown."""

RESTORE = "restore the record from a copy; do not rely on anything derived from this one"

LET_READ = (
    "have the folder's owner give this account the right to read all of it, such as by "
    "`chmod -R a+rX RUN`, and audit it again"
)

FINISH = (
    "`aisci resume RUN` finishes an unfinished run; where you know that it had ended, it was cut off: "
    "restore the record from a copy"
)

NOT_HELD = (
    "compare it with a copy; if the copy is the same, the policy was not enforced on the "
    "container: use none of its results, and report it as SECURITY.md describes"
)


FindingLevel = Literal["wrong", "unfinished", "noted"]


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """File and line, what, why, what to do. One of level ``noted`` does not break the record; one that is
    ``unfinished`` says that its end is missing.
    """

    check: str
    where: str
    what: str
    why: str = ""
    todo: str = RESTORE
    level: FindingLevel = "wrong"


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings that differ only in their place."""

    first: AuditFinding
    places: tuple[str, ...]

    @property
    def where(self) -> str:
        """The first place, and the number of others."""
        others = len(self.places) - 1
        more = f" and {others} other{'s' * (others > 1)}" if others else ""
        return f"{self.places[0]}{more}"


def group_findings(findings: Iterable[AuditFinding]) -> tuple[FindingGroup, ...]:
    """The findings without repetition, in the order of each one's first place."""
    places: dict[AuditFinding, list[str]] = {}
    for finding in findings:
        places.setdefault(replace(finding, where=""), []).append(finding.where)
    return tuple(
        FindingGroup(replace(finding, where=where[0]), tuple(where))
        for finding, where in places.items()
    )


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: the number of things examined, and the findings."""

    check: str
    count: int
    findings: tuple[AuditFinding, ...] = ()

    @property
    def wrong(self) -> int:
        return sum(finding.level == "wrong" for finding in self.findings)

    @property
    def unfinished(self) -> int:
        return sum(finding.level == "unfinished" for finding in self.findings)


def check_result(check: str, count: int, findings: Iterable[AuditFinding]) -> CheckResult:
    return CheckResult(check, count, tuple(findings))
