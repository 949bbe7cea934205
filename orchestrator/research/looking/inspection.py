"""What the container says of the figures that ``plot.py`` saved: ``sandbox/figures`` writes it there.

Code that a model wrote may have changed it. It is taken as words about the figures, for models and
readers, and as nothing else.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from orchestrator.core.files import shipped_root
from orchestrator.core.sanitize import plain_line
from orchestrator.core.strict_json import loads

FOLDER = ".aisci"
SCRIPT, REPORT = f"{FOLDER}/inspect_figures.py", f"{FOLDER}/figures.json"
_MOST_BYTES = 512 * 1024

_Text = Annotated[str, Field(max_length=120)]
_Words = Annotated[tuple[_Text, ...], Field(max_length=12)]
_Count = Annotated[int, Field(ge=0, le=10**9)]
_Size = Annotated[float, Field(ge=0, le=1e6)]
_Range = tuple[float, float]


class _Part(BaseModel, extra="forbid", frozen=True):
    """A value of the report; its texts are untrusted data."""


class Series(_Part):
    """What is drawn under one label. ``finite`` of its ``points`` have a place; the ranges are theirs."""

    kind: _Text
    label: _Text
    points: _Count
    finite: _Count
    x: _Range | None
    y: _Range | None
    look: _Text


class Axis(_Part):
    """``ticks`` are the labels that are shown along it."""

    label: _Text
    scale: _Text
    range: _Range
    ticks: _Words


class Panel(_Part):
    """One pair of axes. ``place`` is left, bottom, right and top, as shares of the canvas; ``other`` counts
    the texts, tables and shapes in it.
    """

    kind: _Text
    framed: bool
    place: tuple[float, float, float, float]
    title: _Text
    x: Axis
    y: Axis
    legend: _Words
    series: Annotated[tuple[Series, ...], Field(max_length=12)]
    more_series: _Count
    other: _Count

    @property
    def empty(self) -> bool:
        """Whether nothing with a place is drawn in it."""
        return not self.other and not any(one.finite for one in self.series)


_PanelNumber = Annotated[int, Field(ge=-1, lt=16)]  # -1: a text of the figure as a whole
_Outside = tuple[_Text, _PanelNumber, _Text]
_Overlap = tuple[_Text, _PanelNumber, _Text, _Text, _PanelNumber, _Text]


class InspectedFigure(_Part):
    """One saved PNG: its size, its panels, texts that the canvas cuts off, and texts that overlap.
    ``smallest`` is the size of its smallest text, in points.
    """

    name: _Text
    pixels: tuple[_Count, _Count]
    inches: tuple[_Size, _Size]
    dpi: _Size
    title: _Text
    legend: _Words
    smallest: _Size
    axes: Annotated[tuple[Panel, ...], Field(max_length=16)]
    outside: Annotated[tuple[_Outside, ...], Field(max_length=20)]
    overlaps: Annotated[tuple[_Overlap, ...], Field(max_length=20)]


class FiguresSeen(_Part):
    """The figures of one run of ``plot.py`` that matplotlib drew. ``trouble`` says why none is known."""

    figures: Annotated[tuple[InspectedFigure, ...], Field(max_length=20)] = ()
    trouble: Annotated[str, Field(max_length=300)] = ""

    def of(self, name: str) -> InspectedFigure | None:
        return next((one for one in self.figures if one.name == name), None)


def scripts() -> dict[str, str]:
    """The programs that inspect figures, by their paths in a container."""
    folder = shipped_root() / "sandbox" / "figures"
    return {
        f"{FOLDER}/{path.name}": path.read_text("utf-8") for path in sorted(folder.glob("*.py"))
    }


def read_inspection(data: bytes) -> FiguresSeen:
    """The container's report; one with ``trouble`` if it cannot be read."""
    try:
        if len(data) > _MOST_BYTES:
            return FiguresSeen(trouble="it is too long")
        return FiguresSeen.model_validate(loads(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]["msg"]
        return FiguresSeen(trouble=plain_line(first))
    except ValueError as error:
        return FiguresSeen(trouble=plain_line(error))
