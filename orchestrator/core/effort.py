"""How much a model is to think before it answers: by the level that was asked for, and by what is asked."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.model import DEFAULT_ROLE, role_of

EFFORTS = ("low", "medium", "high")
"""The levels, least first."""

_SMALL = (
    "writeup.queries", "writeup.fix", "cite.", "compile.", "notes.", "plots.look",
    "review.answered",
)  # fmt: skip
"""How the purposes of small questions begin: choosing, placing, mending, describing."""


def effort_for(purpose: str, efforts: Mapping[str, str]) -> str:
    """The level for requests of this purpose; empty where the vendor's default is to hold.

    ``efforts`` are levels by role. A level for a role holds as it is; one for all is a step less for a small
    question.
    """
    if own := efforts.get(role_of(purpose)):
        return own
    level = efforts.get(DEFAULT_ROLE, "")
    if level and purpose.startswith(_SMALL):
        return EFFORTS[max(0, EFFORTS.index(level) - 1)]
    return level
