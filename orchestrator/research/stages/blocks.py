"""The prompt blocks, edits and jobs that several stages share."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import asdict
from typing import Any

from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.job import Job, JobResult
from orchestrator.core.research import Idea
from orchestrator.core.tree import Tree
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block
from orchestrator.research.run_spec import Study
from orchestrator.template.template import Template

OUTPUT_TAIL = 1500  # characters of a program's last output that the model receives


def template_block(template: Template) -> str:
    """A template's description, metrics and knobs, as data for a prompt."""
    manifest = template.manifest
    metrics = {
        name: {"direction": metric.direction, "unit": metric.unit, "about": metric.description}
        for name, metric in manifest.metrics.items()
    }
    about = {"name": template.name, "title": manifest.title, "description": manifest.description}
    return block("template", {**about, "metrics": metrics, "knobs": knob_dicts(template)})


def knob_dicts(template: Template) -> dict[str, Any]:
    """The declared constants that a run may change: file, constant, default, values."""
    return {name: knob.model_dump() for name, knob in template.manifest.knobs.items()}


def code_files(template: Template) -> tuple[str, ...]:
    """The editable Python files of an experiment."""
    return tuple(
        path
        for path in template.manifest.editable
        if path.endswith(".py") and path != "plot.py" and path in template.files
    )


def study_block(study: Study) -> str:
    limits = study.policy.limits("experiment")
    named = {
        "cpus": limits.cpus,
        "memory_bytes": limits.memory,
        "gpus": limits.gpus,
        "wall_seconds": limits.wall,
        "workspace_bytes": limits.workspace,
        "network": limits.network,
    }
    about = {"idea": idea_dict(study.idea), "template": study.template.name, "scale": study.scale}
    return block("study", {**about, "limits": named})


def idea_dict(idea: Idea) -> dict[str, Any]:
    return {"name": idea.name, "title": idea.title, "experiment": idea.experiment}


def results_block(study: Study) -> str:
    """Every run's means and standard errors, with its description."""
    about = {run.number: run.description for run in study.runs}
    rows = [
        {
            "run": number,
            "description": about.get(number, ""),
            "datasets": {name: asdict(data) for name, data in results.datasets.items()},
        }
        for number, results in study.results
    ]
    return block("results", rows)


def feedback_block(result: JobResult | None, trouble: str = "") -> str:
    """Why an attempt failed: the host's verdict and the program's last output."""
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


def code_only(tree: Tree) -> Tree:
    """The files of an experiment: without runs, paper, figures and snapshots."""
    apart = re.compile(r"run_\d+(/|\Z)|latex/|[^/]+\.png\Z|run_\d+\.py\Z")
    return Tree(tuple(pair for pair in tree.files if not apart.match(pair[0])))


def edit_files(study: Study, ports: Ports, purpose: str, instruction: str, *files: str) -> Edit:
    """Ask the editor to change ``files``; it also receives the files at the top of the tree."""
    paths = {path for path in study.tree.paths() if "/" not in path} | set(files)
    return request_edit(study, ports, purpose, instruction, paths, files)


def request_edit(
    study: Study,
    ports: Ports,
    purpose: str,
    instruction: str,
    paths: Container[str],
    editable: tuple[str, ...],
    readable: tuple[str, ...] = (),
) -> Edit:
    """Ask for a change of ``editable``; the editor gets ``paths``, its prompt also ``readable``."""
    return ports.edit(
        EditRequest(
            scope=ports.scope,
            purpose=purpose,
            instruction=instruction,
            files=Tree(tuple(pair for pair in study.tree.files if pair[0] in paths)),
            editable=editable,
            readable=readable,
            limits=study.policy.limits("editor"),
        )
    )


def experiment_job(
    study: Study, ports: Ports, argv: tuple[str, ...], *harvest: str, runs: bool
) -> Job:
    """A job in the experiment container; with ``runs``, it receives the finished runs."""
    files = code_only(study.tree)
    if runs:
        finished = (pair for pair in study.tree.files if re.match(r"run_\d+(/|\Z)", pair[0]))
        files = files.updated(Tree(tuple(finished)))
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
