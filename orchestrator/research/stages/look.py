"""Pictures for a model that can see: what it finds wrong with figures, as sentences.

A figure's file is sent as it came from the container; nothing on the host decodes it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchestrator.core.model import Ask, Message, Picture
from orchestrator.core.research import Figure
from orchestrator.core.tree import Tree
from orchestrator.record.ports import Ports
from orchestrator.research.prompts import block, render
from orchestrator.research.replies import ask_for
from orchestrator.research.reply_form import ReplyForm
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import blocks as common

MOST_PICTURES = 8
LARGEST_PICTURE = 4 << 20  # bytes; vendors take five million and more

_Problem = Annotated[str, Field(min_length=1, max_length=400)]


class PictureForm(ReplyForm):
    """What is wrong with one figure."""

    file: Annotated[str, Field(max_length=100)]
    problems: Annotated[tuple[_Problem, ...], Field(max_length=6)] = ()


class LookForm(ReplyForm):
    """The form of a look at a study's figures."""

    figures: Annotated[tuple[PictureForm, ...], Field(max_length=20)]


def pictures_of(study: Study, files: Tree, ports: Ports, role: str) -> tuple[Picture, ...]:
    """The pictures that a request shows: none to a model that does not see, and none too large."""
    if role not in study.sees:
        return ()
    small = (pair for pair in files.files if len(ports.blobs.get(pair[1])) <= LARGEST_PICTURE)
    return tuple(Picture(*pair) for pair in small)[:MOST_PICTURES]


def figure_pictures(study: Study, ports: Ports, role: str) -> tuple[Picture, ...]:
    """The pictures of the figures that the paper shows, if the model of that role sees."""
    known = study.tree.as_dict()
    return pictures_of(study, Tree.of({name: known[name] for name in study.figures}), ports, role)


def look_at(
    study: Study, files: Tree, figures: tuple[Figure, ...], ports: Ports
) -> tuple[str, ...]:
    """What a model that sees these figures finds wrong, as sentences; nothing if it cannot see."""
    names = {one.name for one in figures}  # what the author leaves out is not looked at
    shown_files = Tree(tuple(pair for pair in files.files if pair[0] in names))
    pictures = pictures_of(study, shown_files, ports, "vision")
    if not pictures:
        return ()
    asked = render(
        "plots_look",
        study=common.study_block(study),
        runs=block("runs", [run.name for run in study.runs]),
        figures=block("figures", common.figure_rows(figures)),
    )
    ask = Ask(purpose="plots.look", messages=(Message("user", asked, pictures=pictures),))
    form = ask_for(ports.within("look"), ask, LookForm)
    shown = {picture.name for picture in pictures}
    return tuple(
        f"{one.file}, as a reader saw it: {problem}"
        for one in form.figures
        if one.file in shown
        for problem in one.problems
    )
