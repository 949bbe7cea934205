"""Experiments: the plan, its instruments, then its runs, each of up to four attempts.

An attempt is an edit and a job. It succeeds only if the edit was applied whole and has an effect, the
job finished, and its ``final_info.json`` is readable and new; otherwise the next attempt receives the
host's verdict and the program's last output. Each run starts from the code of the baseline, or of the
run that its plan names. A run whose attempts all failed is given up, which is a fact of the study. If
no edit could be applied, the stage is left for resume.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from statistics import fmean

from orchestrator.core.edit import Edit
from orchestrator.core.errors import BadTemplate, IdeaFailed, StageLeft
from orchestrator.core.job import Job
from orchestrator.core.research import BASELINE, PlannedRun, Run
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.record.notes import FilesRestored, GaveUp, RunFinished
from orchestrator.record.plan_notes import RunGivenUp, RunsCompleted
from orchestrator.record.ports import Ports
from orchestrator.research.looking.code import same_effect
from orchestrator.research.looking.oddities import identical
from orchestrator.research.looking.run_line import described
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.research.stages.instruments import add_instruments
from orchestrator.research.stages.measure import measured
from orchestrator.research.stages.plan import make_plan, planned_at_most, revise_plan
from orchestrator.research.stages.requests import edit_files, experiment_job
from orchestrator.research.tries import leave, tries
from orchestrator.template.baseline import baseline_run, finished_run, output_tail
from orchestrator.template.contract.advice import Attempted, what_to_do
from orchestrator.template.results import Results
from orchestrator.template.template import Template

_ATTEMPTS = 4
_MOST_GIVEN_UP = 2  # runs; then the study goes on with those that finished


def baseline_job(
    template: Template,
    policy: Policy,
    scale: str,
    files: Tree,
    *,
    scope: str,
    data: tuple[tuple[str, str], ...],
) -> Job:
    """The job of the unchanged template; ``files`` are all files of its folder."""
    return Job(
        scope=scope,
        kind="experiment",
        argv=("python", "experiment.py", "--out_dir=run_0"),
        files=files.without("latex"),
        limits=policy.limits("experiment"),
        harvest=("run_0/",),
        env=tuple(template.scale(scale).env.items()),
        data=data,
        preload=template.manifest.preload,
    )


def measure_baseline(job: Job, ports: Ports, tried: Attempted) -> tuple[Run, Results]:
    """Run the unchanged template. Raises :class:`BadTemplate` if that fails."""
    result = ports.run(job)
    results, trouble, todo = measured(job, result, 0, ports)
    if results is None:
        raise BadTemplate(
            "the template's own experiment does not finish under this policy",
            where="run_0, the baseline",
            why=f"{trouble}\n{output_tail(result)}".strip(),
            todo=f"{todo or what_to_do(result, tried)}; `aisci template check "
            f"{tried.template.argument} --run` tries the template by itself",
        )
    diverged = [f"{name}.means.{m}" for name, d in results.datasets.items() for m in d.diverged]
    if diverged:
        raise BadTemplate(
            "the template's own experiment diverges: nothing can be compared with it",
            where=f"run_0, the baseline; final_info.json, {', '.join(diverged[:5])}",
            why="the mean is not a finite number",
            todo="write finite numbers, or leave out a metric that has none",
        )
    return baseline_run(job, result), results


def experiments(study: Study, ports: Ports) -> Study:
    """The planned runs. Raises :class:`IdeaFailed` if none besides the baseline finished."""
    study, more_seeds = make_plan(study, ports.within("plan"))
    if study.plan.metrics or more_seeds:
        study = add_instruments(study, more_seeds, ports.within("instruments"))
    most = planned_at_most(study.policy, study.runs[0].seconds)
    study = make_runs(study, 1, most, ports)
    if len(study.runs) < 2:
        raise IdeaFailed(
            f"no run beside the baseline finished, in {_ATTEMPTS} attempts each",
            where="run_1",
            todo=(
                "the report shows what each attempt changed and how it ended; "
                "`aisci resume --retry experiments` tries again"
            ),
        )
    return study


def make_runs(study: Study, first: int, last: int, ports: Ports) -> Study:
    """The runs of the plan, with numbers from ``first`` to ``last`` at most; the plan is revised
    after each.
    """
    number, given_up = first, 0
    while study.plan.runs and number <= last and given_up < _MOST_GIVEN_UP:
        ports.expect(len(study.plan.runs), fmean(run.seconds for run in study.runs))
        planned, *later = study.plan.runs
        study = replace(study, plan=replace(study.plan, runs=tuple(later)))
        scoped = ports.within(f"run_{number}")
        done = _run(study, number, planned, scoped)
        if done is None:
            ports.note(RunsCompleted(after=number - 1))
            study = replace(study, plan=replace(study.plan, runs=()))
            break
        given_up += len(done.runs) == len(study.runs)
        study = revise_plan(done, number, last - number, scoped.within("plan"), planned)
        number += 1
    ports.expect(0, 0.0)
    return study


def _run(before: Study, number: int, planned: PlannedRun, ports: Ports) -> Study | None:
    """The study with one run more, or with one run given up; None if the editor says that the run
    has become pointless. Raises :class:`StageLeft` if the editor gave nothing to run.
    """
    base = next((run for run in before.runs if run.name == planned.base), before.runs[0])
    study = start = replace(before, tree=_code_of(base, before.tree))
    feedback, jobs, trouble, attempt = common.feedback_block(None), 0, "", 0
    for attempt, scoped in tries(ports, _ATTEMPTS):
        instruction = _instruction(study, number, planned, attempt, feedback, scoped)
        files = common.code_files(study)
        edit = edit_files(study, scoped, "experiment.edit", instruction, *files, new=True)
        if edit.all_completed and len(study.runs) > 1:
            return None
        put_back, trouble = _put_back(edit, scoped), _unusable(edit, start, scoped)
        if trouble:
            feedback = common.feedback_block(None, trouble + put_back)
            continue
        study = replace(study, tree=study.tree.updated(edit.files))
        argv = ("python", "experiment.py", f"--out_dir=run_{number}")
        job = experiment_job(study, scoped, argv, f"run_{number}/", runs=False)
        result, jobs = scoped.run(job), jobs + 1
        results, trouble, _ = measured(job, result, number, scoped, tails=study.tails)
        trouble = trouble or _repeats(before, results)
        if results is not None and not trouble:
            about = described(edit.reply) or planned.tests
            run = finished_run(
                number, common.code_only(study.tree), result, name=planned.name, description=about,
                attempts=attempt, base=base.number,
            )  # fmt: skip
            ports.note(RunFinished(run=run))
            return _with_run(before, run, results)
        feedback = common.feedback_block(result, trouble + put_back, tails=study.tails)
    if not jobs:
        leave(ports, attempt)
        raise StageLeft(
            f"the model gave no edit for run {number} that could be applied",
            where=f"run_{number}",
            why=trouble,
            todo="`aisci resume` asks again; the report shows each reply",
        )
    ports.note(GaveUp(attempts=_ATTEMPTS))
    ports.note(gone := RunGivenUp(number=number, planned=planned, why=trouble))
    return replace(before, given_up=(*before.given_up, gone))


def _code_of(run: Run, tree: Tree) -> Tree:
    """The working folder with the code of ``run`` in place of the present code."""
    code = run.code.without("plot.py")  # whose edits belong to no run
    for path in common.code_only(tree).without("plot.py").paths():
        if path not in code.as_dict():
            tree = tree.without(path)
    return tree.updated(code)


def _with_run(study: Study, run: Run, results: Results) -> Study:
    snapshot = {f"run_{run.number}.py": run.code.as_dict()["experiment.py"]}
    code = run.code.without("plot.py")
    tree = study.tree.updated(code).updated(run.files).updated(snapshot)
    return replace(
        study,
        tree=tree,
        runs=(*study.runs, run),
        results=(*study.results, (run.number, results)),
    )


def _put_back(edit: Edit, ports: Ports) -> str:
    """The fixed files that an edit changed, as a text for a model; they are noted."""
    if not edit.refused:
        return ""
    ports.note(FilesRestored(files=edit.refused))
    return f"; fixed files that the edit changed were put back: {', '.join(edit.refused)}"


def _unusable(edit: Edit, start: Study, ports: Ports) -> str:
    """Why an edit is not run, as a text for a model; empty for one that is."""
    if not edit.changed or edit.why_not:
        return f"the edit was not applied: {edit.why_not or 'it changes nothing'}"
    before = start.tree.as_dict()
    changed = [(before.get(path), sha256) for path, sha256 in edit.files.files]
    if all(
        old is not None and same_effect(ports.text(old), ports.text(new)) for old, new in changed
    ):
        return "the edit changes comments and layout alone: the run would repeat its base"
    return ""


def _repeats(study: Study, results: Results | None) -> str:
    """That a run has the same numbers as an earlier one: then it shows nothing new."""
    for run in study.runs:
        if results is not None and identical(results, dict(study.results)[run.number]):
            return (
                f"every number is the same as in the run {run.name!r}: the change has no effect on "
                "what runs (is it in a part that this scale uses?)"
            )
    return ""


def _instruction(
    study: Study, number: int, planned: PlannedRun, attempt: int, feedback: str, ports: Ports
) -> str:
    network = "no network"
    if hosts := study.policy.limits("experiment").network:
        network += f" but HTTPS to {', '.join(hosts)}, by the proxy that HTTPS_PROXY names"
    base = "the unchanged baseline" if planned.base == BASELINE else f"the run {planned.base!r}"
    return render(
        "experiment_edit",
        run=str(number),
        attempt=str(attempt),
        attempts=str(max(attempt, _ATTEMPTS)),  # a resumed run makes more
        study=common.study_block(study),
        planned=block("planned", asdict(planned)),
        base=base,
        network=network,
        knobs=block("knobs", common.knob_dicts(study.template)),
        metrics=common.metrics_block(study),
        results=common.results_block(study, ports, every_value=False),
        differences=common.differences_block(study, ports, without=planned.base),
        feedback=feedback,
    )
