"""Whether ``builtin/sweep`` finds anything to study in a template: found before a baseline is measured."""

from __future__ import annotations

from orchestrator.core.errors import UserError
from orchestrator.core.model import SWEEP
from orchestrator.research.run_spec import RunSpec
from orchestrator.research.sweep.planning import SEED_LINE


def require_sweepable(setup: RunSpec) -> None:
    """Raise :class:`UserError` where the sweep is to propose, and there is neither knob nor seed."""
    template = setup.template
    if setup.model != SWEEP or setup.roles or setup.given or template.manifest.knobs:
        return
    if any(SEED_LINE.search(data.decode("utf-8", "replace")) for data in template.files.values()):
        return
    raise UserError(
        f"{SWEEP} has nothing to study here",
        where=template.origin,
        why="the template declares no knob, and its code names no random seed",
        todo="declare `knobs` in template.yaml: constants such as `LR = 0.1` at the top of the code; "
        "or choose a model with --model",
    )
