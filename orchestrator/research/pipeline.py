"""The pipeline of one idea: a tuple of stages, and the only broad ``except``.

A failure is of one of three kinds. What the model or the editor failed at is transient: resume tries
it again. A stage that gives up is noted, and can be asked for again (``retries.py``); the results of
the stages before it are kept. A stage after the paper that fails does not end the idea. Errors that
concern the whole run (an interrupt, a refused key, an invalid journal, a full disk, a lost engine)
are raised further.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.errors import (
    AisciError,
    BadJournal,
    DiskFull,
    Diverged,
    EngineUnavailable,
    Interrupted,
    KeyRefused,
    UserError,
)
from orchestrator.core.research import Failure
from orchestrator.record.literature_notes import IdeaSkipped, NoveltyJudged, NoveltyOverruled
from orchestrator.record.notes import (
    IdeaFinished,
    RunFinished,
    StageBegan,
    StageFailed,
    StageReached,
    Status,
)
from orchestrator.record.ports import Ports
from orchestrator.record.retries import STAGE_NAMES, Retries, retries
from orchestrator.research.run_spec import PursuedIdea, Study
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.stages.critique import criticize
from orchestrator.research.stages.experiments import experiments
from orchestrator.research.stages.imported import stage_of_import
from orchestrator.research.stages.improving import improve_paper
from orchestrator.research.stages.notes import write_notes
from orchestrator.research.stages.novelty import judge_novelty
from orchestrator.research.stages.panel import review_paper
from orchestrator.research.stages.plots import draw_plots
from orchestrator.research.stages.verify import unresolved_failure, verify_numbers
from orchestrator.research.stages.writeup import write_sections

Stage = Callable[[Study, Ports], Study]

STAGES: tuple[Stage, ...] = (
    judge_novelty,
    experiments,
    draw_plots,
    criticize,
    write_notes,
    write_sections,
    compile_paper,
    verify_numbers,
    review_paper,
    improve_paper,
)
_AFTER_PAPER = frozenset({"verify", "review", "improve"})

RUN_ERRORS = (
    Interrupted, KeyRefused, Diverged, BadJournal, DiskFull, EngineUnavailable, UserError,
)  # fmt: skip


def pursue(
    study: Study, ports: Ports, save: Callable[[Study], None], again: str = ""
) -> PursuedIdea:
    """Take one idea through every stage; ``save`` writes its files after each stage. ``again`` is
    the stage that a user asked for again.
    """
    asked, failures = retries(ports, again), list[Failure]()
    for name, stage in zip(STAGE_NAMES, STAGES, strict=True):
        if name == "improve" and any(failure.stage == "review" for failure in failures):
            continue  # there is nothing to improve on; resume reviews first
        scoped = ports.within(asked.scope(name))
        scoped.note(StageBegan(name=name))
        try:
            taken = stage_of_import(name, study, again=asked.scope(name) != name)
            study = (taken or stage)(study, scoped)
        except RUN_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - recorded; other ideas continue
            failures.append(failure_of(name, error))
            scoped.note(StageFailed(failure=failures[-1]), settled=not failures[-1].transient)
            if name in _AFTER_PAPER:
                continue
            study = _salvaged(study, scoped)
            return _ended("failed", study, failures, asked, ports)
        if name == "novelty" and study.novelty.decision == "not novel":
            scoped.note(IdeaSkipped(why=study.novelty.reason))
            return _ended("not novel", study, failures, asked, ports)
        if name == "verify" and study.unresolved:
            failures.append(failure_of(name, unresolved_failure(study)))
            scoped.note(StageFailed(failure=failures[-1]))
        scoped.note(_reached(name, study))
        save(study)
    outcome = _ended("finished", study, failures, asked, ports)
    finished = IdeaFinished(
        runs=len(study.runs),
        claims=len(study.claims),
        verified=all(failure.stage != "verify" for failure in failures),
        reviewed=study.review is not None,
    )
    ports.within(asked.scope(STAGE_NAMES[-1])).note(finished, settled=outcome.settled)
    return outcome


def _ended(
    status: Status, study: Study, failures: list[Failure], asked: Retries, ports: Ports
) -> PursuedIdea:
    """The outcome. Of several failures it has one that resume tries again, if there is one."""
    failure = next(iter(sorted(failures, key=lambda one: not one.transient)), None)
    # A person who overrules a judgement that stands asks for the idea again, as with a retry.
    judged = bool(ports.journal.notes(NoveltyJudged, below=ports.scope))
    overruled = len(ports.journal.notes(NoveltyOverruled, below=ports.scope)) if judged else 0
    again = len(asked.stages) + overruled
    return PursuedIdea(status=status, study=study, failure=failure, retried=again)


def _reached(name: str, study: Study) -> StageReached:
    return StageReached(
        stage=name,
        tree=study.tree,
        figures=study.figures,
        captions=study.pictures,
        paper=study.paper,
        claims=study.claims,
        reviews=study.reviews,
        meta_review=study.meta_review,
        improvements=study.improvements,
    )


def failure_of(stage: str, error: Exception) -> Failure:
    """The failure to record for what a stage raised."""
    if isinstance(error, AisciError):
        what = "\n".join(filter(None, (error.what, error.why)))
        where, todo, transient = error.where or stage, error.todo, error.transient
    else:
        # File and line, without folders: their names can be private.
        *_, innermost = traceback.extract_tb(error.__traceback__)
        where = f"{innermost.filename.rsplit('/', 1)[-1]}:{innermost.lineno}"
        what, transient = f"the program itself is at fault: {error}", False
        todo = "please report this with the idea's journal.jsonl"
    kind = type(error).__name__
    return Failure(stage=stage, error=kind, what=what, where=where, todo=todo, transient=transient)


def _salvaged(study: Study, ports: Ports) -> Study:
    """The study with the runs that finished inside the stage that failed."""
    known = {run.number for run in study.runs}
    notes = ports.journal.notes(RunFinished, below=ports.scope, now=True)
    added = tuple(note.run for note in notes if note.run.number not in known)
    tree = study.tree
    for run in added:
        source = {f"run_{run.number}.py": run.code.as_dict()["experiment.py"]}
        tree = tree.updated(run.files).updated(source)
    return replace(study, tree=tree, runs=(*study.runs, *added))
