"""A second look at each statement, apart from the rest of the text: do the cited sentences carry it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.survey.abstracts import Abstract
from orchestrator.research.survey.survey_values import Evidence

_BATCH = 40  # statements in one request


class DoubtForm(ReplyForm):
    """A statement that its sentences do not carry, and what they lack."""

    number: Annotated[int, WholeNumber(1, _BATCH)]
    why: Annotated[str, Field(min_length=3, max_length=600)]


class DoubtsForm(ReplyForm):
    """A model's doubts; none if every statement is carried."""

    doubts: Annotated[tuple[DoubtForm, ...], Field(max_length=2 * _BATCH)]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A statement: by what it is known, its words, what it cites, and where that stands."""

    name: str
    text: str
    evidence: tuple[Evidence, ...]
    abstracts: Mapping[str, Abstract]

    def row(self, number: int) -> dict[str, Any]:
        """The statement as data for a prompt: each cited sentence with the title of its paper."""
        cited = []
        for one in self.evidence:
            texts = self.abstracts[one.key].sentences
            cited.append({"key": one.key, "title": texts[0][:200], "sentence": texts[one.sentence]})
        return {"number": number, "statement": self.text, "cited": cited}


def doubted(claims: Sequence[Claimed], ports: Ports) -> dict[str, str]:
    """For each statement, by its name, why its sentences do not carry it; empty where they do."""
    found = {one.name: "" for one in claims}
    for first in range(0, len(claims), _BATCH):
        batch = claims[first : first + _BATCH]
        rows = [one.row(number) for number, one in enumerate(batch, start=1)]
        text = render("survey_check", statements=block("statements", rows))
        ask = Ask(purpose="survey.check", messages=(Message("user", text),), temperature=0)
        for doubt in ask_for(ports, ask, DoubtsForm).doubts:
            if doubt.number <= len(batch):
                why = f"the cited sentences do not carry it: {doubt.why}"
                found[batch[doubt.number - 1].name] = why
    return found
