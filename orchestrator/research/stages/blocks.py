"""What several stages say to a model in the same way, and the jobs that they build alike."""

from __future__ import annotations

import re
from typing import Any

from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Job, JobResult
from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block
from orchestrator.research.study import Study
from orchestrator.template.results import Results
from orchestrator.template.template import Template

OUTPUT_TAIL = 1500  # characters of a program's last words that go back to the model
_RUN_FOLDER = re.compile(r"run_\d+")


def template_block(template: Template) -> str:
    """What a template studies and how it measures, as data for a prompt."""
    manifest = template.manifest
    metrics = {
        name: {"direction": metric.direction, "unit": metric.unit, "about": metric.description}
        for name, metric in manifest.metrics.items()
    }
    return block(
        "template",
        {
            "name": template.name,
            "title": manifest.title,
            "description": manifest.description,
            "metrics": metrics,
            "knobs": knob_dicts(template),
        },
    )


def knob_dicts(template: Template) -> dict[str, Any]:
    """The declared constants that a run may turn: file, constant, default, values."""
    return {
        name: {
            "file": knob.file,
            "constant": knob.constant,
            "default": knob.default,
            "values": list(knob.values),
            "description": knob.description,
        }
        for name, knob in template.manifest.knobs.items()
    }


def code_files(template: Template) -> tuple[str, ...]:
    """The editable Python files that an experiment is made of."""
    return tuple(
        path
        for path in template.manifest.editable
        if path.endswith(".py") and path != "plot.py" and path in template.files
    )


def study_block(study: Study) -> str:
    limits = study.policy.limits("experiment")
    return block(
        "study",
        {
            "idea": idea_dict(study.idea),
            "template": study.template.name,
            "scale": study.scale,
            "limits": {
                "cpus": limits.cpus,
                "memory_bytes": limits.memory,
                "gpus": limits.gpus,
                "wall_seconds": limits.wall,
                "workspace_bytes": limits.workspace,
                "network": list(limits.network),
            },
        },
    )


def idea_dict(idea: Idea) -> dict[str, Any]:
    return {"name": idea.name, "title": idea.title, "experiment": idea.experiment}


def results_block(study: Study) -> str:
    """Every run's means and standard errors, with what each run tested."""
    about = {run.number: run.description for run in study.runs}
    return block(
        "results",
        [
            {"run": number, "description": about.get(number, ""), **results_dict(results)}
            for number, results in study.results
        ],
    )


def results_dict(results: Results) -> dict[str, Any]:
    return {
        "datasets": {
            name: {"means": dict(data.means), "stderrs": dict(data.stderrs)}
            for name, data in results.datasets.items()
        }
    }


def feedback_block(result: JobResult | None, trouble: str = "") -> str:
    """Why an attempt did not count: the host's verdict and the program's last words."""
    value: dict[str, Any] = {"trouble": trouble or None}
    if result is not None:
        value |= {
            "verdict": result.verdict,
            "exit_code": result.exit_code,
            "limits_hit": list(result.hit),
            "stdout_tail": result.stdout[-OUTPUT_TAIL:],
            "stderr_tail": result.stderr[-OUTPUT_TAIL:],
        }
    return block("feedback", value if result or trouble else None)


def is_run(path: str) -> bool:
    """Whether ``path`` lies in a ``run_<number>`` folder."""
    return bool(_RUN_FOLDER.fullmatch(path.split("/", 1)[0]))


def code_only(tree: Tree) -> Tree:
    """What an experiment needs: no runs, no paper, no figures, no snapshots."""
    return Tree(
        tuple(
            (path, sha)
            for path, sha in tree.files
            if not is_run(path)
            and not path.startswith("latex/")
            and not re.fullmatch(r"[^/]+\.png|run_\d+\.py", path)
        )
    )


def edit_files(study: Study, ports: Ports, purpose: str, instruction: str, *files: str) -> Edit:
    """Ask the editor for one change of ``files``; the model also sees nothing else."""
    return ports.editor.edit(
        EditRequest(
            scope=ports.scope,
            purpose=purpose,
            instruction=instruction,
            files=Tree(tuple(p for p in study.tree.files if "/" not in p[0] or p[0] in files)),
            editable=files,
            limits=study.policy.limits("editor"),
        )
    )


def experiment_job(
    study: Study, ports: Ports, argv: tuple[str, ...], *harvest: str, runs: bool
) -> Job:
    """A job in the experiment container; ``runs`` says whether it sees the finished runs."""
    files = code_only(study.tree)
    if runs:
        files = files.updated(Tree(tuple(pair for pair in study.tree.files if is_run(pair[0]))))
    return Job(
        scope=ports.scope,
        kind="experiment",
        argv=argv,
        files=files,
        limits=study.policy.limits("experiment"),
        harvest=harvest,
        env=tuple(study.template.scale(study.scale).env.items()),
        data=study.data,
    )
