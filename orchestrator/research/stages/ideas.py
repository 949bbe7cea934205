"""Ideas: proposed one at a time, each with reflections, distinct from those in the archive."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from orchestrator.core.errors import BadReply
from orchestrator.core.model import Ask, Message
from orchestrator.core.research import Idea
from orchestrator.record.notes import IdeaDuplicated
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.stages.blocks import idea_dict, template_block
from orchestrator.template.template import Template

_REFLECTIONS = 2  # after the first proposal; The AI Scientist uses three rounds in all
_Score = Annotated[int, Field(ge=1, le=10)] | None


class Proposal(BaseModel, extra="forbid", frozen=True):
    """The form of a model's idea."""

    name: Annotated[str, Field(min_length=3, max_length=80)]
    title: Annotated[str, Field(min_length=3, max_length=200)]
    experiment: Annotated[str, Field(min_length=10, max_length=4000)]
    interestingness: _Score = None
    feasibility: _Score = None
    novelty: _Score = None
    done: bool = False


def propose_ideas(template: Template, count: int, runs: int, ports: Ports) -> tuple[Idea, ...]:
    """Up to ``count`` ideas that differ in content from each other and from the seed ideas. A
    repeated idea is noted and omitted. Raises :class:`BadReply` if none remains.
    """
    ideas: list[Idea] = []
    for number in range(1, count + 1):
        idea = _propose(template, ideas, runs, ports.within(f"idea_{number}"))
        if _content(idea) in {_content(known) for known in (*template.seed_ideas(), *ideas)}:
            ports.note(IdeaDuplicated(number=number, name=idea.name))
        else:
            ideas.append(idea)
    if not ideas:
        raise BadReply(
            f"the model proposed no idea beyond the template's own, asked {count} times",
            where="step ideas.propose",
            todo="ask for more with --ideas, or choose another model",
        )
    return tuple(ideas)


def _content(idea: Idea) -> tuple[str, str]:
    """What identifies an idea: other scores or another name do not make a new one."""
    return idea.title, idea.experiment


def _propose(template: Template, ideas: list[Idea], runs: int, ports: Ports) -> Idea:
    archive = [*map(idea_dict, template.seed_ideas()), *map(idea_dict, ideas)]
    first = render(
        "ideas_propose",
        template=template_block(template),
        task=block("task", template.task().model_dump()),
        archive=block("archive", archive),
        runs=str(runs),
    )
    messages: tuple[Message, ...] = (Message("user", first),)
    proposal = ask_for(ports, Ask(purpose="ideas.propose", messages=messages), Proposal)
    for _ in range(_REFLECTIONS):
        if proposal.done:
            break
        messages += (
            Message("assistant", proposal.model_dump_json()),
            Message("user", render("ideas_reflect")),
        )
        proposal = ask_for(ports, Ask(purpose="ideas.reflect", messages=messages), Proposal)
    return Idea(**proposal.model_dump(exclude={"done"}))
