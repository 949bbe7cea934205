"""A whole run: pins, ideas, novelty, the shared baseline, then each idea down the pipeline.

Starting, resuming and replaying are the same function; only the journal's mode differs. Run
and ideas have a journal each, so that no two writers share a file.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.files import remove_unfinished
from orchestrator.core.research import Idea, Novelty, Run
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget, Used
from orchestrator.record.chain import head_of
from orchestrator.record.events import Forked, IdeaStarted, RunStarted
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import BaselineCompared, IdeaEnded, IdeasEdited, IdeaSkipped
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.ports import Ports
from orchestrator.research.budgets import idea_budget, run_budget
from orchestrator.research.ideas_file import edited_ideas, write_ideas
from orchestrator.research.pins import pins_of
from orchestrator.research.pipeline import PursuedIdea, pursue
from orchestrator.research.run_spec import RunDeps, RunLocation, RunSpec
from orchestrator.research.stages import experiments, ideas, novelty
from orchestrator.research.study import Study
from orchestrator.template.results import Results
from orchestrator.template.untrained import compare_untrained, require_held


def research(setup: RunSpec, place: RunLocation, tools: RunDeps) -> tuple[PursuedIdea, ...]:
    """Do, finish or replay a run; returns every idea's outcome, in order."""
    if place.mode in {Mode.RESUME, Mode.FORK}:
        remove_unfinished(place.record.folder)
    blobs = BlobStore(place.record.blobs)
    journal = Journal(place.record.journal, blobs, place.mode, tools.listener)
    files = Tree.of({name: blobs.put(data) for name, data in setup.template.files.items()})
    if not journal.events:
        journal.append(RunStarted(pins=pins_of(setup, files)))
    if place.mode is Mode.FORK:
        journal.append(Forked(pins=pins_of(setup, files)))
    budget, used = run_budget(setup.policy), _used(place, blobs)
    ports = Ports(tools.edges(blobs), journal, blobs, budget.after(*used.values()), "run")
    chosen = _ideas(setup, place, ports)
    judged = {
        idea.id: novelty.decide_novelty(idea, ports.within("novelty", idea.id)) for idea in chosen
    }
    baseline = _baseline(setup, files, ports)
    outcomes = []
    for idea in chosen:
        study = _study(setup, files, idea, judged[idea.id], baseline)
        own = place.record.idea(idea).journal
        others = (by for path, by in used.items() if path != own)
        left = budget.after(Used.by(journal), *others)
        outcome, used[own] = _idea(study, place, tools, blobs, left)
        ended = IdeaEnded(idea=idea.id, status=outcome.status)
        journal.note(f"run/{idea.id}", ended, settled=outcome.settled)
        outcomes.append(outcome)
    if all(outcome.settled for outcome in outcomes):
        journal.seal(ideas=_heads(place.record))
    tools.saving.run(place, journal, tuple(outcomes))
    return tuple(outcomes)


def _ideas(setup: RunSpec, place: RunLocation, ports: Ports) -> tuple[Idea, ...]:
    """The proposed ideas, with the changes that a person made to ``ideas.json`` since."""
    chosen = ideas.propose_ideas(
        setup.template, setup.ideas, experiments.MAX_RUNS, ports.within("ideas")
    )
    for edited in ports.journal.notes(IdeasEdited, below="run"):
        ports.note(edited)
        chosen = edited.ideas
    if place.mode in {Mode.RESUME, Mode.FORK}:
        changed = edited_ideas(place.record.ideas, chosen)
        if changed is not None:
            ports.note(IdeasEdited(ideas=changed))
            chosen = changed
    write_ideas(place.output.ideas, chosen)
    return chosen


def _baseline(setup: RunSpec, files: Tree, ports: Ports) -> tuple[Run, Results]:
    """The template's own run, held against what its scale declares of a trained model."""
    here = ports.within("baseline")
    job = experiments.baseline_job(
        setup.template, setup.policy, setup.scale, files, scope=here.scope, data=setup.mounts
    )
    run, results = experiments.measure_baseline(job, here)
    comparisons = compare_untrained(setup.template.manifest, setup.scale, results)
    if comparisons:
        here.note(BaselineCompared(comparisons=comparisons))
    require_held(comparisons)
    return run, results


def _study(
    setup: RunSpec, files: Tree, idea: Idea, judged: Novelty, baseline: tuple[Run, Results]
) -> Study:
    run, results = baseline
    return Study(
        idea=idea,
        template=setup.template,
        policy=setup.policy,
        scale=setup.scale,
        author=setup.author,
        novelty=judged,
        tree=files.updated(run.files),
        runs=(run,),
        results=((0, results),),
        data=setup.mounts,
    )


def _idea(
    study: Study, place: RunLocation, tools: RunDeps, shared: BlobStore, left: JournalBudget
) -> tuple[PursuedIdea, Used]:
    """One idea with a journal, a blob store and edges of its own; and what it used in all."""
    record, output = place.record.idea(study.idea), place.output.idea(study.idea)
    blobs = BlobStore(record.blobs, shared)
    journal = Journal(record.journal, blobs, place.mode, tools.listener)
    if not journal.events:
        journal.append(IdeaStarted(id=study.idea.id, idea=study.idea, novelty=study.novelty))
    budget = idea_budget(study.policy).within(left)
    ports = Ports(tools.edges(blobs), journal, blobs, budget, f"idea/{study.idea.id}")
    if study.novelty.decision == "not novel":
        ports.note(IdeaSkipped(why=study.novelty.reason))
        outcome = PursuedIdea(status="not novel", study=study)
    else:
        outcome = pursue(study, ports, lambda now: _save(now, output, blobs))
    if outcome.settled:
        journal.seal()
    _save(outcome.study, output, blobs)
    tools.saving.idea(output, journal, outcome)
    return outcome, Used.by(journal)


def _used(place: RunLocation, shared: BlobStore) -> dict[Path, Used]:
    """What each idea on record has used of the run's budget; also one that was dropped since."""
    if place.mode not in {Mode.RESUME, Mode.FORK}:
        return {}
    found = sorted(place.record.folder.glob(f"*/{place.record.journal.name}"))
    return {
        path: Used.by(Journal(path, BlobStore(path.parent / "blobs", shared))) for path in found
    }


def _heads(record: RunPaths) -> dict[str, str]:
    """The head of each idea's journal by its folder: the run's own head then stands for all."""
    found = sorted(record.folder.glob(f"*/{record.journal.name}"))
    return {path.parent.name: head_of(path) for path in found}


def _save(study: Study, output: IdeaPaths, blobs: BlobStore) -> None:
    output.export(study.tree, blobs)
