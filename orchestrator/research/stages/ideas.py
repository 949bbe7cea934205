"""Ideas: proposed one at a time, each with reflections, distinct from those in the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from orchestrator.core.errors import BadReply, KeyRefused, ModelFailed
from orchestrator.core.model import Ask, Message
from orchestrator.core.research import Idea
from orchestrator.record.notes import IdeaDuplicated, IdeasLeft
from orchestrator.record.ports import Ports
from orchestrator.research.idea_lists import MOST_EXPECTED
from orchestrator.research.looking.run_facts import run_facts
from orchestrator.research.near_ideas import nearest_idea
from orchestrator.research.prompts import block, prompt_text, render
from orchestrator.research.replies import ask_and_reflect
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import (
    code_message,
    idea_dict,
    limits_dict,
    seeds_dict,
    template_block,
)
from orchestrator.research.stages.plan import USUAL_RUNS, planned_at_most

_REFLECTIONS = 2  # after the first proposal; The AI Scientist uses three rounds in all
_ARCHIVE = 100  # of the run's own ideas that a model is shown, the latest
_Score = Annotated[int, WholeNumber(1, 10)] | None
_Runs = Annotated[int, WholeNumber(0, MOST_EXPECTED)] | None


class Proposal(ReplyForm):
    """The form of a model's idea."""

    name: Annotated[str, Field(min_length=3, max_length=80)]
    title: Annotated[str, Field(min_length=3, max_length=200)]
    experiment: Annotated[str, Field(min_length=10, max_length=4000)]
    interestingness: _Score = None
    feasibility: _Score = None
    novelty: _Score = None
    runs: _Runs = None
    done: bool = False


def propose_ideas(
    baseline: Study, count: int, ports: Ports, known: Sequence[Idea] = (), after: int = 0
) -> tuple[tuple[Idea, ...], bool]:
    """Up to ``count`` ideas on a study that has its baseline alone, and whether these are all; ``known`` are
    those of the proposals up to number ``after``. One that repeats another, or a seed idea, is noted and omitted. If the model fails, the ideas
    before are used, and resume asks for the others. Raises :class:`ModelFailed` if there is none.
    """
    ideas = [*known]
    for number in range(after + 1, count + 1):
        try:
            idea = propose_idea(baseline, ideas, number, ports)
        except ModelFailed as error:
            if isinstance(error, KeyRefused) or not ideas:
                raise
            left = IdeasLeft(ideas=tuple(ideas), why=error.what)
            ports.note(left, settled=False)
            return tuple(ideas), False
        ideas += [idea] if idea else []
    require_one(ideas, count)
    return tuple(ideas), True


def require_one(ideas: Sequence[Idea], count: int) -> None:
    """Raise :class:`BadReply` if ``count`` requests gave no idea of the model's own."""
    if not ideas:
        raise BadReply(
            f"the model proposed no idea beyond the template's own, asked {count} times",
            where="step ideas.propose",
            todo="ask for more with --ideas, or choose another model",
        )


def propose_idea(
    baseline: Study,
    known: Sequence[Idea],
    number: int,
    ports: Ports,
    scores: Mapping[str, float | None] | None = None,
) -> Idea | None:
    """The run's idea of that number, from 1; None if it repeats one of ``known`` or a seed idea, which
    is noted. ``scores`` are those of earlier ideas by id, in an open-ended run. Raises
    :class:`ModelFailed`.
    """
    idea = _propose(baseline, known, ports.within(f"idea_{number}"), scores)
    template = baseline.template
    knobs = {name: knob.constant for name, knob in template.manifest.knobs.items()}
    other, why = nearest_idea(idea, (*template.seed_ideas(), *known), knobs)
    if other is None:
        return idea
    ports.note(IdeaDuplicated(number=number, name=idea.name, why=f"{why} as {other.name}"))
    return None


def _propose(
    baseline: Study,
    ideas: Sequence[Idea],
    ports: Ports,
    scores: Mapping[str, float | None] | None,
) -> Idea:
    template = baseline.template
    scale = template.scale(baseline.scale)
    measured = {
        "scale": {"name": baseline.scale, "description": scale.description, **seeds_dict(baseline)},
        "limits_of_one_run": limits_dict(baseline.policy),
        "most_runs": planned_at_most(baseline.policy, baseline.runs[0].seconds),
        "run": run_facts(baseline, baseline.runs[0], ports.blobs),
    }
    given = {} if scores is None else {idea.id: {"score": scores.get(idea.id)} for idea in ideas}
    own = [idea_dict(idea) | given.get(idea.id, {}) for idea in ideas[-_ARCHIVE:]]
    archive = [*map(idea_dict, template.seed_ideas()), *own]
    first = render(
        "ideas_propose",
        template=template_block(template),
        task=block("task", template.task().model_dump()),
        baseline=block("baseline", measured),
        archive=block("archive", archive),
        scores="" if scores is None else prompt_text("ideas_scored").strip(),
        runs=str(min(USUAL_RUNS, planned_at_most(baseline.policy, baseline.runs[0].seconds))),
    )
    turns = code_message(baseline, ports), Message("user", first)
    ask = Ask(purpose="ideas.propose", messages=turns)
    proposal = ask_and_reflect(
        ports, ask, Proposal, "ideas.reflect", _REFLECTIONS, lambda reply: reply.done
    )
    return Idea(**proposal.model_dump(exclude={"done"}))
