"""The pipeline of one idea: a tuple of stages, and the only broad ``except``.

A failure is of one of three kinds. What the model or the editor failed at is transient: resume tries
it again. A stage that gives up is noted, and can be asked for again (``asked_stages.py``); the results of
the stages before it are kept. A stage after the paper that fails does not end the idea. Errors that
concern the whole run (an interrupt, a refused key, an invalid journal, a full disk, a lost engine)
are raised further.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace

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
from orchestrator.record.asked_stages import STAGE_NAMES, AskedStages
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

STAGES: dict[str, Stage] = {
    "novelty": judge_novelty,
    "experiments": experiments,
    "plots": draw_plots,
    "critique": criticize,
    "notes": write_notes,
    "writeup": write_sections,
    "compile": compile_paper,
    "verify": verify_numbers,
    "review": review_paper,
    "improve": improve_paper,
}
_AFTER_PAPER = frozenset({"verify", "review", "improve"})

RUN_ERRORS = (
    Interrupted, KeyRefused, Diverged, BadJournal, DiskFull, EngineUnavailable, UserError,
)  # fmt: skip


def pursue(
    study: Study, ports: Ports, save: Callable[[Study], None], asked: AskedStages
) -> PursuedIdea:
    """Take one idea through its stages, to the end or to the stage that was asked for; ``save`` writes its files
    after each stage.
    """
    study = replace(study, reviewing=asked.reviewing or study.reviewing)
    way, failures = _Way(ports, save), list[Failure]()
    for name in STAGE_NAMES:
        if name == "improve" and any(failure.stage == "review" for failure in failures):
            continue  # there is nothing to improve on; resume reviews first
        scope = asked.scope(name)
        study, failure = way.through(name, study, scope)
        failures += [failure] if failure else []
        if failure and name not in _AFTER_PAPER:
            study = _salvaged(study, ports.within(scope))
            return _ended("failed", study, failures, asked, ports)
        if name == "novelty" and study.novelty.decision == "not novel":
            ports.within(scope).note(IdeaSkipped(why=study.novelty.reason))
            return _ended("not novel", study, failures, asked, ports)
        if name == asked.last:
            if asked.stops:
                return replace(_ended("stopped", study, failures, asked, ports), after=name)
            break
    for scope, one in asked.more:
        study = replace(study, reviewing=one.reviewing or study.reviewing)
        study, failure = way.through(one.more, study, scope)
        failures += [failure] if failure else []
    left_out = asked.left_out
    outcome = replace(_ended("finished", study, failures, asked, ports), left_out=left_out)
    finished = IdeaFinished(
        runs=len(study.runs),
        claims=len(study.claims),
        verified=left_out != "paper" and all(failure.stage != "verify" for failure in failures),
        reviewed=study.review is not None,
        left_out=left_out,
    )
    ports.within(asked.ends()[-1]).note(finished, settled=outcome.settled)
    return outcome


@dataclass(frozen=True, slots=True)
class _Way:
    """How an idea goes through a stage: noted in the journal, its files written after it."""

    ports: Ports
    save: Callable[[Study], None]

    def through(self, name: str, study: Study, scope: str) -> tuple[Study, Failure | None]:
        """The study after the stage, or as it was with the failure. Raises :data:`RUN_ERRORS`."""
        scoped = self.ports.within(scope)
        scoped.note(StageBegan(name=name))
        try:
            stage = stage_of_import(study, name, again=scope != name) or STAGES[name]
            study = stage(study, scoped)
        except RUN_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 - recorded; other ideas continue
            failure = failure_of(name, error)
            scoped.note(StageFailed(failure=failure), settled=not failure.transient)
            return study, failure
        if name == "novelty" and study.novelty.decision == "not novel":
            return study, None
        unverified: Failure | None = None
        if name == "verify" and study.unresolved:
            unverified = failure_of(name, unresolved_failure(study))
            scoped.note(StageFailed(failure=unverified))
        scoped.note(_reached(name, study))
        self.save(study)
        return study, unverified


def _ended(
    status: Status, study: Study, failures: list[Failure], asked: AskedStages, ports: Ports
) -> PursuedIdea:
    """The outcome. Of several failures it has one that resume tries again, if there is one."""
    failure = next(iter(sorted(failures, key=lambda one: not one.transient)), None)
    # A person who overrules a judgement that stands asks for the idea again, as with a retry.
    judged = bool(ports.journal.notes(NoveltyJudged, below=ports.scope))
    overruled = len(ports.journal.notes(NoveltyOverruled, below=ports.scope)) if judged else 0
    again = len(asked.asked) + overruled
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
