"""The facts of one idea for its report, from its journal, its run's journal and their blobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from orchestrator.core.errors import BadJournal, BadResults
from orchestrator.core.research import Failure, Idea, Novelty, Run
from orchestrator.core.tree import Tree
from orchestrator.record.asked_stages import STAGE_NAMES, recorded_stages
from orchestrator.record.calls import Step, steps
from orchestrator.record.events import IdeaForked, IdeaStarted, Noted
from orchestrator.record.import_notes import Imported
from orchestrator.record.journal import Journal
from orchestrator.record.literature_notes import IdeaSkipped, NoveltyJudged, NoveltyOverruled
from orchestrator.record.notes import (
    IdeaFinished,
    RunFinished,
    StageBegan,
    StageFailed,
    StageReached,
    read_note,
)
from orchestrator.record.paper_notes import SentenceDoubted, SentencesDoubted
from orchestrator.record.pins import Pins
from orchestrator.record.plan_notes import Criticized, Instrumented, PlanMade, RunGivenUp
from orchestrator.template.baseline import baseline_run
from orchestrator.template.manifest import Manifest, Metric
from orchestrator.template.results import Results, parse_final_info
from orchestrator.template.template import from_files

_EXPERIMENTS, _CRITIQUE, _WRITEUP, _IMPROVE = map(
    STAGE_NAMES.index, ("experiments", "critique", "writeup", "improve")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdeaFacts:
    """The facts of one idea. ``runs`` begin with the baseline, if known. ``shared`` are the calls
    that the run made for all its ideas, ``left`` those of branches that forks left. ``lacking``
    is what a finished paper is not, ``failures`` are of stages that have no result, ``unverified`` is of a paper's statements. ``imported`` says where
    runs come from that this program did not make.
    """

    idea: Idea
    novelty: Novelty
    pins: Pins | None
    manifest: Manifest | None
    status: str
    lacking: tuple[str, ...]
    failures: tuple[Failure, ...]
    unverified: Failure | None
    stages: tuple[tuple[str, float], ...]
    runs: tuple[Run, ...]
    results: tuple[tuple[int, Results], ...]
    plans: tuple[PlanMade, ...]
    given_up: tuple[RunGivenUp, ...]
    critiques: tuple[Criticized, ...]
    doubts: tuple[SentenceDoubted, ...]
    reached: StageReached
    steps: tuple[Step, ...]
    left: tuple[Step, ...]
    shared: tuple[Step, ...]
    imported: Imported | None
    paper_imported: bool
    journal: Journal

    def of(self, port: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.port == port)

    @property
    def paid(self) -> tuple[Step, ...]:
        """Every model call, also of branches that forks left."""
        return tuple(step for step in (*self.left, *self.steps) if step.port == "model")

    @property
    def metrics(self) -> dict[str, Metric]:
        """The template's metrics and those that the study declared, as the results name them."""
        there = {name.removesuffix("_mean"): name for _, r in self.results for name in r.metrics}
        added = (one for note in self.plans for one in note.plan.metrics)
        declared = {
            there.get(one.name.removesuffix("_mean"), one.name): Metric(
                direction=one.direction, unit=one.unit, description=one.description
            )
            for one in added
        }
        return {**declared, **(self.manifest.metrics if self.manifest else {})}

    @property
    def author(self) -> str:
        """The author of the idea's paper, from the run's pins; of an imported one, until it is written here."""
        if self.paper_imported:
            return "The AI Scientist"
        return self.pins.model().author if self.pins else "an unnamed model"

    def blob(self, sha256: str) -> bytes:
        return self.journal.blobs.get(sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the ideas of a run share, read once: its journal grows with the number of ideas."""

    pins: Pins | None
    manifest: Manifest | None
    shared: tuple[Step, ...]


def read_run(run: Journal) -> RunFacts:
    """The facts that the ideas of this run's journal share."""
    calls = steps(run)
    shared = tuple(step for step in calls if step.scope == "run/baseline" and step.answer)
    manifest = None
    if run.pins is not None:
        known = run.pins.template
        files = {name: run.blobs.get(sha256) for name, sha256 in known.files.files}
        manifest = from_files(files, known.name, known.origin).manifest
    return RunFacts(pins=run.pins, manifest=manifest, shared=shared)


def read_idea(journal: Journal, run: RunFacts | None) -> IdeaFacts:
    """The facts of one idea; without ``run``, no baseline. Raises :class:`BadJournal`."""
    first = journal.events[0] if journal.events else None
    if not isinstance(first, IdeaStarted):
        raise BadJournal(
            "this is not the journal of an idea",
            where=str(journal.path),
            todo="name the folder of a run: `aisci report RUN`",
        )
    asked = recorded_stages(journal, first.id)
    scopes = [f"idea/{first.id}/{scope}" for scope in asked.scopes()]
    ends = journal.notes(IdeaFinished, below=f"idea/{first.id}/{asked.ends()[-1]}")
    end = ends[-1] if ends else None
    imported = next(iter(journal.notes(Imported, below=scopes[_EXPERIMENTS])), None)
    reached = [note for scope in scopes for note in journal.notes(StageReached, below=scope)]
    shared = run.shared if run is not None else ()
    # Runs are made in the experiments, and where a critic or an improvement asks for more.
    of_runs = (scopes[_EXPERIMENTS], scopes[_CRITIQUE], *scopes[_IMPROVE:])
    runs = tuple(note.run for at in of_runs for note in journal.notes(RunFinished, below=at))
    instrumented = journal.notes(Instrumented, below=scopes[_EXPERIMENTS])
    if instrumented:
        runs = (instrumented[-1].run, *runs)
    elif shared and shared[-1].result.ok:
        runs = (baseline_run(shared[-1].job, shared[-1].result), *runs)
    elif imported is not None:
        runs = imported.runs
    return IdeaFacts(
        idea=first.idea,
        novelty=_novelty(journal),
        pins=run.pins if run is not None else None,
        manifest=run.manifest if run is not None else None,
        status=_status(journal, scopes, end),
        lacking=(*(end.lacking if end else ()), *(["results imported"] if imported else [])),
        failures=tuple(_failures(journal, scopes)),
        unverified=_unverified(journal, end),
        stages=_stages(journal),
        runs=runs,
        results=tuple(_results(runs, journal)),
        plans=tuple(note for at in of_runs for note in journal.notes(PlanMade, below=at)),
        given_up=tuple(note for at in of_runs for note in journal.notes(RunGivenUp, below=at)),
        critiques=tuple(journal.notes(Criticized, below=of_runs[1])),
        doubts=tuple(
            doubt
            for at in (scopes[_WRITEUP], *scopes[_IMPROVE:])
            for note in journal.notes(SentencesDoubted, below=at)
            for doubt in note.doubts
        ),
        reached=reached[-1] if reached else StageReached(stage="", tree=Tree()),
        steps=steps(journal),
        left=steps(journal, left=True),
        shared=shared,
        imported=imported,
        paper_imported=imported is not None and "#" not in scopes[_WRITEUP],
        journal=journal,
    )


def _novelty(journal: Journal) -> Novelty:
    """The last word on the idea's novelty: a person's counts before the model's."""
    overruled = journal.notes(NoveltyOverruled, below="idea")
    judged = journal.notes(NoveltyJudged, below="idea")
    known = [one.novelty for one in judged] + [one.novelty for one in overruled]
    return known[-1] if known else Novelty(decision="undecided", reason="it was not judged")


def _status(journal: Journal, scopes: list[str], end: IdeaFinished | None) -> str:
    if end is not None:
        return "finished"
    if list(_failures(journal, scopes)):
        return "failed"
    if _novelty(journal).decision == "not novel" and journal.notes(IdeaSkipped, below="idea"):
        return "not novel"
    return "unfinished"


def _failures(journal: Journal, scopes: list[str]) -> Iterator[Failure]:
    """The failure of each stage that was not reached after it."""
    for scope in scopes:
        if not journal.notes(StageReached, below=scope):
            yield from (note.failure for note in journal.notes(StageFailed, below=scope)[-1:])


def _unverified(journal: Journal, end: IdeaFinished | None) -> Failure | None:
    """The statements of the paper that no result carries, where its stage ended so: the paper stands then."""
    if end is not None and end.verified:
        return None
    found = None
    for line in journal.events:
        if isinstance(line, Noted) and line.name in {"stage", "failed"}:
            note = read_note(journal.load(line.body))
            if isinstance(note, StageFailed) and note.failure.stage == "verify":
                found = note.failure
            elif isinstance(note, StageBegan) and note.name == "verify":
                found = None
    return found


def _stages(journal: Journal) -> tuple[tuple[str, float], ...]:
    """(stage, seconds of wall time), from the times of the lines."""
    forked = max((line.n for line in journal.events if isinstance(line, IdeaForked)), default=0)
    marks = [
        (note.name, line.at)
        for line in journal.events
        if isinstance(line, Noted) and line.name == "stage" and line.n > forked
        if isinstance(note := read_note(journal.load(line.body)), StageBegan)
    ]
    marks.append(("", journal.events[-1].at))
    return tuple((name, between(at, end)) for (name, at), (_, end) in pairwise(marks))


def between(began: str, ended: str) -> float:
    """Seconds between two of the journal's times."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _results(runs: tuple[Run, ...], journal: Journal) -> list[tuple[int, Results]]:
    results = []
    for run in runs:
        sha256 = run.files.get(f"run_{run.number}/final_info.json")
        if sha256 is not None:
            try:
                results.append((run.number, parse_final_info(journal.blobs.get(sha256))))
            except BadResults:  # a hostile record: a run noted as finished had readable results
                continue
    return results
