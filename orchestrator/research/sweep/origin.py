"""What the sweep says of where a study comes from: from itself, or from somebody else's folder of results."""

from __future__ import annotations

from orchestrator.research.sweep.wording import PromptData

_NO_THEORY = (
    "builtin/sweep, a program that walks through declared settings and knows no "
    "theory; it describes what was measured and judges nothing beyond that."
)


def whose(data: PromptData) -> str:
    """The abstract's last sentence."""
    if imported := data.get("imported"):
        made = f"The runs were planned and made by {imported['runs_planned_and_made_by']}. "
        return f"{made}This text was written without human help by {_NO_THEORY}"
    return f"The study was planned, run and written without human help by {_NO_THEORY}"


def how_made(data: PromptData) -> str:
    """How the runs came about, for the introduction."""
    if imported := data.get("imported"):
        return (
            f"This paper was written by a program about runs that {imported['runs_planned_and_made_by']} made. "
            "Their results were imported and not measured again."
        )
    return (
        "This paper is the work of an automatic sweep. The program took one declared setting of a "
        "research template, changed it and nothing else from run to run, and wrote down what came "
        "out."
    )
