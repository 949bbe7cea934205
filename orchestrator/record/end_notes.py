"""The note of a run that came to its end without an idea: resume would fail in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.core.research import Failure
from orchestrator.record.pins import StrictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(StrictRecord):
    """What a run does before its ideas failed, for a reason that the same template and policy meet again."""

    note: Literal["run_failed"] = "run_failed"
    failure: Failure
