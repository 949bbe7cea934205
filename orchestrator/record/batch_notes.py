"""The note of requests that went out together: the vendor's id of the batch, recorded before it is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.record.pins import StrictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSent(StrictRecord):
    """Model calls, as (scope, ordinal), that a vendor has taken as the batch of that id. A resumed run collects
    it in place of asking again.
    """

    note: Literal["batch_sent"] = "batch_sent"
    batch: str
    calls: tuple[tuple[str, int], ...]
