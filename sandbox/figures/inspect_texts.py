"""The texts of a figure: which are drawn, where their boxes are, and whether two overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any


def all_axes(figure: Any) -> Iterator[Any]:
    for axes in figure.axes:
        yield axes
        yield from axes.child_axes


def all_texts(figure: Any, axes: list[Any]) -> Iterator[tuple[str, int, Any]]:
    """Each text that is drawn: its part of the figure, its panel, the artist."""
    found = [("text", -1, text) for one in (figure, *figure.subfigs) for text in one.texts]
    for one in (figure, *figure.subfigs):
        found += [("legend entry", -1, text) for text in of_legends(one.legends)]
    for number, one in enumerate(axes):
        found += [("title", number, text) for text in titles(one)]
        found += [("text", number, text) for text in one.texts]
        legend = one.get_legend()
        found += [("legend entry", number, text) for text in of_legends([legend] if legend else [])]
        for name, axis in (("x", one.xaxis), ("y", one.yaxis)):
            if flat(one) and one.axison and axis.get_visible():
                found += [(f"label of the {name} axis", number, axis.label)]
                found += [(f"factor of the {name} axis", number, axis.get_offset_text())]
                found += [(f"tick label of the {name} axis", number, t) for t in ticks(axis, name)]
    for part, number, text in found:
        if text.get_visible() and text.get_text().strip() and text.get_alpha() != 0:
            yield part, number, text


def titles(axes: Any) -> list[Any]:
    return [axes.title, axes._left_title, axes._right_title]  # noqa: SLF001 - no other way to them


def of_legends(legends: list[Any]) -> list[Any]:
    return [
        text
        for one in legends
        if one.get_visible()
        for text in (one.get_title(), *one.texts)
        if text.get_text()
    ]


def flat(axes: Any) -> bool:
    return bool(axes.name == "rectilinear")


def ticks(axis: Any, name: str) -> list[Any]:
    """The tick labels inside the axis's range: others are not drawn."""
    low, high = sorted(axis.get_view_interval())
    some = 1e-6 * (high - low)
    labels = [*axis.get_majorticklabels(), *axis.get_minorticklabels()]
    return [
        text
        for text in labels
        if low - some <= text.get_position()[name == "y"] <= high + some
        and text.get_visible()
        and text.get_text()
    ]


Corners = list[tuple[float, float]]


def corners(text: Any, renderer: Any) -> Corners:
    """The corners of a text's box, in pixels; a turned text has a turned box."""
    from matplotlib.text import Text  # noqa: PLC0415

    if hasattr(text, "update_positions"):
        text.update_positions(renderer)  # of an annotation
    around = Text.get_window_extent(text, renderer)
    angle = text.get_rotation()
    text.set_rotation(0)
    box = Text.get_window_extent(text, renderer)
    text.set_rotation(angle)
    x, y = (around.x0 + around.x1) / 2, (around.y0 + around.y1) / 2
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    w, h = box.width / 2, box.height / 2
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [(x + i * w * c - j * h * s, y + i * w * s + j * h * c) for i, j in signs]


def overlap(one: Corners, other: Corners) -> bool:
    """Whether two boxes overlap by more than the space that letters have around them."""
    for box in (one, other):
        for (x, y), (u, v) in ((box[0], box[1]), (box[1], box[2])):
            length = math.hypot(u - x, v - y) or 1.0
            along = ((u - x) / length, (v - y) / length)
            a = [p * along[0] + q * along[1] for p, q in one]
            b = [p * along[0] + q * along[1] for p, q in other]
            least = min(max(a) - min(a), max(b) - min(b))
            if min(max(a), max(b)) - max(min(a), min(b)) <= 0.15 * least:
                return False
    return True
