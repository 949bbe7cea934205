"""``builtin/sweep``: an author with no model. Text in, text out, no network, no judgement.

It reads the named data blocks of a prompt and answers in the format that the prompt demands,
SEARCH/REPLACE edits included, so that prompts, parsers and the real editor are all exercised.
It studies one declared knob of a template; every number that it writes comes from the results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ModelRefused
from orchestrator.core.model import SWEEP, Ask, Reply, Usage
from orchestrator.research.prompts import data_blocks
from orchestrator.research.sweep.planning import SWEEP_ANSWERS


class SweepModel:
    """Implements :class:`orchestrator.core.protocols.LanguageModel`; free, deterministic, always available."""

    name = SWEEP

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002 - the port's signature; it costs nothing
        return Usage()

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        within.check(f"step {ask.purpose}")
        answer = SWEEP_ANSWERS.get(ask.purpose)
        if answer is None:
            raise ModelRefused(
                f"{SWEEP} has no answer for {ask.purpose!r}",
                where="--model",
                why="it is a sweep over a declared knob, not a language model",
                todo="choose a model with --model",
            )
        text = swept(answer, ask)
        # A rough count of tokens, four characters each, so that budgets and reports show a size.
        return Reply(text, Usage(len(_prompt(ask)) // 4, len(text) // 4, 0.0), SWEEP)


def swept(answer: Callable[[dict[str, Any], Ask], str], ask: Ask) -> str:
    """What ``answer`` says to the data blocks of a conversation."""
    return answer(data_blocks(_prompt(ask)), ask)


def _prompt(ask: Ask) -> str:
    return "\n".join(message.content for message in ask.messages)
