"""Figures in words: what is wrong with one, what one shows, and a caption made from that."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from orchestrator.core.sanitize import plain_line
from orchestrator.research.looking.inspection import Axis, InspectedFigure, Panel, Series

_PAGE = 6.5  # inches: the width of a paper's text
_LEAST_TEXT = 5.0  # points, on the page
_LEAST_DPI = 200
_LEAST_PIXELS = 600  # of the width
_CUT = 0.1  # of an axis; what lies further beyond it is cut off
_SAID = 3  # texts of one kind that a sentence names
_ENDS = 2  # points of a straight line
_LONGEST = 2400  # characters of a description


def what_is_wrong(figure: InspectedFigure) -> tuple[str, ...]:
    """Sentences for a model: whatever a careful reader would ask to have corrected."""
    found = [
        *_size(figure),
        *_outside(figure),
        *_overlaps(figure),
        *(text for panel in figure.axes for text in _panel(figure, panel)),
        *_legend(figure),
    ]
    return tuple(f"{figure.name}: {text}" for text in found)


def _size(figure: InspectedFigure) -> Iterator[str]:
    width, height = figure.pixels
    if figure.dpi < _LEAST_DPI or width < _LEAST_PIXELS:
        yield (
            f"it is too small, {width} × {height} pixels at {figure.dpi:g} dots an inch: save it at "
            "300, at least 4 inches wide"
        )
    on_page = figure.smallest * min(1.0, _PAGE / max(figure.inches[0], 0.1))
    if 0 < on_page < _LEAST_TEXT:
        yield (
            f"its smallest text would be {on_page:.1f} points high on the page, where the figure is "
            f"{_PAGE:g} inches wide: draw it smaller than {figure.inches[0]:g} inches, or with larger "
            "text"
        )


def _outside(figure: InspectedFigure) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for part, number, text in figure.outside:
        groups.setdefault(f"{part}{_of(figure, number)}", []).append(text)
    for part, texts in groups.items():
        yield f"the canvas cuts off this {part}: {_named(texts)}"


def _overlaps(figure: InspectedFigure) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for part, number, text, other_part, other, other_text in figure.overlaps:
        sides = f"{part}{_of(figure, number)}", f"{other_part}{_of(figure, other)}"
        groups.setdefault(sides, []).append(f"{text!r} and {other_text!r}")
    for (part, other_part), pairs in groups.items():
        where = f"each {part} overlaps the next" if part == other_part else ""
        yield f"{where or f'the {part} overlaps the {other_part}'}: {'; '.join(pairs[:_SAID])}"


def _panel(figure: InspectedFigure, panel: Panel) -> Iterator[str]:
    name = _name(figure, panel)
    if panel.empty:
        if panel.framed and panel.kind != "colorbar":
            yield f"{name} is empty: no point with a finite place is drawn in it"
        return
    yield from (f"{name}: {text}" for text in _places(panel))
    looks = Counter(
        {one.label: one.look for one in panel.series if one.label and one.look}.values()
    )
    for look, times in looks.items():
        if times > 1:
            yield f"{name}: {times} labelled series look the same ({look})"
    for axis, name_of_axis in ((panel.x, "x"), (panel.y, "y")):
        if _unnamed(figure, panel, axis, name_of_axis):
            yield f"{name} has no label on its {name_of_axis} axis"


def _places(panel: Panel) -> Iterator[str]:
    """The series that are not seen, or not whole."""
    for one in panel.series:
        if one.points and not one.finite:
            yield f"{_series(one)} has no finite point"
        elif _guide(one):
            continue
        elif _off(one.x, panel.x) or _off(one.y, panel.y):
            yield f"{_series(one)} lies outside of the range of the axes"
        elif beyond := _cut_off(one.y, panel.y):
            yield f"{_series(one)} {beyond}"


def _guide(one: Series) -> bool:
    """Whether it is a straight line without a label, as of equal sums: it may leave by any side."""
    return one.kind == "line" and not one.label and one.points == _ENDS


def _unnamed(figure: InspectedFigure, panel: Panel, axis: Axis, name: str) -> bool:
    """Whether numbers stand along an axis, and nothing says of what: a label may stand at another
    panel of the same column, or the same row.
    """
    if panel.kind != "rectilinear" or axis.label or not any(map(_is_number, axis.ticks)):
        return False
    low = 0 if name == "x" else 1

    def beside(other: Panel) -> bool:
        start = max(panel.place[low], other.place[low])
        common = min(panel.place[low + 2], other.place[low + 2]) - start
        return common > 0.5 * (panel.place[low + 2] - panel.place[low])

    return not any(getattr(one, name).label for one in figure.axes if beside(one))


def _is_number(tick: str) -> bool:
    bare = re.sub(r"\\[a-z]+|[${}]", "", tick)
    return bool(re.search(r"\d", bare)) and not re.search(r"[^\W\d_]{2}", bare)


def _off(drawn: tuple[float, float] | None, axis: Axis) -> bool:
    """Whether a series is wholly beside the range of an axis."""
    return drawn is not None and (drawn[1] < min(axis.range) or drawn[0] > max(axis.range))


def _cut_off(drawn: tuple[float, float] | None, axis: Axis) -> str:
    """Where a good part of a series lies above or below an axis: as a text, or empty. A line that leaves
    the picture is often a limit that was set for another panel.
    """
    low, high = sorted(axis.range)
    place = math.log10 if axis.scale == "log" and low > 0 else float
    if drawn is None or (axis.scale == "log" and drawn[0] <= 0):
        return ""
    room = _CUT * (place(high) - place(low))
    if place(drawn[1]) > place(high) + room:
        return (
            f"reaches up to {drawn[1]:.4g}, and its y axis ends at {high:.4g}: the rest is cut off"
        )
    if place(drawn[0]) < place(low) - room:
        return f"reaches down to {drawn[0]:.4g}, and its y axis begins at {low:.4g}: the rest is cut off"
    return ""


def _legend(figure: InspectedFigure) -> Iterator[str]:
    if figure.legend or any(panel.legend for panel in figure.axes):
        return
    for panel in figure.axes:
        labels = {one.label for one in panel.series if one.label}
        if len(labels) > 1:
            yield f"{_name(figure, panel)} has {len(labels)} labelled series and no legend"
            return


def _of(figure: InspectedFigure, number: int) -> str:
    if not 0 <= number < len(figure.axes) or len(figure.axes) == 1:
        return ""
    return f" of {_name(figure, figure.axes[number])}"


def _name(figure: InspectedFigure, panel: Panel) -> str:
    if len(figure.axes) == 1:
        return "the panel"
    title = f" ({panel.title!r})" if panel.title else ""
    return f"panel {figure.axes.index(panel) + 1}{title}"


def _series(one: Series) -> str:
    return f"the series {one.label!r}" if one.label else f"a series ({one.kind})"


def _named(texts: Iterable[str]) -> str:
    known = list(dict.fromkeys(texts))
    more = f" and {len(known) - _SAID} more" if len(known) > _SAID else ""
    return ", ".join(repr(text) for text in known[:_SAID]) + more


# --- what a figure shows ----------------------------------------------------------------------


def figure_words(figure: InspectedFigure) -> str:
    """One line: size, panels, axes with their ranges, series with theirs, the legend."""
    width, height = figure.inches
    parts = [f"{width:.1f} × {height:.1f} inches"]
    parts += [repr(figure.title)] if figure.title else []
    parts += [_panel_words(figure, one) for one in figure.axes if one.framed or not one.empty]
    parts += [f"legend of all panels: {', '.join(figure.legend)}"] if figure.legend else []
    return plain_line("; ".join(parts), limit=_LONGEST)


def _panel_words(figure: InspectedFigure, panel: Panel) -> str:
    said = [_axis_words("x", panel.x), _axis_words("y", panel.y)]
    drawn = [
        f"{one.kind} {one.label!r} ({one.finite} points{_reach(one)})"
        for one in panel.series
        if one.label
    ]
    unlabelled = Counter(
        f"image ({one.look})" if one.kind == "image" else one.kind
        for one in panel.series
        if not one.label
    )
    drawn += [f"{count} unlabelled {kind}" for kind, count in unlabelled.items()]
    drawn += [f"{panel.more_series} more series"] if panel.more_series else []
    said += [f"drawn: {', '.join(drawn)}"] if drawn else []
    said += [f"legend: {', '.join(panel.legend)}"] if panel.legend else []
    return f"{_name(figure, panel)}: {', '.join(said)}"


def _axis_words(name: str, axis: Axis) -> str:
    scale = "" if axis.scale == "linear" else f" ({axis.scale})"
    places = "" if any(map(_is_number, axis.ticks)) or not axis.ticks else "/".join(axis.ticks)
    reach = places or f"{axis.range[0]:g} to {axis.range[1]:g}"
    return f"{name} {axis.label!r} {reach}{scale}" if axis.label else f"{name} {reach}{scale}"


def _reach(one: Series) -> str:
    name, ends = ("x", one.x) if one.kind == "horizontal bars" else ("y", one.y)
    if ends is None:
        return ""
    low, high = ends
    return f", {name} {low:g}" if low == high else f", {name} {low:g} to {high:g}"


def made_caption(name: str, figure: InspectedFigure | None) -> str:
    """A caption from what was seen: the axes of each panel, and the legend."""
    stem = re.sub(r"[_\W]+", " ", name.removesuffix(".png")).strip()
    if figure is None:
        return f"{stem[:1].upper()}{stem[1:]}."
    across = next((panel.x.label for panel in figure.axes if panel.x.label), "")
    shown = dict.fromkeys(
        " against ".join(filter(None, (panel.y.label, panel.x.label or across)))
        for panel in figure.axes
        if panel.y.label
    )
    titles = dict.fromkeys(panel.title for panel in figure.axes if panel.title)
    names = dict.fromkeys([*figure.legend, *(text for one in figure.axes for text in one.legend)])
    what = "; ".join(shown or titles) or stem
    labels = f" Shown: {', '.join(names)}." if names else ""
    return plain_line(f"{what[:1].upper()}{what[1:]}.{labels}", limit=400)
