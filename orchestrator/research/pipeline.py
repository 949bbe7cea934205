"""The pipeline of one idea: a tuple of stages, and the only broad ``except``.

An error in a stage ends its idea, not the run: the error is noted in the idea's journal, and the
finished runs are kept. Only errors that concern the whole run (an interrupt, an invalid journal, a
full disk, a lost engine) are raised further.
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
    UserError,
)
from orchestrator.core.research import Failure
from orchestrator.record.notes import (
    IdeaFinished,
    RunFinished,
    StageBegan,
    StageFailed,
    StageReached,
)
from orchestrator.record.ports import Ports
from orchestrator.research.run_spec import PursuedIdea, Study
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.stages.experiments import experiments
from orchestrator.research.stages.notes import write_notes
from orchestrator.research.stages.plots import draw_plots
from orchestrator.research.stages.review import review_paper
from orchestrator.research.stages.verify import verify_numbers
from orchestrator.research.stages.writeup import write_sections

Stage = Callable[[Study, Ports], Study]

STAGES: tuple[tuple[str, Stage], ...] = (
    ("experiments", experiments),
    ("plots", draw_plots),
    ("notes", write_notes),
    ("writeup", write_sections),
    ("compile", compile_paper),
    ("verify", verify_numbers),
    ("review", review_paper),
)

_RUN_ERRORS = (Interrupted, Diverged, BadJournal, DiskFull, EngineUnavailable, UserError)


def pursue(study: Study, ports: Ports, save: Callable[[Study], None]) -> PursuedIdea:
    """Take one idea through every stage; ``save`` writes its files after each stage."""
    for name, stage in STAGES:
        ports.note(StageBegan(name=name))
        try:
            study = stage(study, ports.within(name))
        except _RUN_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - recorded; other ideas continue
            failure = _failure(name, error)
            ports.note(StageFailed(failure=failure), settled=not failure.transient)
            return PursuedIdea(status="failed", study=_salvaged(study, ports), failure=failure)
        reviews = (study.review,) if study.review is not None else ()
        ports.note(
            StageReached(
                stage=name,
                tree=study.tree,
                figures=study.figures,
                paper=study.paper,
                claims=study.claims,
                reviews=reviews,
            )
        )
        save(study)
    ports.note(IdeaFinished(runs=len(study.runs), claims=len(study.claims)))
    return PursuedIdea(status="finished", study=study)


def _failure(stage: str, error: Exception) -> Failure:
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
