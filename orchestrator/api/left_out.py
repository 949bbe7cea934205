"""What a run leaves out, as options say it, and what contradicts it."""

from __future__ import annotations

from orchestrator.core.errors import UserError
from orchestrator.record.asked_stages import LEFT_OUT
from orchestrator.record.pins import LeaveOut, ReviewPin

_COMMANDS: dict[str, str] = dict.fromkeys(LEFT_OUT["paper"], "writeup") | {
    "review": "review", "improve": "review",
}  # fmt: skip


def leave_out_of(*, paper: bool, review: bool) -> LeaveOut:
    """What is left out. Without a paper there is nothing to review."""
    if paper:
        return "paper"
    return "review" if review else ""


def require_reviewed(leave_out: LeaveOut, reviewing: ReviewPin) -> None:
    """Raise :class:`UserError` where a paper is to be improved by reviews that are left out."""
    if leave_out and reviewing.improve:
        raise UserError(
            "a paper is improved by its reviews",
            where=f"--improve {reviewing.improve} with --no-{leave_out}",
            todo="leave one of the two out; `aisci review` and `aisci improve RUN/IDEA` make both later",
        )


def require_included(stage: str, leave_out: LeaveOut) -> None:
    """Raise :class:`UserError` where a stage is to be made again that the run leaves out."""
    if stage in LEFT_OUT[leave_out]:
        raise UserError(
            f"this run leaves out {'its papers' if leave_out == 'paper' else 'the review'}",
            where=f"--retry {stage}",
            todo=f"`aisci {_COMMANDS[stage]} RUN/IDEA` makes it for one idea",
        )
