"""Experiments: the baseline, then up to five runs of up to four attempts each.

An attempt is an edit and a job. It succeeds only if the edit was applied whole, the job finished,
and its ``final_info.json`` is readable; otherwise the next attempt receives the host's verdict
and the program's last output. A run whose attempts all failed is given up, and the next one begins
from the code before it. If no edit could be applied, the stage is left for resume.
"""

from __future__ import annotations

import re
from dataclasses import replace

from orchestrator.core.errors import BadResults, BadTemplate, IdeaFailed, StageLeft
from orchestrator.core.job import Job, JobResult
from orchestrator.core.research import Run
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.record.notes import FilesRestored, GaveUp, RunFinished, RunsCompleted
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.research.tries import leave, tries
from orchestrator.template.baseline import baseline_run, finished_run
from orchestrator.template.results import Results, parse_final_info
from orchestrator.template.template import Template

MAX_RUNS = 5  # besides the baseline; as in The AI Scientist (Lu et al., 2024)
_ATTEMPTS = 4
_MOST_GIVEN_UP = 2  # runs; then the study goes on with those that finished
_RUN_LINE = re.compile(r"^RUN:\s*(.{1,300})$", re.MULTILINE)


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
    )


def measure_baseline(job: Job, ports: Ports) -> tuple[Run, Results]:
    """Run the unchanged template. Raises :class:`BadTemplate` if that fails."""
    result = ports.run(job)
    results, trouble = _measured(result, 0, ports)
    if results is None:
        raise BadTemplate(
            "the template's own experiment does not finish under this policy",
            where="run_0, the baseline",
            why=f"{trouble}\n{result.stderr[-common.OUTPUT_TAIL :]}".strip(),
            todo=(
                "choose a smaller --scale, or a policy with more room; "
                "`aisci template check --run` tries the template by itself"
            ),
        )
    return baseline_run(job, result), results


def experiments(study: Study, ports: Ports) -> Study:
    """Up to five runs. Raises :class:`IdeaFailed` if none besides the baseline finished."""
    given_up = 0
    for number in range(1, MAX_RUNS + 1):
        done = _run(study, number, ports.within(f"run_{number}"))
        if done is None:
            break
        given_up += done is study
        study = done
        if given_up == _MOST_GIVEN_UP:
            break
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


def _run(before: Study, number: int, ports: Ports) -> Study | None:
    """The study with one run more, or as ``before`` if that was given up; None if it is complete.
    Raises :class:`StageLeft` if the editor gave nothing to run.
    """
    study, feedback, jobs, trouble = before, common.feedback_block(None), 0, ""
    for attempt, scoped in tries(ports, _ATTEMPTS):
        instruction = _instruction(study, number, attempt, feedback)
        edit = common.edit_files(
            study, scoped, "experiment.edit", instruction, *common.code_files(study.template)
        )
        put_back = ""
        if edit.refused:
            scoped.note(FilesRestored(files=edit.refused))
            restored = ", ".join(edit.refused)
            put_back = f"; fixed files that the edit changed were put back: {restored}"
        if not edit.changed or edit.why_not:
            if "ALL_COMPLETED" in edit.reply and len(study.runs) > 1:
                ports.note(RunsCompleted(after=number - 1))
                return None
            trouble = f"the edit was not applied: {edit.why_not or 'it changes nothing'}{put_back}"
            feedback = common.feedback_block(None, trouble)
            continue
        study = replace(study, tree=study.tree.updated(edit.files))
        argv = ("python", "experiment.py", f"--out_dir=run_{number}")
        job = common.experiment_job(study, scoped, argv, f"run_{number}/", runs=False)
        result, jobs = scoped.run(job), jobs + 1
        results, trouble = _measured(result, number, ports)
        if results is not None:
            description = _RUN_LINE.search(edit.reply)
            about = description[1].strip() if description else "(the editor gave no description)"
            run = finished_run(number, common.code_only(study.tree), result, about, attempt)
            ports.note(RunFinished(run=run))
            snapshot = {f"run_{number}.py": run.code.as_dict()["experiment.py"]}
            return replace(
                study,
                tree=study.tree.updated(run.files).updated(snapshot),
                runs=(*study.runs, run),
                results=(*study.results, (number, results)),
            )
        feedback = common.feedback_block(result, trouble + put_back)
    if not jobs:
        leave(ports, _ATTEMPTS)
        raise StageLeft(
            f"the model gave no edit for run {number} that could be applied",
            where=f"run_{number}",
            why=trouble,
            todo="`aisci resume` asks again; the report shows each reply",
        )
    ports.note(GaveUp(attempts=_ATTEMPTS))
    return before


def _instruction(study: Study, number: int, attempt: int, feedback: str) -> str:
    network = "no network"
    if hosts := study.policy.limits("experiment").network:
        network += f" but HTTPS to {', '.join(hosts)}, by the proxy that HTTPS_PROXY names"
    return render(
        "experiment_edit",
        run=str(number),
        runs=str(MAX_RUNS),
        attempt=str(attempt),
        attempts=str(_ATTEMPTS),
        study=common.study_block(study),
        network=network,
        knobs=block("knobs", common.knob_dicts(study.template)),
        results=common.results_block(study),
        feedback=feedback,
    )


def _measured(result: JobResult, number: int, ports: Ports) -> tuple[Results | None, str]:
    """The run's results, or None and the reason as a text for a model."""
    if not result.ok:
        return None, f"the run ended as: {result.verdict}"
    sha256 = result.files.get(f"run_{number}/final_info.json")
    if sha256 is None:
        refused = ", ".join(f"{name!r} ({why})" for name, why in result.refused[:3])
        trouble = f"it did not write run_{number}/final_info.json"
        return None, trouble + (f"; refused: {refused}" if refused else "")
    try:
        return parse_final_info(ports.blobs.get(sha256)), ""
    except BadResults as error:
        return None, f"final_info.json cannot be used: {error.what} {error.why}"
