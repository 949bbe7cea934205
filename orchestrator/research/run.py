"""A whole run: pins, the shared baseline, ideas, then the pipeline of each idea.

Start, resume and replay are the same function; only the journal's mode differs. The run and each
idea have their own journal, so that no two writers share a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from threading import Event
from typing import Any

from orchestrator.core.errors import BadTemplate, HarvestRefused, SandboxFailed
from orchestrator.core.files import remove_unfinished
from orchestrator.core.research import Idea, Novelty, Run
from orchestrator.core.tree import Tree
from orchestrator.record.asked_stages import asked_stages
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.chain import head_of, is_sealed, read_lines
from orchestrator.record.end_notes import RunFailed
from orchestrator.record.events import Forked, IdeaForked, IdeaStarted, RunStarted
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import (
    BaselineCompared,
    IdeaEnded,
    StagesAsked,
)
from orchestrator.record.paths import RunPaths
from orchestrator.record.ports import Ports
from orchestrator.research.idea_sources import IdeaSource, KnownIdeas, ListedIdeas, chosen_source
from orchestrator.research.in_flight import in_flight
from orchestrator.research.pins import pins_of
from orchestrator.research.pipeline import failure_of, pursue
from orchestrator.research.run_budget import live_use, run_budget
from orchestrator.research.run_spec import PursuedIdea, RunDeps, RunLocation, RunSpec, Study
from orchestrator.research.stages import experiments
from orchestrator.research.stages.imported import content_of, imported_start
from orchestrator.template.contract.advice import Attempted
from orchestrator.template.headline_metrics import require_headlines
from orchestrator.template.results import Results, compare_untrained, require_held

ENDS_OF_RUN = (BadTemplate, HarvestRefused, SandboxFailed)
"""Errors of a baseline that the same template and policy meet again."""


def research(spec: RunSpec, location: RunLocation, deps: RunDeps) -> tuple[PursuedIdea, ...]:
    """Start, resume or replay a run; return the outcome of every idea, in order.

    A run whose baseline fails is sealed as failed; then it raises one of :data:`ENDS_OF_RUN`.
    """
    if location.mode in {Mode.RESUME, Mode.FORK}:
        remove_unfinished(location.record.folder)
    store = BlobStore.reading if location.mode is Mode.REPLAY else BlobStore
    blobs = store(location.record.blobs)
    journal = Journal(location.record.journal, blobs, location.mode, deps.listener)
    files = Tree.of({name: blobs.put(data) for name, data in spec.template.files.items()})
    if not journal.events:
        journal.append(RunStarted(pins=pins_of(spec, files), **_told(location)))
    known, whole = KnownIdeas.of(journal), journal.sealed
    if location.mode is Mode.FORK:
        journal.append(Forked(pins=pins_of(spec, files), **_told(location)))
    budget = run_budget(spec.policy, journal, live_use(location, blobs))
    edges = replace(deps.edges(blobs), efforts=dict(spec.effort))
    ports = Ports(edges, journal, blobs, budget, "run", stop=Event())
    try:
        baseline = _first_study(spec, files, ports)
    except ENDS_OF_RUN as error:  # resume would meet it again: the record has its end
        ports.within("baseline").note(RunFailed(failure=failure_of("baseline", error)))
        journal.seal(ideas=_heads(location.record))
        deps.exporter.run(location, journal, ())
        raise
    for edited in known.edits:
        ports.note(edited)
    source: IdeaSource = (
        ListedIdeas(begun_ideas(location.record), whole=False)
        if location.idea
        and not whole  # the run's other ideas, and those it has not, are left alone
        else chosen_source(baseline, spec, location, ports, known)
    )
    outcomes = _pursued(source, baseline, location, deps, ports, blobs)
    if source.whole and all(outcome.settled for outcome in outcomes):
        journal.seal(ideas=_heads(location.record))
    deps.exporter.run(location, journal, outcomes)
    return outcomes


def _told(location: RunLocation) -> dict[str, Any]:
    """What a line that pins says besides of who began it here, and what its images hold."""
    return {"by": location.by, "contents": location.contents}


def _pursued(
    source: IdeaSource,
    baseline: Study,
    location: RunLocation,
    deps: RunDeps,
    ports: Ports,
    shared: BlobStore,
) -> tuple[PursuedIdea, ...]:
    """The outcomes in the order of the ideas, however many are in flight."""
    outcomes: list[PursuedIdea] = []
    begun: set[str] = set()

    def works() -> Iterator[Callable[[], PursuedIdea]]:
        for idea in source.after(outcomes):
            begun.add(idea.id)
            ports.edges.outlook.coming(source.to_come(begun))
            own, study = location.record.idea(idea).journal, replace(baseline, idea=idea)
            if location.idea not in {"", idea.id} and not is_sealed(own):
                outcomes.append(PursuedIdea(status="stopped", study=study))
            else:
                yield _begun(study, location, deps, ports, shared)

    def ended(outcome: PursuedIdea) -> None:
        _note_end(ports.journal, outcome.study.idea, outcome)
        outcomes.append(outcome)

    in_flight(works(), location.parallel, ports.stop or Event(), ended)
    order = [idea.id for idea in source.ideas]
    return tuple(sorted(outcomes, key=lambda outcome: order.index(outcome.study.idea.id)))


def _first_study(spec: RunSpec, files: Tree, ports: Ports) -> Study:
    """The study on the baseline: measured, before any model is called, which shows that template and policy
    fit; or imported.
    """
    if spec.imported is None:
        return baseline_study(spec, files, _baseline(spec, files, ports))
    content = content_of(spec.imported, ports.blobs.get)
    study = baseline_study(spec, files, (content.runs[0], content.results[0][1]))
    return imported_start(study, spec.imported, content, ports.keep)


def _note_end(journal: Journal, idea: Idea, outcome: PursuedIdea) -> None:
    """The idea's end in the run's journal; after a retry at a scope of its own."""
    again = f"#{outcome.retried + 1}" if outcome.retried else ""
    ended = IdeaEnded(idea=idea.id, status=outcome.status)
    journal.note(f"run/{idea.id}{again}", ended, settled=outcome.settled)


def _baseline(spec: RunSpec, files: Tree, ports: Ports) -> tuple[Run, Results]:
    """The run of the unchanged template, checked against the margins that its scale declares."""
    ports = ports.within("baseline")
    job = experiments.baseline_job(
        spec.template, spec.policy, spec.scale, files, scope=ports.scope, data=spec.mounts
    )
    tried = Attempted(spec.template, spec.scale, job.limits.gpus, job.limits.memory)
    run, results = experiments.measure_baseline(job, ports, tried)
    require_headlines(spec.template.manifest, results)
    comparisons = compare_untrained(spec.template.manifest, spec.scale, results)
    if comparisons:
        ports.note(BaselineCompared(comparisons=comparisons))
    require_held(comparisons)
    return run, results


def baseline_study(spec: RunSpec, files: Tree, baseline: tuple[Run, Results]) -> Study:
    """What every study begins with; its idea is not known yet."""
    run, results = baseline
    return Study(
        idea=Idea(name="", title="", experiment=""),
        template=spec.template,
        policy=spec.policy,
        scale=spec.scale,
        author=spec.author,
        sees=spec.seeing,
        novelty=Novelty(decision="undecided", reason="it was not judged yet"),
        tree=files.updated(run.files),
        runs=(run,),
        results=((0, results),),
        data=spec.mounts,
        reviewing=spec.reviewing,
        judged=spec.novelty,
        leave_out=spec.leave_out,
    )


def _begun(
    study: Study, location: RunLocation, deps: RunDeps, run: Ports, shared: BlobStore
) -> Callable[[], PursuedIdea]:
    """The work on one idea, which has its own journal, blobs and edges. Its journal is begun here, in the
    order of the ideas.
    """
    record, output = location.record.idea(study.idea), location.output.idea(study.idea)
    store = BlobStore.reading if location.mode is Mode.REPLAY else BlobStore
    blobs = store(record.blobs, shared)
    journal = Journal(record.journal, blobs, location.mode, deps.listener)
    known = journal.notes(StagesAsked, below="idea")  # a fork begins its notes anew
    if study.leave_out and not known:
        known = [StagesAsked(leave_out=study.leave_out)]
    new = location.asked if location.idea in {"", study.idea.id} else None
    if new is None and location.mode in {Mode.RESUME, Mode.FORK} and not location.idea:
        new = StagesAsked()  # to go on, if it was to stop
    if not journal.events:
        journal.append(IdeaStarted(id=study.idea.id, idea=study.idea))
    elif location.mode is Mode.FORK:
        journal.append(IdeaForked())
    if run.budget.live is not None:
        run.budget.live.follow(journal)
    budget = JournalBudget(**asdict(study.policy.idea)).within(run.budget)
    edges = replace(deps.edges(blobs), efforts=run.edges.efforts)
    ports = Ports(edges, journal, blobs, budget, f"idea/{study.idea.id}", stop=run.stop)
    written: dict[str, str] = {}

    def save(done: Study) -> None:
        output.export(done.tree, blobs, written)

    def work() -> PursuedIdea:
        with ports.edges.outlook.flying(ports.scope, study.idea.runs):
            outcome = pursue(study, ports, save, asked_stages(ports, known, new))
        if outcome.settled:
            journal.seal()
        output.export(outcome.study.tree, blobs, written)
        deps.exporter.idea(output, journal, outcome)
        return outcome

    return work


def begun_ideas(record: RunPaths) -> tuple[Idea, ...]:
    """The ideas of a run that were begun, in that order."""
    journals = record.folder.glob(f"*/{record.journal.name}")
    first = [event for path in journals for event, _ in list(read_lines(path))[:1]]
    started = [line for line in first if isinstance(line, IdeaStarted)]
    return tuple(line.idea for line in sorted(started, key=lambda line: line.at))


def _heads(record: RunPaths) -> dict[str, str]:
    """The head of each idea's journal by its folder: sealing them, the run's head covers all."""
    journals = sorted(record.folder.glob(f"*/{record.journal.name}"))
    return {path.parent.name: head_of(path) for path in journals}
