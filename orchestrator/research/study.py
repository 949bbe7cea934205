"""The state of one idea between stages; each stage returns a new one."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.research import Claim, Idea, Novelty, Paper, Review, Run
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.template.results import Results
from orchestrator.template.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """``tree`` is the working folder: code, notes, figures, ``latex/`` and every ``run_i/``.
    ``results`` are run numbers (0 is the baseline) and the contents of their ``final_info.json``.
    ``author`` is the model's name as the paper prints it.
    """

    idea: Idea
    template: Template
    policy: Policy
    scale: str
    author: str
    novelty: Novelty
    tree: Tree
    runs: tuple[Run, ...]
    results: tuple[tuple[int, Results], ...]
    data: tuple[tuple[str, str], ...] = ()
    figures: tuple[str, ...] = ()
    paper: Paper | None = None
    claims: tuple[Claim, ...] = ()
    review: Review | None = None
