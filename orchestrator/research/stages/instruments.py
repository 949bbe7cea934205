"""Instruments: the metrics and seeds that a plan adds, measured at the unchanged settings first.

The instrumented code takes the baseline's place: every run starts from it, so that each new metric has
a baseline. If it cannot be made, the study goes on without, and says so.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from orchestrator.core.edit import Edit
from orchestrator.core.research import BASELINE, Plan
from orchestrator.record.notes import GaveUp
from orchestrator.record.plan_notes import Instrumented
from orchestrator.record.ports import Ports
from orchestrator.research.looking.oddities import identical
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.research.stages.measure import measured
from orchestrator.research.stages.requests import edit_files, experiment_job
from orchestrator.template.baseline import finished_run
from orchestrator.template.results import Results

_ATTEMPTS = 3


def add_instruments(study: Study, more_seeds: int, ports: Ports) -> Study:
    """The study whose baseline is measured with the plan's metrics and seeds."""
    start, feedback = study, common.feedback_block(None)
    for attempt in range(1, _ATTEMPTS + 1):
        scoped = ports.within(f"attempt_{attempt}")
        edit = _edit(start, more_seeds, attempt, feedback, scoped)
        if not edit.changed or edit.why_not:
            trouble = f"the edit was not applied: {edit.why_not or 'it changes nothing'}"
            feedback = common.feedback_block(None, trouble)
            continue
        study = replace(start, tree=start.tree.updated(edit.files))
        argv = ("python", "experiment.py", "--out_dir=run_0")
        job = experiment_job(study, scoped, argv, "run_0/", runs=False)
        result = scoped.run(job)
        results, trouble, _ = measured(job, result, 0, scoped, tails=study.tails)
        trouble = trouble or _lacking(start, results, more_seeds)
        if results is not None and not trouble:
            run = finished_run(
                0, common.code_only(study.tree), result, name=BASELINE,
                description="the unchanged settings, with the study's own metrics",
                attempts=attempt,
            )  # fmt: skip
            ports.note(Instrumented(run=run))
            tree = study.tree.without("run_0").updated(run.files)
            study = replace(
                study, tree=tree, runs=(run,), results=((0, results),), more_seeds=more_seeds
            )
            return replace(study, plan=_as_measured(study.plan, results))
        feedback = common.feedback_block(result, trouble, tails=study.tails)
    ports.note(GaveUp(attempts=_ATTEMPTS, instead="the template's own metrics and seeds"))
    known = {name for _, results in start.results for name in results.metrics}
    decides = tuple(name for name in start.plan.decides if name in known)
    return replace(start, plan=replace(start.plan, metrics=(), decides=decides))


def _as_measured(plan: Plan, results: Results) -> Plan:
    """The plan's metrics under the names that the results have: ``loss`` may be ``loss_mean``."""
    there = {name.removesuffix("_mean"): name for name in results.metrics}

    def measured_name(name: str) -> str:
        return there.get(name.removesuffix("_mean"), name)

    metrics = tuple(replace(one, name=measured_name(one.name)) for one in plan.metrics)
    decides = tuple(dict.fromkeys(measured_name(name) for name in plan.decides))
    return replace(plan, metrics=metrics, decides=decides)


def _edit(study: Study, more_seeds: int, attempt: int, feedback: str, ports: Ports) -> Edit:
    instruction = render(
        "instruments_edit",
        study=common.study_block(study),
        remaining=block("remaining", [asdict(one) for one in study.plan.runs]),
        metrics_to_add=block("metrics_to_add", [asdict(one) for one in study.plan.metrics]),
        more_seeds=str(more_seeds),
        results=common.results_block(study, ports),
        attempt=str(attempt),
        attempts=str(_ATTEMPTS),
        feedback=feedback,
    )
    files = common.code_files(study)
    return edit_files(study, ports, "instruments.edit", instruction, *files, new=True)


def _lacking(study: Study, results: Results | None, more_seeds: int) -> str:
    """Why these results are not those of the unchanged settings with the plan's metrics."""
    if results is None:
        return ""
    there = {name.removesuffix("_mean") for name in results.metrics}
    missing = [
        one.name for one in study.plan.metrics if one.name.removesuffix("_mean") not in there
    ]
    if missing:
        return f"final_info.json lacks the declared metrics {', '.join(missing)}"
    repeatable = _repeatable(study, study.results[0][1])
    if not more_seeds and not identical(_repeatable(study, results), repeatable):
        return "metrics that were there before have other values now: the settings changed"
    return ""


def _repeatable(study: Study, results: Results) -> Results:
    """Without the metrics that differ from run to run, such as times."""
    manifest = study.template.manifest.metrics
    changing = {name for name, metric in manifest.items() if not metric.repeatable}
    added = {one.name for one in study.plan.metrics}
    datasets = {
        name: replace(
            data,
            means={m: v for m, v in data.means.items() if m not in changing | added},
        )
        for name, data in results.datasets.items()
    }
    return replace(results, datasets=datasets)
