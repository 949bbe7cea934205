"""The panels of a figure: their axes, and the series that are drawn in them."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any

from inspect_texts import flat, of_legends, ticks, titles

MOST_SERIES, MOST_WORDS = 12, 12


def panel_of(axes: Any, figure: Any) -> dict[str, Any]:
    """One panel: its labels and ranges, and the series that are drawn in it, in order."""
    place = axes.get_window_extent().transformed(figure.transFigure.inverted())
    series = sorted(all_series(axes), key=lambda one: not one["label"])  # in the order of drawing
    words = [text.get_text() for text in titles(axes) if text.get_text()]
    legend = axes.get_legend()
    bars = {id(patch) for one in axes.containers for patch in one.get_children()}
    loose = [patch for patch in axes.patches if id(patch) not in bars]
    colorbar = axes.get_label() == "<colorbar>"
    return {
        "kind": "colorbar" if colorbar else axes.name[:40],
        "framed": bool(axes.axison),
        "place": [short(value) for value in (place.x0, place.y0, place.x1, place.y1)],
        "title": " ".join(words)[:120],
        "x": axis_of(axes.xaxis, "x", shown=flat(axes) and axes.axison),
        "y": axis_of(axes.yaxis, "y", shown=flat(axes) and axes.axison),
        "legend": [text.get_text()[:120] for text in of_legends([legend] if legend else [])][
            :MOST_WORDS
        ],
        "series": series[:MOST_SERIES],
        "more_series": max(0, len(series) - MOST_SERIES),
        "other": len(loose) + len(axes.texts) + len(axes.tables) + len(axes.artists),
    }


def axis_of(axis: Any, name: str, *, shown: bool) -> dict[str, Any]:
    low, high = axis.get_view_interval()
    drawn = shown and axis.get_visible()
    return {
        "label": axis.label.get_text()[:120] if drawn and axis.label.get_visible() else "",
        "scale": axis.get_scale()[:40],
        "range": [short(low), short(high)],
        "ticks": [text.get_text()[:40] for text in ticks(axis, name)[:MOST_WORDS]] if drawn else [],
    }


def all_series(axes: Any) -> Iterator[dict[str, Any]]:
    """What is drawn, with its label in the legend: bars, lines, points, bands, images."""
    names: dict[int, str] = {}
    for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
        parts = handle.get_children() if hasattr(handle, "get_children") else []
        names.update(dict.fromkeys(map(id, [handle, *parts]), label))
    whiskers: set[int] = set()
    for one in axes.containers:
        if hasattr(one, "datavalues"):
            yield bars_of(one, names.get(id(one), ""))
        elif hasattr(one, "has_yerr"):
            whiskers |= {id(part) for part in one.get_children()} - {id(one.lines[0])}
    for line in (line for line in axes.lines if id(line) not in whiskers):
        yield line_of(line, label_of(line, names), axes)
    for one in (one for one in axes.collections if id(one) not in whiskers):
        yield collection_of(one, label_of(one, names))
    yield from map(image_of, axes.images)


def bars_of(bars: Any, label: str) -> dict[str, Any]:
    """Bars that lie have their values along x."""
    look = tone(bars.patches[0].get_facecolor()) if bars.patches else ""
    if bars.orientation == "horizontal":
        middles = [bar.get_y() + bar.get_height() / 2 for bar in bars.patches]
        return series_of("horizontal bars", label, bars.datavalues, middles, look)
    middles = [bar.get_x() + bar.get_width() / 2 for bar in bars.patches]
    return series_of("bars", label, middles, bars.datavalues, look)


def line_of(line: Any, label: str, axes: Any) -> dict[str, Any]:
    if not all(line.get_transform().contains_branch_seperately(axes.transData)):
        return series_of("rule", label, (), (), "")  # across the panel, at one value
    kind = "line" if line.get_linestyle() not in {"None", " ", ""} else "points"
    inside = line.get_markerfacecolor()
    filled = "open" if str(inside) == "none" else tone(inside)
    look = f"{tone(line.get_color())} {line.get_marker()} {line.get_linestyle()} {filled}"
    return series_of(kind, label, line.get_xdata(orig=False), line.get_ydata(orig=False), look)


def collection_of(one: Any, label: str) -> dict[str, Any]:
    np: Any = importlib.import_module("numpy")
    kind = {"PathCollection": "points", "LineCollection": "lines", "QuadMesh": "grid"}.get(
        type(one).__name__, "band" if "Poly" in type(one).__name__ else "shapes"
    )
    if kind == "points":
        data = np.ma.filled(one.get_offsets().astype(float), np.nan)
    else:
        paths = one.get_paths()[:200]
        data = np.concatenate([path.vertices for path in paths]) if paths else np.zeros((0, 2))
    colours = [*one.get_facecolor(), *one.get_edgecolor()] if one.get_array() is None else []
    return series_of(kind, label, data[:, 0], data[:, 1], tone(colours[0]) if colours else "")


def image_of(image: Any) -> dict[str, Any]:
    """An image lies where its corners are; what it counts are its values, whose range is its look."""
    np: Any = importlib.import_module("numpy")
    left, right, bottom, top = image.get_extent()
    values = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan).ravel()
    good = values[np.isfinite(values)]
    if not good.size:
        return {**series_of("image", "", (), (), ""), "points": values.size}
    look = f"values {short(good.min()):g} to {short(good.max()):g}"
    placed = series_of("image", "", (left, right), (bottom, top), look)
    return {**placed, "points": values.size, "finite": good.size}


def label_of(artist: Any, names: dict[int, str]) -> str:
    own = str(artist.get_label())
    return names.get(id(artist), "" if own.startswith("_") else own)


def series_of(kind: str, label: str, xs: Any, ys: Any, look: str) -> dict[str, Any]:
    """Counts and ranges of the points that are finite in both directions; a rule has none."""
    np: Any = importlib.import_module("numpy")
    x, y = (np.ma.filled(np.ma.asarray(v, dtype=float), np.nan).ravel() for v in (xs, ys))
    good = np.isfinite(x) & np.isfinite(y)
    ranges = {
        name: [short(v[good].min()), short(v[good].max())] if good.any() else None
        for name, v in (("x", x), ("y", y))
    }
    counts = {"points": len(x), "finite": int(good.sum())}
    if kind == "rule":
        counts = {"points": 1, "finite": 1}
    return {"kind": kind, "label": label[:120], **counts, **ranges, "look": look[:60]}


def tone(colour: Any) -> str:
    from matplotlib.colors import to_hex  # noqa: PLC0415

    return str(to_hex(colour))


def short(value: Any) -> float:
    """Four digits; what is not finite becomes 0."""
    number = float(value)
    return float(f"{number:.4g}") if math.isfinite(number) else 0.0
