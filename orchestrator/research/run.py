"""A whole run: pins, ideas, novelty, the shared baseline, then each idea down the pipeline.

Starting, resuming and replaying are the same function; only the journal's mode differs. Run
and ideas have a journal each, so that no two writers share a file.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from orchestrator import __version__
from orchestrator.core.files import remove_unfinished
from orchestrator.core.research import Idea, Novelty, Run
from orchestrator.core.tree import Tree
from orchestrator.policy.seccomp import shipped
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import Budget, Used
from orchestrator.record.chain import SCHEMA, head_of
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import IdeaPaths, RunPaths
from orchestrator.record.ports import Ports
from orchestrator.research.budgets import idea_budget, run_budget
from orchestrator.research.ideas_file import edited_ideas, write_ideas
from orchestrator.research.pipeline import Outcome, pursue
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.setup import Place, Setup, Tools
from orchestrator.research.stages import experiments, ideas, novelty
from orchestrator.research.study import Study
from orchestrator.template.results import Results
from orchestrator.template.untrained import check_beats, require_held

_IDEAS = TypeAdapter(tuple[Idea, ...])


def research(setup: Setup, place: Place, tools: Tools) -> tuple[Outcome, ...]:
    """Do, finish or replay a run; returns every idea's outcome, in order."""
    if place.mode in {Mode.RESUME, Mode.FORK}:
        remove_unfinished(place.record.folder)
    blobs = BlobStore(place.record.blobs)
    journal = Journal(place.record.journal, blobs, place.mode, tools.listener)
    files = Tree.of({name: blobs.put(data) for name, data in setup.template.files.items()})
    if not journal.lines:
        journal.append("run_started", schema=SCHEMA, pins=pins(setup, files))
    if place.mode is Mode.FORK:
        journal.append("forked", pins=pins(setup, files))
    budget, used = run_budget(setup.policy), _used(place, blobs)
    ports = Ports(tools.edges(blobs), journal, blobs, budget.after(*used.values()), "run")
    chosen = _ideas(setup, place, ports)
    judged = {idea.id: novelty.decide(idea, ports.within("novelty", idea.id)) for idea in chosen}
    baseline = _baseline(setup, files, ports)
    outcomes = []
    for idea in chosen:
        study = _study(setup, files, idea, judged[idea.id], baseline)
        own = place.record.idea(idea).journal
        others = (by for path, by in used.items() if path != own)
        left = budget.after(Used.by(journal), *others)
        outcome, used[own] = _idea(study, place, tools, blobs, left)
        ended = {"idea": idea.id, "status": outcome.status}
        journal.note(f"run/{idea.id}", "outcome", ended, settled=outcome.settled)
        outcomes.append(outcome)
    if all(outcome.settled for outcome in outcomes):
        journal.seal(ideas=_heads(place.record))
    tools.saving.run(place, journal, tuple(outcomes))
    return tuple(outcomes)


def pins(setup: Setup, files: Tree) -> dict[str, Any]:
    """Everything that decides what a run does; resume holds it to these."""
    return {
        "program": __version__,
        "template": {
            "name": setup.template.name,
            "origin": setup.template.origin,
            "hash": setup.template.hash,
            "files": [list(pair) for pair in files.files],
        },
        "policy": {
            "name": setup.policy.name,
            "origin": setup.policy.origin,
            "hash": setup.policy.hash,
            "settings": setup.policy.settings,
        },
        "seccomp": shipped().normal(),  # what the policy's word "default" stands for
        "prompts": prompts_hash(),
        "images": [list(pair) for pair in setup.images],
        "model": setup.model,
        "author": setup.author,
        "prices": [list(pair) for pair in setup.prices],
        "scale": setup.scale,
        "ideas": setup.ideas,
        "data": [[one.name, one.hash, one.folder] for one in setup.data],
        "proof": setup.proof,
        "baseline": setup.baseline,
    }


def _ideas(setup: Setup, place: Place, ports: Ports) -> tuple[Idea, ...]:
    """The proposed ideas, with the changes that a person made to ``ideas.json`` since."""
    chosen = ideas.propose(setup.template, setup.ideas, experiments.RUNS, ports.within("ideas"))
    for value in ports.journal.notes("ideas_edited", below="run"):
        chosen = _IDEAS.validate_python(value)
        ports.note("ideas_edited", chosen)
    if place.mode in {Mode.RESUME, Mode.FORK}:
        changed = edited_ideas(place.record.ideas, chosen)
        if changed is not None:
            ports.note("ideas_edited", changed)
            chosen = changed
    write_ideas(place.output.ideas, chosen)
    return chosen


def _baseline(setup: Setup, files: Tree, ports: Ports) -> tuple[Run, Results]:
    """The template's own run, held against what its scale declares of a trained model."""
    here = ports.within("baseline")
    job = experiments.baseline_job(
        setup.template, setup.policy, setup.scale, files, scope=here.scope, data=setup.mounts
    )
    run, results = experiments.baseline(job, here)
    beats = check_beats(setup.template.manifest, setup.scale, results)
    if beats:
        here.note("beats", beats)
    require_held(beats)
    return run, results


def _study(
    setup: Setup, files: Tree, idea: Idea, judged: Novelty, baseline: tuple[Run, Results]
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
    study: Study, place: Place, tools: Tools, shared: BlobStore, left: Budget
) -> tuple[Outcome, Used]:
    """One idea with a journal, a blob store and edges of its own; and what it used in all."""
    record, output = place.record.idea(study.idea), place.output.idea(study.idea)
    blobs = BlobStore(record.blobs, shared)
    journal = Journal(record.journal, blobs, place.mode, tools.listener)
    if not journal.lines:
        about = {"idea": asdict(study.idea), "id": study.idea.id, "novelty": asdict(study.novelty)}
        journal.append("idea_started", schema=SCHEMA, **about)
    budget = idea_budget(study.policy).within(left)
    ports = Ports(tools.edges(blobs), journal, blobs, budget, f"idea/{study.idea.id}")
    if study.novelty.decision == "not novel":
        ports.note("skipped", {"why": study.novelty.reason})
        outcome = Outcome(status="not novel", study=study)
    else:
        outcome = pursue(study, ports, lambda now: _save(now, output, blobs))
    if outcome.settled:
        journal.seal()
    _save(outcome.study, output, blobs)
    tools.saving.idea(output, journal, outcome)
    return outcome, Used.by(journal)


def _used(place: Place, shared: BlobStore) -> dict[Path, Used]:
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
