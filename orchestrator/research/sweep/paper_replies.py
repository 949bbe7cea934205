"""The sweep's replies to requests about its paper, in the formats that the prompts ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from orchestrator.core.model import Ask
from orchestrator.research.sweep.paper import WRITERS
from orchestrator.research.sweep.wording import PromptData, json_reply, replace


def section(write: Callable[[PromptData], str], data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """What ``write`` says in place of the section's placeholder."""
    task, old = data["task"], data["task"]["line"]
    return replace(task["file"], old, old.replace(task["placeholder"], write(data)))


def queries(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    name = data["idea"]["name"].removeprefix("sweep_").replace("_", " ")
    return json_reply({"queries": [data["idea"]["title"], name]})


def no_edit(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    return "builtin/sweep corrects nothing: it has no judgement to correct with."


def checklist_review(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    """A mechanical checklist over the pages: no scores, no decision."""
    text = "\n".join(data["pages"])
    checks = {
        "an abstract": r"\bAbstract\b",
        "a results section": r"\bResults\b",
        "a table": r"\bTable \d",
        "a figure": r"\bFigure \d",
        "a reference list": r"\bReferences\b",
        "standard errors": r"±|standard error",
        "a statement of limits": r"cannot show|[Ll]imitation",
    }
    there = [what for what, pattern in checks.items() if re.search(pattern, text)]
    absent = [what for what in checks if what not in there]
    return json_reply(
        {
            "Summary": (
                f"A mechanical checklist by builtin/sweep over {len(data['pages'])} pages. It "
                "looks for the parts that a paper has; it does not judge what the paper says."
            ),
            "Strengths": [f"the paper has {what}" for what in there],
            "Weaknesses": [f"the paper has no {what.split(' ', 1)[-1]}" for what in absent],
            "Limitations": ["a checklist cannot tell a good paper from a bad one"],
        }
    )


PAPER_ANSWERS: dict[str, Callable[[PromptData, Ask], str]] = {
    **{f"writeup.{name}": partial(section, write) for name, write in WRITERS.items()},
    "writeup.queries": queries,
    "compile.fix": no_edit,
    "verify.fix": no_edit,
    "review.form": checklist_review,
}
