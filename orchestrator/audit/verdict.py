"""An audit's outcome, in one of three words, and all that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.audit.calls import Box, Call
from orchestrator.audit.finding import Checked, Finding
from orchestrator.audit.signature import Anchor
from orchestrator.record.pins import Pins


class Outcome(StrEnum):
    """What may be said of a record."""

    INTACT = "intact"
    CONSISTENT = "consistent"
    BROKEN = "broken"


MEANS = {
    Outcome.INTACT: "Every check holds, and what was kept elsewhere is this record's: since then "
    "nothing was changed, added or taken away.",
    Outcome.CONSISTENT: "Every check holds of the record against itself. Whoever can write to its "
    "folder could have written all of it anew, just as consistent: only a head or a signature "
    "that was kept elsewhere tells.",
    Outcome.BROKEN: "At least one check does not hold. Nothing that rests on it can be relied on.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything that was looked at in a run's folder, and what came of it."""

    folder: str
    given: Anchor
    checks: tuple[Checked, ...]
    boxes: tuple[Box, ...]
    without_result: tuple[Call, ...]
    pins: Pins | None
    heads: tuple[tuple[str, str, int], ...]  # journal, head, lines
    signature: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, then what is to be known."""
        every = [one for each in self.checks for one in each.findings]
        return tuple(sorted(every, key=lambda one: one.level == "noted"))

    @property
    def wrong(self) -> int:
        return sum(each.wrong for each in self.checks)

    @property
    def outcome(self) -> Outcome:
        if self.wrong:
            return Outcome.BROKEN
        return Outcome.INTACT if self.given else Outcome.CONSISTENT

    @property
    def head(self) -> str:
        return self.heads[0][1]
