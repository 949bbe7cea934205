"""Where a run's ideas come from: a list, or proposals that are told the scores of the ideas before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.errors import KeyRefused, ModelFailed
from orchestrator.core.research import Idea
from orchestrator.record.notes import ArchiveTaken, IdeasLeft
from orchestrator.record.ports import Ports
from orchestrator.research.run_spec import PursuedIdea, Study
from orchestrator.research.stages.ideas import propose_idea, require_one
from orchestrator.research.stages.panel import mean_overall


class IdeaSource(Protocol):
    """The ideas of a run, in turn, ``count`` at most; ``whole`` once they are all that were asked for."""

    whole: bool

    @property
    def count(self) -> int: ...

    def after(self, outcomes: Sequence[PursuedIdea]) -> Iterator[Idea]:
        """Each idea; ``outcomes`` grows by those of the ideas before it."""


@dataclass(slots=True)
class ListedIdeas:
    """Implements :class:`IdeaSource`: ideas that are known before the first one is pursued."""

    ideas: tuple[Idea, ...]
    whole: bool

    @property
    def count(self) -> int:
        return len(self.ideas)

    def after(self, outcomes: Sequence[PursuedIdea]) -> Iterator[Idea]:  # noqa: ARG002 - the protocol's
        yield from self.ideas


class OpenEnded:
    """Implements :class:`IdeaSource`: each idea is proposed once those before it were pursued. ``keep``
    receives all of them each time.
    """

    def __init__(
        self, baseline: Study, count: int, ports: Ports, keep: Callable[[tuple[Idea, ...]], None]
    ) -> None:
        self._baseline, self.count, self._ports, self._keep = baseline, count, ports, keep
        self._ideas: list[Idea] = []
        self.whole = False

    def after(self, outcomes: Sequence[PursuedIdea]) -> Iterator[Idea]:
        """If the model fails, resume asks for the others. Raises :class:`ModelFailed` if there is none."""
        for number in range(1, self.count + 1):
            taken = self._archive(number, outcomes)
            try:
                idea = propose_idea(
                    self._baseline, self._ideas, number, self._ports, dict(taken.scores)
                )
            except ModelFailed as error:
                if isinstance(error, KeyRefused) or not self._ideas:
                    raise
                left = IdeasLeft(ideas=tuple(self._ideas), why=error.what)
                self._ports.note(left, settled=False)
                return
            if idea is not None:
                self._ideas.append(idea)
                self._keep(tuple(self._ideas))
                yield idea
        require_one(self._ideas, self.count)
        self.whole = True

    def _archive(self, number: int, outcomes: Sequence[PursuedIdea]) -> ArchiveTaken:
        """The scores as they are now, or as they were when this idea was first proposed: an idea that
        failed then may have been finished since.
        """
        scoped = self._ports.within(f"archive_{number}")
        known = scoped.journal.notes(ArchiveTaken, below=scoped.scope)
        scores = tuple((one.study.idea.id, score_of(one)) for one in outcomes)
        taken = known[0] if known else ArchiveTaken(scores=scores)
        scoped.note(taken)
        return taken


def score_of(outcome: PursuedIdea) -> float | None:
    """The mean overall score of an idea's paper; 0 for an idea that failed, None where nobody judged."""
    if outcome.status != "finished":
        return 0.0
    return mean_overall(outcome.study.reviews)
