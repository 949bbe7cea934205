"""Where a run's ideas come from: a list, or proposals that are told the scores of the ideas before them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Protocol

from orchestrator.core.errors import KeyRefused, ModelFailed
from orchestrator.core.research import Idea
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import ArchiveTaken, IdeasEdited, IdeasLeft
from orchestrator.record.ports import Ports
from orchestrator.research.ideas_file import edited_ideas, require_unedited, write_ideas
from orchestrator.research.run_spec import PursuedIdea, RunLocation, RunSpec, Study
from orchestrator.research.stages.ideas import propose_idea, propose_ideas, require_one
from orchestrator.research.stages.panel import mean_overall


class IdeaSource(Protocol):
    """The ideas of a run: ``ideas`` in their order, as far as they are known, ``count`` at most; ``whole`` once
    they are all that were asked for.
    """

    whole: bool

    @property
    def ideas(self) -> tuple[Idea, ...]: ...

    @property
    def count(self) -> int: ...

    def after(self, outcomes: Sequence[PursuedIdea]) -> Iterator[Idea]:
        """Each idea when it may begin; ``outcomes`` grows by those of the ideas before it."""

    def to_come(self, begun: Container[str]) -> tuple[int | None, ...]:
        """The runs that each idea is expected to take which is not ``begun``, by its id; None where nothing
        is known.
        """


@dataclass(slots=True)
class ListedIdeas:
    """Implements :class:`IdeaSource`: ideas that are known before the first one is pursued. Of more than are
    in flight (``parallel``), those that take most runs begin first, since they decide when the run ends.
    """

    ideas: tuple[Idea, ...]
    whole: bool
    parallel: int = 1

    @property
    def count(self) -> int:
        return len(self.ideas)

    def after(self, outcomes: Sequence[PursuedIdea]) -> Iterator[Idea]:  # noqa: ARG002 - the protocol's
        known = [idea.runs for idea in self.ideas if idea.runs is not None]
        if not known or not 1 < self.parallel < len(self.ideas):
            yield from self.ideas
            return
        usual = fmean(known)
        yield from sorted(self.ideas, key=lambda idea: -(usual if idea.runs is None else idea.runs))

    def to_come(self, begun: Container[str]) -> tuple[int | None, ...]:
        return tuple(idea.runs for idea in self.ideas if idea.id not in begun)


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

    @property
    def ideas(self) -> tuple[Idea, ...]:
        return tuple(self._ideas)

    def to_come(self, begun: Container[str]) -> tuple[int | None, ...]:
        left = self.count - sum(idea.id in begun for idea in self._ideas)
        return (None,) * left

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
                left = IdeasLeft(ideas=self.ideas, why=error.what)
                self._ports.note(left, settled=False)
                return
            if idea is not None:
                self._ideas.append(idea)
                self._keep(self.ideas)
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


@dataclass(frozen=True, slots=True)
class KnownIdeas:
    """What a run's journal says of its ideas before it goes on: edits of ``ideas.json``, lists that were to grow
    still, and the pins: how many were asked for, and which were given.
    """

    edits: tuple[IdeasEdited, ...]
    left: tuple[tuple[Idea, ...], ...]
    asked: int
    given: tuple[Idea, ...]

    @classmethod
    def of(cls, journal: Journal) -> KnownIdeas:
        """Of a journal that has its first line, before a fork begins its notes anew."""
        assert journal.pins is not None
        left = (note.ideas for note in journal.notes(IdeasLeft, below="run"))
        edits = journal.notes(IdeasEdited, below="run")
        return cls(tuple(edits), tuple(left), journal.pins.ideas, journal.pins.given)

    def grow(self, spec: RunSpec) -> bool:
        """Whether ``spec`` asks for more ideas of the same kind."""
        same = spec.given[: len(self.given)] == self.given and bool(spec.given) == bool(self.given)
        return same and spec.ideas > self.asked


def chosen_source(
    baseline: Study, spec: RunSpec, location: RunLocation, ports: Ports, known: KnownIdeas
) -> IdeaSource:
    """The given or proposed ideas, or those of the last edit of ``ideas.json``. They are not whole where resume
    asks for more.
    """
    if spec.open_ended:
        keep = partial(write_ideas, location.output.ideas)
        return OpenEnded(baseline, spec.ideas, ports.within("ideas"), keep)
    grow = known.grow(spec)
    chosen, whole = known.given if grow else spec.given, True
    if not chosen:
        count = known.asked if grow else spec.ideas
        chosen, whole = propose_ideas(baseline, count, ports.within("ideas"))
    for edited in known.edits:
        chosen = edited.ideas
    changed = None
    if location.mode in {Mode.RESUME, Mode.FORK}:
        changed = edited_ideas(location.record.ideas, chosen)
        changed = None if changed in known.left else changed
    if grow:
        require_unedited(location.record.ideas, edited=bool(known.edits or changed))
        chosen, whole = _grown(baseline, spec, (chosen, whole), known.asked, ports)
    elif changed is not None:
        ports.note(IdeasEdited(ideas=changed))
        chosen = changed
    write_ideas(location.output.ideas, chosen)
    return ListedIdeas(chosen, whole, location.parallel)


def _grown(
    baseline: Study, spec: RunSpec, known: tuple[tuple[Idea, ...], bool], asked: int, ports: Ports
) -> tuple[tuple[Idea, ...], bool]:
    """The ``known`` ideas and more. If the run stops here, their list in ``ideas.json`` is no person's edit."""
    ideas, whole = known
    ports.note(IdeasLeft(ideas=ideas, why="more are asked for"), settled=False)
    if spec.given:
        return spec.given, True
    if not whole:
        return known
    return propose_ideas(baseline, spec.ideas, ports.within("ideas"), ideas, asked)


def score_of(outcome: PursuedIdea) -> float | None:
    """The mean overall score of an idea's paper; 0 for an idea that failed, None where nobody judged."""
    if outcome.status != "finished":
        return 0.0
    return mean_overall(outcome.study.reviews)
