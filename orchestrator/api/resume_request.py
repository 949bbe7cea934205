"""What a resume is asked to do, and what of it contradicts itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.api.left_out import require_included
from orchestrator.api.prepare import RESULTS
from orchestrator.core.errors import UserError
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import without_budgets
from orchestrator.record.asked_stages import STAGE_NAMES
from orchestrator.record.notes import StagesAsked
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Pins
from orchestrator.record.signing import Signer
from orchestrator.research.pins import pins_of
from orchestrator.research.run_spec import RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    """What a resume is asked to do. ``fork`` continues where template or program changed.

    ``asked`` are stages to make again on the results that exist, of the idea in folder ``idea`` alone or of all.
    ``policy`` is another policy for a fork, ``model`` another model. ``max_usd`` and ``max_gpu_time`` (in seconds) are another budget, up to
    what the policy's file allows; ``ideas`` a larger number of them, of a list in ``ideas_file`` where the run has one;
    ``price`` another price of the model. Nothing else changes. ``parallel`` and ``gpus`` as in a run. ``sign`` is the key that signs the record.
    """

    run: str = "latest"
    results: Path = RESULTS
    fork: bool = False
    asked: StagesAsked | None = None
    idea: str = ""
    policy: str | None = None
    max_usd: float | None = None
    max_gpu_time: float | None = None
    ideas: int | None = None
    ideas_file: Path | None = None
    model: str | None = None
    price: str | None = None
    parallel: int | None = None
    gpus: str = "all"
    sign: Signer | None = None

    @property
    def changes(self) -> bool:
        """Whether anything of the recorded set-up is to change."""
        asked = (self.max_usd, self.max_gpu_time, self.ideas, self.model, self.price)
        return any(one is not None for one in asked)


def require_makeable(request: ResumeRequest, pins: Pins) -> None:
    """Raise :class:`UserError` for a stage that the run leaves out, and for experiments of an imported study:
    nothing measured here is compared with what was measured elsewhere.
    """
    if request.asked and not request.idea:
        require_included(request.asked.again, pins.leave_out)
    if pins.imported and request.asked and request.asked.again == "experiments":
        raise UserError(
            "the experiments of an imported study cannot be made again here",
            where=pins.imported.folder,
            why="its baseline was measured elsewhere, so that no run of this machine compares with it",
            todo="make its code a template, `aisci template adopt`, and start a run of that",
        )


def require_difference(paths: RunPaths, pins: Pins, setup: RunSpec) -> None:
    """Raise :class:`UserError` where a branch of a run that has ended would be the same run once more: it would
    only move the run's head, which somebody may keep.
    """
    names = {name: hashlib.sha256(data).hexdigest() for name, data in setup.template.files.items()}
    now = pins_of(setup, Tree.of(names))
    # A newer proof of the same policy, the place of the same file, a budget and the machine's ceiling change
    # nothing that a run does which has ended.
    template = replace(now.template, origin=pins.template.origin)
    same = replace(
        now, proof=pins.proof, template=template, policy=pins.policy, ceilings=pins.ceilings
    )
    budgets = (without_budgets(one.policy.settings) for one in (now, pins))
    if same == pins and next(budgets) == next(budgets):
        raise UserError(
            "nothing differs from what this run was made with: there is nothing to fork",
            where=str(paths.folder),
            why="the run has ended; template, policy, model, images, prompts and program are those of its record",
            todo="its record is unchanged. `--retry STAGE` makes a stage again; an edited ideas.json is taken "
            "up by `aisci resume` alone",
        )


def require_sound(request: ResumeRequest) -> None:
    """Raise :class:`UserError` for what a request gets wrong by itself."""
    if request.policy is not None and not request.fork:
        raise UserError(
            "another policy changes what the recorded run was allowed",
            where="--policy",
            todo="add --fork: the run continues as a new branch of its record",
        )
    budget = "--max-gpu-time" if request.max_usd is None else "--max-usd"
    if (request.max_usd, request.max_gpu_time) != (None, None) and request.policy is not None:
        raise UserError(
            "a policy has a budget of its own",
            where=f"{budget} with --policy",
            todo="write the budget into the policy's file, or leave --policy out",
        )
    _require_sound_model(request)
    if request.ideas_file is not None and request.ideas is None:
        raise UserError(
            "more ideas of a list need a number",
            where=f"--from-ideas {request.ideas_file}",
            todo="say how many the run is to have in all: --ideas N",
        )
    retry = request.asked.again if request.asked else ""
    if retry and retry not in STAGE_NAMES:
        raise UserError(
            f"no stage is named {retry!r}",
            where="--retry",
            todo=f"name one of: {', '.join(STAGE_NAMES)}",
        )


def _require_sound_model(request: ResumeRequest) -> None:
    if request.model is not None and not request.fork:
        raise UserError(
            "another model has to be asked everything again",
            where=f"--model {request.model[:80]}",
            why="each recorded request names its model: no answer of one is taken for another's",
            todo="`aisci resume RUN --fork --model NAME` keeps the ideas and the baseline, and goes on with it as "
            "a new branch; what was paid stays paid and counted",
        )
    if request.model is not None and request.ideas is not None:
        raise UserError(
            "another model goes on with the ideas that the run has",
            where="--model with --ideas",
            todo="change the model first, then: aisci resume RUN --ideas N",
        )
