"""What one finished idea took, step by step: of the user's own runs, and of the studies that ship.

The shipped ones are studies that a language model carried out, taken through the present program by
``python -m tests.support.estimate_bench``, which writes ``recorded.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orchestrator.core.decode import decode
from orchestrator.core.strict_json import loads

SHIPPED_USES = Path(__file__).with_name("recorded.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUse:
    """The requests of one purpose in one stage of an idea; a run's requests are shared by its ideas.

    Tokens: ``prompt`` whole, of which ``cached`` repeat the beginning of an earlier request, ``written`` are new up to
    a marked end, and ``code`` are lines of the template's code. ``answer`` is the tokens of the
    ``answered`` requests, whose answers were counted. ``pictures`` are sent with the prompts.
    """

    stage: str
    purpose: str
    requests: float = 0.0
    prompt: float = 0.0
    cached: float = 0.0
    written: float = 0.0
    code: float = 0.0
    pictures: float = 0.0
    answered: float = 0.0
    answer: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageJobs:
    """The containers of one stage: runs of the experiment, and all others (edits, plots, LaTeX)."""

    stage: str
    runs: float
    others: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaUse:
    """What one idea took. ``code`` is the characters of the template's code, ``values`` how many means
    its baseline reports, ``runs`` are those besides the baseline. ``slower`` is the mean time of a run in baselines, ``answer_seconds`` the model's time
    for a token of an answer; None where it was not measured.
    """

    template: str
    scale: str
    model: str
    engines: bool
    sees: bool
    code: int
    values: int
    runs: int
    slower: float | None
    answer_seconds: float | None
    steps: tuple[StepUse, ...]
    jobs: tuple[StageJobs, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedUses:
    """The studies that ship, by name; when they were measured, and how their tokens were counted."""

    measured: str
    tokens: str
    ideas: dict[str, IdeaUse]


@cache
def shipped_uses() -> ShippedUses:
    """What :data:`SHIPPED_USES` holds."""
    return decode(ShippedUses, loads(SHIPPED_USES.read_bytes()))
