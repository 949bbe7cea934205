"""Whether the reviews of a run can be asked for as a batch: found before anything is started."""

from __future__ import annotations

import os

from orchestrator.api.prepare import open_unasked
from orchestrator.core.errors import UserError
from orchestrator.core.model import FALLBACK, REVIEWING
from orchestrator.models.batching import takes_batches
from orchestrator.research.run_spec import RunSpec

_WHERE = "--batch-reviews"


def require_batches(setup: RunSpec) -> None:
    """Raise :class:`UserError` where reviews were asked for as a batch and the model that reviews takes none."""
    if not setup.reviewing.batch:
        return
    if any(pin.role == FALLBACK for pin in setup.roles):
        raise UserError(
            "a batch is waited for, so no model can stand behind it",
            where=f"{_WHERE} with --role fallback=…",
            todo="leave one of them out",
        )
    if setup.leave_out:
        raise UserError(
            "the run leaves its reviews out",
            where=f"{_WHERE} with --no-{setup.leave_out}",
            todo="leave one of them out",
        )
    name = reviewer_of(setup)
    if not batches_of(name):
        raise UserError(
            f"{name} takes no batches that aisci knows",
            where=_WHERE,
            why="batches are known of OpenAI's and Anthropic's own models that have a price for them",
            todo="leave the option out, or name such a model with --review-model",
        )


def reviewer_of(setup: RunSpec) -> str:
    """The name of the model that reviews."""
    return next((pin.name for pin in setup.roles if pin.role == REVIEWING), setup.model)


def batches_of(name: str) -> bool:
    """Whether the model of that name takes batches."""
    return takes_batches(open_unasked(name, environ=os.environ))
