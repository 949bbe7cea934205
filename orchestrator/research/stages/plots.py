"""Plots: the template's ``plot.py``, adapted to the finished runs, in its own container.

Each figure that it saves is inspected there, without a model, and then looked at by a model that can
see. What is wrong with one goes back to the author, who also writes the captions.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, replace

from orchestrator.core.edit import Edit
from orchestrator.core.errors import IdeaFailed
from orchestrator.core.job import JobResult
from orchestrator.core.research import Figure
from orchestrator.core.tree import Tree
from orchestrator.record.notes import FiguresInspected, GaveUp
from orchestrator.record.ports import Ports
from orchestrator.research.looking.captions import SaidOfFigures, said_of_figures
from orchestrator.research.looking.figures import figure_words, made_caption, what_is_wrong
from orchestrator.research.looking.inspection import (
    REPORT,
    SCRIPT,
    FiguresSeen,
    read_inspection,
    scripts,
)
from orchestrator.research.prompts import block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common
from orchestrator.research.stages.look import look_at
from orchestrator.research.stages.requests import edit_files, experiment_job
from orchestrator.template.baseline import shown_output

_ATTEMPTS = 4
_LOOKS = 2  # at pictures, of one stage
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,80}\.png")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One run of a study's ``plot.py``: the figures that a paper can show, what was seen in them, and
    what is wrong, in sentences for a model.
    """

    study: Study
    result: JobResult
    files: Tree
    seen: FiguresSeen
    problems: tuple[str, ...]

    def figures(self, said: SaidOfFigures) -> tuple[Figure, ...]:
        """The figures that are shown: all of them, if the author would leave out every one."""
        captions, left = dict(said.captions), dict(said.left_out)
        names = self.files.paths()
        return tuple(
            Figure(
                name=name,
                caption=captions.get(name) or made_caption(name, self.seen.of(name)),
                description=figure_words(one) if (one := self.seen.of(name)) else "",
            )
            for name in [name for name in names if name not in left] or names
        )


def draw_plots(study: Study, ports: Ports) -> Study:
    """Figures by an edited ``plot.py``, or the original. Raises :class:`IdeaFailed` if all fail."""
    original, best, said = study, None, SaidOfFigures()
    feedback, captions_asked, looks = common.feedback_block(None), False, 0
    for attempt in range(1, _ATTEMPTS + 1):
        scoped = ports.within(f"attempt_{attempt}")
        edit = _edit(study, scoped, best.figures(said) if best else study.pictures, feedback)
        said = said.then(said_of_figures(edit.reply))
        result, flaws = None, best.problems if best is not None else tuple[str, ...]()
        trouble = [f"the edit was not applied: {edit.why_not}", *flaws]
        if not edit.why_not:  # half an edit is not drawn
            study = replace(study, tree=study.tree.updated(edit.files))
            drawn = _draw(study, scoped)
            if drawn.files.files and not drawn.problems and looks < _LOOKS:
                looks += 1
                found = look_at(study, drawn.files, drawn.figures(said), scoped)
                drawn = replace(drawn, problems=found)
            best = _better(best, drawn)
            result, flaws, trouble = drawn.result, drawn.problems, [*drawn.problems]
        wanted = () if captions_asked or best is None else _wanted(best, said)
        captions_asked = captions_asked or bool(wanted)
        if best is not None and not flaws and not wanted:
            break
        feedback = common.feedback_block(result, "\n".join([*trouble, *wanted]), tails=study.tails)
    if best is None:
        ports.note(GaveUp(attempts=_ATTEMPTS, instead="the template's own plot.py"))
        best = _draw(original, ports.within("unedited"))
    return _shown(best, said, ports)


def _edit(study: Study, ports: Ports, figures: tuple[Figure, ...], feedback: str) -> Edit:
    instruction = render(
        "plots_edit",
        study=common.study_block(study),
        results=common.results_block(study, ports, every_value=False),
        figures=block("figures", common.figure_rows(figures)),
        feedback=feedback,
    )
    readable = common.code_files(study)
    return edit_files(study, ports, "plots.edit", instruction, "plot.py", readable=readable)


def _better(best: Drawing | None, drawn: Drawing) -> Drawing | None:
    """The later drawing, unless it has no figure or more is wrong with it."""
    if not drawn.files.files or (best is not None and len(drawn.problems) > len(best.problems)):
        return best
    return drawn


def _wanted(drawing: Drawing, said: SaidOfFigures) -> tuple[str, ...]:
    """What the author has not said of the figures yet, as texts for a model."""
    captions, left = dict(said.captions), dict(said.left_out)
    names = drawing.files.paths()
    if all(name in left for name in names):
        return ("every figure is left out, and a paper shows at least one",)
    return tuple(
        f"{name} has no caption: write the line `FIGURE: {name} — ` with its caption"
        for name in names
        if name not in captions and name not in left
    )


def _draw(study: Study, ports: Ports) -> Drawing:
    watch = {path: ports.keep(text) for path, text in scripts().items()}
    job = experiment_job(study, ports, ("python", SCRIPT, "plot.py"), "*.png", REPORT, runs=True)
    # A figure is drawn from results: while it is, a GPU serves an experiment.
    limits = job.limits.without_gpus()
    result = ports.run(replace(job, files=job.files.updated(watch), limits=limits))
    if not result.ok:
        why = "plot.py ended before its figures were complete"
        return Drawing(study, result, Tree(), FiguresSeen(), (why,))
    report = result.files.get(REPORT)
    seen = read_inspection(ports.blobs.get(report)) if report else FiguresSeen()
    found = [
        (pair, why_no_figure(pair[0], ports.blobs.get(pair[1])))
        for pair in result.files.files
        if pair[0] != REPORT
    ]
    files = Tree(tuple(pair for pair, why in found if not why))
    problems = [why for _, why in found if why]
    if not found:
        problems.append("no PNG file came home")
    if seen.trouble:
        problems.append(f"what the figures show could not be read: {seen.trouble}")
    for name in files.paths():
        problems += what_is_wrong(one) if (one := seen.of(name)) else ()
    return Drawing(study, result, files, seen, tuple(problems))


def _shown(drawing: Drawing, said: SaidOfFigures, ports: Ports) -> Study:
    """The study with the figures of its paper; what is left out, or still wrong, is noted."""
    if not drawing.files.files:
        raise IdeaFailed(
            "no figure could be drawn, with the edited plot.py or the template's own",
            where="plot.py",
            why=shown_output(drawing.result.stderr),
            todo="`aisci template check --run` tries the template's own plot.py",
        )
    pictures = drawing.figures(said)
    names = {one.name for one in pictures}
    gone = {*drawing.files.paths()} - names
    left_out = tuple(pair for pair in said.left_out if pair[0] in gone)
    ports.note(FiguresInspected(problems=drawing.problems, left_out=left_out))
    files = Tree(tuple(pair for pair in drawing.files.files if pair[0] in names))
    study, earlier = drawing.study, set(drawing.study.figures)
    others = Tree(tuple(pair for pair in study.tree.files if pair[0] not in earlier))
    return replace(study, tree=others.updated(files), pictures=pictures)


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
