"""The sweep's searches and citations: it finds by words, and neither reads nor judges."""

from __future__ import annotations

from orchestrator.core.model import Ask
from orchestrator.research.sweep.wording import PromptData, json_reply

_MOST_PICKED = 12  # papers


def undecided_novelty(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """One search by title, then undecided: a sweep cannot judge novelty."""
    if "search" not in data:
        return json_reply({"decision": "search", "query": data["idea"]["title"], "reason": ""})
    reason = f"{data['search']['found']} papers were found; builtin/sweep does not judge novelty."
    return json_reply({"decision": "undecided", "query": "", "reason": reason})


def pick_papers(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """The papers that rank first: a sweep finds by words and cannot read."""
    why = "found by its words; builtin/sweep did not read it"
    picked = [{"key": one["key"], "why": why} for one in data["papers"][:_MOST_PICKED]]
    return json_reply({"citations": picked})


def place_no_citation(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """A sweep writes its citations into its sections, and adds none afterwards."""
    return json_reply({"searches": [], "cites": [], "done": True})


def queries(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    name = data["idea"]["name"].removeprefix("sweep_").replace("_", " ")
    return json_reply({"queries": [data["idea"]["title"], name]})
