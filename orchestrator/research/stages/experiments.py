"""Experiments: the baseline, then up to five runs of up to four attempts each.

An attempt is an edit and a job. It succeeds only if the edit changed something, the job finished,
and its ``final_info.json`` is readable; otherwise the next attempt receives the host's verdict
and the program's last output. A run without a successful attempt ends the experiments; without any
finished run, it ends the idea.
"""

from __future__ import annotations

import re
from dataclasses import replace

from orchestrator.core.errors import BadResults, BadTemplate, IdeaFailed
from orchestrator.core.job import Job, JobResult, Verdict
from orchestrator.core.research import Run
from orchestrator.core.tree import Tree
from orchestrator.core.units import size_text
from orchestrator.policy.policy import Policy
from orchestrator.record.notes import FilesRestored, GaveUp, RunFinished, RunsCompleted
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.template.baseline import baseline_run, finished_run
from orchestrator.template.results import Results, parse_final_info
from orchestrator.template.template import Template

MAX_RUNS = 5  # besides the baseline; as in The AI Scientist (Lu et al., 2024)
_ATTEMPTS = 4
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
    results, trouble, todo = _measured(job, result, 0, ports)
    if results is None:
        raise BadTemplate(
            "the template's own experiment does not finish under this policy",
            where="run_0, the baseline",
            why=f"{trouble}\n{result.stderr[-common.OUTPUT_TAIL :]}".strip(),
            todo=f"{todo}; `aisci template check --run` tries the template by itself",
        )
    return baseline_run(job, result), results


def experiments(study: Study, ports: Ports) -> Study:
    """Up to five runs. Raises :class:`IdeaFailed` if none besides the baseline finished."""
    for number in range(1, MAX_RUNS + 1):
        done = _run(study, number, ports.within(f"run_{number}"))
        if done is None:
            break
        study = done
    if len(study.runs) < 2:
        raise IdeaFailed(
            f"no run beside the baseline finished in {_ATTEMPTS} attempts",
            where="run_1",
            todo="the report shows what each attempt changed and how it ended",
        )
    return study


def _run(study: Study, number: int, ports: Ports) -> Study | None:
    """One run; None if the study is complete or the run was given up."""
    feedback = common.feedback_block(None)
    for attempt in range(1, _ATTEMPTS + 1):
        scoped = ports.within(f"attempt_{attempt}")
        instruction = _instruction(study, number, attempt, feedback)
        edit = common.edit_files(
            study, scoped, "experiment.edit", instruction, *common.code_files(study.template)
        )
        put_back = ""
        if edit.refused:
            scoped.note(FilesRestored(files=edit.refused))
            restored = ", ".join(edit.refused)
            put_back = f"; fixed files that the edit changed were put back: {restored}"
        if not edit.changed:
            if "ALL_COMPLETED" in edit.reply and len(study.runs) > 1:
                ports.note(RunsCompleted(after=number - 1))
                return None
            trouble = f"the edit changed nothing: {edit.why_not}{put_back}"
            feedback = common.feedback_block(None, trouble)
            continue
        study = replace(study, tree=study.tree.updated(edit.files))
        argv = ("python", "experiment.py", f"--out_dir=run_{number}")
        job = common.experiment_job(study, scoped, argv, f"run_{number}/", runs=False)
        result = scoped.run(job)
        results, trouble, _ = _measured(job, result, number, ports)
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
    ports.note(GaveUp(attempts=_ATTEMPTS))
    return None


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


def _measured(
    job: Job, result: JobResult, number: int, ports: Ports
) -> tuple[Results | None, str, str]:
    """The run's results; or None, the reason as a text for a model, and what a person can do."""
    if not result.ok:
        ended = f"the run ended as: {result.verdict}"
        if result.verdict is Verdict.LOG_FLOOD:
            most = size_text(job.limits.logs)
            ended += f": it printed more than {most}, the policy's {job.kind}.logs"
            return None, ended, "print less, or raise `logs` in a policy of your own"
        return None, ended, "choose a smaller --scale, or a policy with more room"
    sha256 = result.files.get(f"run_{number}/final_info.json")
    if sha256 is None:
        refused = ", ".join(f"{name!r} ({why})" for name, why in result.refused[:3])
        trouble = f"it did not write run_{number}/final_info.json"
        trouble += f"; refused: {refused}" if refused else ""
        return None, trouble, "write the results into the folder that --out_dir names"
    try:
        return parse_final_info(ports.blobs.get(sha256)), "", ""
    except BadResults as error:
        return None, f"{error.what}: {error.why}", error.todo
