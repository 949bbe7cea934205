"""The runs that an author asks for while it improves its paper: made, drawn, and told.

They stay facts of the study, whichever version of the paper counts.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from orchestrator.core.papers import Improvement
from orchestrator.core.research import PlannedRun
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.experiments import make_runs
from orchestrator.research.stages.notes import write_notes
from orchestrator.research.stages.paper_facts import descriptions, paper_facts
from orchestrator.research.stages.plan import most_runs
from orchestrator.research.stages.plots import draw_plots
from orchestrator.research.stages.study_ledger import study_ledger

_MOST_RUNS = 2  # of one pass


def runs_left(study: Study) -> int:
    """How many runs an author may ask for in one pass; of an imported study none is made here."""
    if study.imported is not None:
        return 0
    tried = len(study.runs) - 1 + len(study.given_up)
    return max(0, min(_MOST_RUNS, most_runs(study) - tried))


def experimented(study: Study, runs: tuple[PlannedRun, ...], ports: Ports) -> Study:
    """The study with the runs that its author asked for, their figures and notes."""
    tried = len(study.runs) - 1 + len(study.given_up)
    finished = len(study.runs)
    study = replace(study, plan=replace(study.plan, runs=runs))
    study = make_runs(study, tried + 1, tried + len(runs), ports)
    if len(study.runs) > finished:
        study = draw_plots(study, ports.within("plots"))
        study = write_notes(study, ports.within("notes"))
    return study


def new_facts(study: Study, before: Study, ports: Ports) -> str:
    """What the author of the paper is told of the runs that were made for it."""
    ledger = study_ledger(study, ports, study.skeleton)
    gone = study.given_up[len(before.given_up) :]
    notes = study.tree.get("notes.txt")
    return render(
        "improve_facts",
        facts=paper_facts(study, study.skeleton, ledger, ports.blobs),
        notes=descriptions(ports.text(notes) if notes else ""),
        given_up=block("given_up", [asdict(one) for one in gone]),
    )


def with_earlier_paper(before: Study, study: Study, done: Improvement) -> Study:
    """The study with its earlier paper, and with the runs that were made for another."""
    runs = study.runs[len(before.runs) :]
    tree = before.tree
    for run in runs:
        source = {f"run_{run.number}.py": run.code.as_dict()["experiment.py"]}
        tree = tree.updated(run.files).updated(source)
    return replace(
        before,
        tree=tree,
        runs=study.runs,
        results=study.results,
        outcomes=study.outcomes,
        given_up=study.given_up,
        improvements=(*before.improvements, done),
    )
