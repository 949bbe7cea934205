"""The prompt blocks, edits and jobs that several stages share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from orchestrator.core.job import JobResult
from orchestrator.core.model import Message
from orchestrator.core.research import Figure, Idea
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.record.ports import Ports
from orchestrator.research.looking.code import code_difference, fitted_differences
from orchestrator.research.looking.run_facts import run_facts
from orchestrator.research.prompts import block, render, text_block
from orchestrator.research.run_spec import Study
from orchestrator.template.baseline import shown_output
from orchestrator.template.template import Template


def template_block(template: Template) -> str:
    """A template's description, metrics and knobs, as data for a prompt."""
    manifest = template.manifest
    metrics = {
        name: metric.model_dump(include={"direction", "unit", "description"})
        for name, metric in manifest.metrics.items()
    }
    about = {"name": template.name, "title": manifest.title, "description": manifest.description}
    return block("template", {**about, "metrics": metrics, "knobs": knob_dicts(template)})


def knob_dicts(template: Template) -> dict[str, Any]:
    """The declared constants that a run may change: file, constant, default, values."""
    return {name: knob.model_dump() for name, knob in template.manifest.knobs.items()}


def study_block(study: Study) -> str:
    """The idea, the scale with its seeds, and what one run may use."""
    scale = study.template.scale(study.scale)
    about = {
        "idea": idea_dict(study.idea, planned=bool(study.plan.runs or study.outcomes)),
        "template": study.template.name,
        "scale": {
            "name": study.scale,
            "about": scale.description,
            **seeds_dict(study),
        },
        "limits_of_one_run": limits_dict(study.policy),
    }
    return block("study", about)


def seeds_dict(study: Study) -> dict[str, Any]:
    """The seeds of this scale, those that the study adds, and the data sets that need none: they have no chance in them."""
    manifest = study.template.manifest
    seeds, exact = manifest.scales[study.scale].seeds, manifest.exact
    if isinstance(seeds, dict):
        seeds = {name: row for name, row in seeds.items() if name not in exact}
    return {
        "seeds": seeds,
        **({"without_chance": exact} if exact else {}),
        **({"more_seeds_of_this_study": study.more_seeds} if study.more_seeds else {}),
    }


def limits_dict(policy: Policy) -> dict[str, Any]:
    """What one run may use, in the units of the keys."""
    limits = policy.limits("experiment")
    return {
        "cpus": limits.cpus,
        "memory_bytes": limits.memory,
        "gpus": limits.gpus,
        "wall_seconds": limits.wall,
        "workspace_bytes": limits.workspace,
        "network": limits.network,
    }


def idea_dict(idea: Idea, *, planned: bool = False) -> dict[str, Any]:
    """The idea; once there is a plan, its text is what was proposed before it."""
    text = "proposed_before_the_plan" if planned else "experiment"
    return {"name": idea.name, "title": idea.title, text: idea.experiment}


def metrics_block(study: Study) -> str:
    """Every metric with its unit and the better side; those that the study added too."""
    return block("metrics", metric_facts(study))


def metric_facts(study: Study) -> dict[str, Any]:
    """The same as values, by the metric's name."""
    return {
        name: {
            **metric.model_dump(include={"direction", "unit", "description"}),
            "headline": name in study.headline,
        }
        for name, metric in study.metrics.items()
    }


def code_files(study: Study) -> tuple[str, ...]:
    """The editable Python files of an experiment, and those that the study added."""
    own = {path for path in study.template.manifest.editable if path in study.template.files}
    added = {path for path in code_only(study.tree).paths() if path not in study.template.files}
    return tuple(
        path
        for path in study.tree.paths()
        if path.endswith(".py") and path != "plot.py" and path in own | added
    )


def code_block(study: Study, ports: Ports) -> str:
    """The code that a run may change, each file in a fence of its own."""
    sources = study.tree.as_dict()
    return "\n\n".join(text_block(path, ports.text(sources[path])) for path in code_files(study))


def code_message(study: Study, ports: Ports) -> Message:
    """The message with that code which begins the requests about it before the first run: a vendor's cache serves it
    to all but the first.
    """
    return Message("user", render("code_begin", code=code_block(study, ports)), cache=True)


def results_block(study: Study, ports: Ports, *, every_value: bool = True) -> str:
    """Every run as it was measured, and what a careful reader would notice; the values per seed of
    every run, or of the last one alone.
    """
    newest = study.runs[-1]
    rows = [run_facts(study, run, ports.blobs, whole=run is newest) for run in study.runs]
    for row in rows[:-1] if not every_value else ():
        del row["values_per_seed"]
    return block("results", rows)


def plan_rows(study: Study) -> list[dict[str, Any]]:
    """Each planned run that was tried: what was expected, and what came out."""
    rows = [
        {**asdict(one.planned), "run": one.number, "finding": one.finding, "why": one.why}
        for one in study.outcomes
    ]
    return [*rows, *({**asdict(gone.planned), "given_up": gone.why} for gone in study.given_up)]


def figure_rows(figures: Iterable[Figure]) -> list[dict[str, str]]:
    """Each figure's file, its caption, and what was seen in it without a model."""
    return [{"name": f.name, "caption": f.caption, "seen": f.description} for f in figures]


def differences_block(study: Study, ports: Ports, *, without: str = "") -> str:
    """What each run but the one named ``without`` changed in the code that it started from."""
    rows = differences_by_run(study, ports)
    rows.pop(without, None)
    return block("differences", fitted_differences(rows))


def differences_by_run(
    study: Study,
    ports: Ports,
    *,
    leaving_out: frozenset[str] = frozenset(),
    said: Callable[[str, str, str], str] = code_difference,
) -> dict[str, str]:
    """What each run changed in the code that it started from, whole, by the run's name, as ``said`` of each file; without
    the files of ``leaving_out``, and without runs of which one side is not known.
    """
    by_number = {run.number: run for run in study.runs}
    rows = {}
    for run in study.runs[1:]:
        before, after = by_number[run.base].code.as_dict(), run.code.as_dict()
        if not (before and after):
            continue
        changed = [
            path for path in after if path not in leaving_out and after[path] != before.get(path)
        ]
        rows[run.name] = "\n".join(
            said(ports.text(before[path]) if path in before else "", ports.text(after[path]), path)
            for path in changed
        )
    return rows


def feedback_block(result: JobResult | None, trouble: str = "", *, tails: bool = True) -> str:
    """Why an attempt failed: the host's verdict and, with ``tails``, the program's last output."""
    value: dict[str, Any] = {"trouble": trouble or None}
    if result is not None:
        value |= {
            "verdict": result.verdict,
            "exit_code": result.exit_code,
            "limits_hit": list(result.hit),
        }
    if result is not None and not tails:
        value["output"] = "not shown: it may hold confidential data"
    elif result is not None:
        value |= {
            "stdout_tail": shown_output(result.stdout),
            "stderr_tail": shown_output(result.stderr),
        }
    return block("feedback", value if result or trouble else None)


def code_only(tree: Tree) -> Tree:
    """The files of an experiment: without runs, paper, figures and snapshots."""
    apart = re.compile(r"run_\d+(/|\Z)|latex/|[^/]+\.png\Z|run_\d+\.py\Z")
    return Tree(tuple(pair for pair in tree.files if not apart.match(pair[0])))
