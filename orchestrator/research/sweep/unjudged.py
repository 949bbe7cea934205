"""What the sweep answers where judgement is asked: it has none, so nothing changes and nothing is doubted."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.model import Ask
from orchestrator.research.sweep.wording import PromptData, json_reply


def no_correction(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """It has no judgement to correct with."""
    return json_reply({"corrections": []})


def no_doubt(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - as above
    """It quotes, and says of results what the program prints."""
    return json_reply({"doubts": []})


_CORRECTED = ("writeup.fix", "writeup.read", "writeup.doubted", "compile.fix", "verify.fix")
UNJUDGED_ANSWERS: dict[str, Callable[[PromptData, Ask], str]] = {
    "doubt.read": no_doubt,
    "survey.check": no_doubt,
    **dict.fromkeys(_CORRECTED, no_correction),
}
