"""What a resume is asked to do, and what of it contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.api.prepare import RESULTS
from orchestrator.core.errors import UserError
from orchestrator.record.retries import STAGE_NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    """What a resume is asked to do. ``fork`` continues where template or program changed.

    ``retry`` is a stage to do again, with the stages after it, on the results that exist.
    ``policy`` is another policy for a fork. ``max_usd`` is another budget, up to what the policy's file
    allows; nothing else changes. ``sign`` is a file with an Ed25519 key.
    """

    run: str = "latest"
    results: Path = RESULTS
    fork: bool = False
    retry: str = ""
    policy: str | None = None
    max_usd: float | None = None
    sign: Path | None = None


def require_sound(request: ResumeRequest) -> None:
    """Raise :class:`UserError` for what a request gets wrong by itself."""
    if request.policy is not None and not request.fork:
        raise UserError(
            "another policy changes what the recorded run was allowed",
            where="--policy",
            todo="add --fork: the run continues as a new branch of its record",
        )
    if request.max_usd is not None and request.policy is not None:
        raise UserError(
            "a policy has a budget of its own",
            where="--max-usd with --policy",
            todo="write the budget into the policy's file, or leave --policy out",
        )
    if request.retry and request.retry not in STAGE_NAMES:
        raise UserError(
            f"no stage is named {request.retry!r}",
            where="--retry",
            todo=f"name one of: {', '.join(STAGE_NAMES)}",
        )
