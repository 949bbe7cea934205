"""Plots: the template's ``plot.py``, adapted to the finished runs, in its own container."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.job import JobResult
from orchestrator.core.tree import Tree
from orchestrator.record.notes import GaveUp
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.template.baseline import shown_output

_ATTEMPTS = 4
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,80}\.png")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def draw_plots(study: Study, ports: Ports) -> Study:
    """Figures by an edited ``plot.py``, or the original. Raises :class:`IdeaFailed` if all fail."""
    original = study
    feedback = common.feedback_block(None)
    for attempt in range(1, _ATTEMPTS + 1):
        scoped = ports.within(f"attempt_{attempt}")
        instruction = render(
            "plots_edit",
            study=common.study_block(study),
            results=common.results_block(study, scoped),
            feedback=feedback,
        )
        edit = common.edit_files(study, scoped, "plots.edit", instruction, "plot.py")
        if edit.why_not:  # half an edit is not drawn
            feedback = common.feedback_block(None, f"the edit was not applied: {edit.why_not}")
            continue
        study = replace(study, tree=study.tree.updated(edit.files))
        result, figures, problems = _draw(study, scoped)
        if figures.files and (not problems or attempt == _ATTEMPTS):
            break
        trouble = "; ".join(problems) or ("no PNG file came home" if result.ok else "")
        feedback = common.feedback_block(result, trouble)
    else:
        ports.note(GaveUp(attempts=_ATTEMPTS, instead="the template's own plot.py"))
        study = original
        result, figures, _ = _draw(study, ports.within("unedited"))
    if not figures.files:
        raise IdeaFailed(
            "no figure could be drawn, with the edited plot.py or the template's own",
            where="plot.py",
            why=shown_output(result.stderr),
            todo="`aisci template check --run` tries the template's own plot.py",
        )
    return replace(study, tree=study.tree.updated(figures), figures=figures.paths())


def _draw(study: Study, ports: Ports) -> tuple[JobResult, Tree, list[str]]:
    """The figures that a paper can show, and why it cannot show others, as texts for a model."""
    job = common.experiment_job(study, ports, ("python", "plot.py"), "*.png", runs=True)
    result = ports.run(job)
    if not result.ok:
        return result, Tree(), []
    found = [
        (pair, why_no_figure(pair[0], ports.blobs.get(pair[1]))) for pair in result.files.files
    ]
    return result, Tree(tuple(p for p, why in found if not why)), [why for _, why in found if why]


def why_no_figure(name: str, data: bytes) -> str:
    """Why a paper cannot show this file; empty if it can. The file's parts are counted and summed,
    nothing is decoded.
    """
    if not _NAME.fullmatch(name):
        return (
            f"the figure {name[:80]!r} has a name that LaTeX cannot take: use letters, digits, "
            "'_', '-' and '.' alone"
        )
    if not data.startswith(_SIGNATURE):
        return f"{name} is no PNG file"
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND" and at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            return f"the picture {name} is cut off"
        (sum_of_part,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(data[at + 4 : at + 8 + length]) != sum_of_part:
            return f"the picture {name} is damaged"
        at += 12 + length
    return "" if kind == b"IEND" else f"the picture {name} is cut off"
