"""Plots: the template's ``plot.py``, adapted to the finished runs, in its own container."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.job import JobResult
from orchestrator.core.tree import Tree
from orchestrator.record.notes import GaveUp
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common

_ATTEMPTS = 4


def draw_plots(study: Study, ports: Ports) -> Study:
    """Figures by an edited ``plot.py``, or the original. Raises :class:`IdeaFailed` if all fail."""
    original = study
    feedback = common.feedback_block(None)
    for attempt in range(1, _ATTEMPTS + 1):
        scoped = ports.within(f"attempt_{attempt}")
        instruction = render(
            "plots_edit",
            study=common.study_block(study),
            results=common.results_block(study),
            feedback=feedback,
        )
        edit = common.edit_files(study, scoped, "plots.edit", instruction, "plot.py")
        study = replace(study, tree=study.tree.updated(edit.files))
        result, figures = _draw(study, scoped)
        if figures.files:
            break
        trouble = "no PNG file came home" if result.ok else ""
        feedback = common.feedback_block(result, trouble)
    else:
        ports.note(GaveUp(attempts=_ATTEMPTS, instead="the template's own plot.py"))
        study = original
        result, figures = _draw(study, ports.within("unedited"))
    if not figures.files:
        raise IdeaFailed(
            "no figure could be drawn, with the edited plot.py or the template's own",
            where="plot.py",
            why=result.stderr[-common.OUTPUT_TAIL :],
            todo="`aisci template check --run` tries the template's own plot.py",
        )
    return replace(study, tree=study.tree.updated(figures), figures=figures.paths())


def _draw(study: Study, ports: Ports) -> tuple[JobResult, Tree]:
    job = common.experiment_job(study, ports, ("python", "plot.py"), "*.png", runs=True)
    result = ports.run(job)
    pictures = [pair for pair in result.files.files if is_png(ports.blobs.get(pair[1]))]
    return result, Tree(tuple(pictures)) if result.ok else Tree()


def is_png(data: bytes) -> bool:
    """Whether the first bytes are those of a PNG file; nothing is decoded."""
    return data.startswith(b"\x89PNG\r\n\x1a\n")
