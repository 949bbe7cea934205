"""The plots of a benchmark as SVG: ROC, metrics over thresholds, papers by score. No script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from orchestrator.agreement.bootstrap import Agreement
from orchestrator.agreement.metrics import THRESHOLDS, at_threshold
from orchestrator.agreement.published import PEOPLE, RANDOM, REJECT
from orchestrator.report.html import Child, Html, el

WIDTH, HEIGHT = 440, 330  # of a plot, in CSS pixels
LEFT, RIGHT, TOP_EDGE, BOTTOM_EDGE = 44, 16, 14, 44  # what is left for axes
BLUE, ORANGE, GREEN, VIOLET = "#4c78a8", "#d98a1f", "#4f9455", "#a0619b"  # told apart in grey too
_At = Callable[[float], float]


def roc_plot(found: Agreement) -> Html:
    """False against true positive rate, by threshold, with the reviewer's decisions and others'."""
    x, y = _scales(0, 1)
    points = []
    for threshold in (*THRESHOLDS, THRESHOLDS.stop):
        rates = at_threshold(found.scores, threshold).rates()
        if (fpr := rates["FPR"]) is not None and (fnr := rates["FNR"]) is not None:
            points.append((fpr, 1 - fnr, threshold))
    marks: list[Child] = [_segment(x(0), y(0), x(1), y(1), dashed=True)]
    marks.append(_curve([(x(a), y(b)) for a, b, _ in points], BLUE))
    named: dict[tuple[float, float], int] = {(a, b): t for a, b, t in reversed(points)}
    for (a, b), threshold in named.items():
        marks.append(el("circle", cx=x(a), cy=y(b), r=2.6, fill=BLUE))
        if threshold in THRESHOLDS and 0 < a + b < 2:
            marks.append(_word(x(a) - 6, y(b) - 5, str(threshold), anchor="end", color=BLUE))
    own = found.decided
    if (fpr := own["FPR"].value) is not None and (fnr := own["FNR"].value) is not None:
        marks.append(el("rect", x=x(fpr) - 4.5, y=y(1 - fnr) - 4.5, width=9, height=9, fill=ORANGE))
    for row, right, down in ((PEOPLE, -8, -6), (RANDOM, 8, 14), (REJECT, 8, -4)):
        at = x(row.fpr), y(1 - row.fnr)
        side = "end" if right < 0 else "start"
        marks.append(el("circle", cx=at[0], cy=at[1], r=4, fill="none", stroke="currentColor"))
        marks.append(_word(at[0] + right, at[1] + down, row.name, anchor=side))
    ticks = [n / 5 for n in range(6)]
    up, along = "accepted papers that it accepts", "rejected papers that it accepts"
    names = f"true positive rate: {up}", f"false positive rate: {along}"
    plot = _plot("ROC curve", [_axes(x, y, ticks, ticks, *names), *marks])
    keys = (("its overall score, by threshold", BLUE), ("its own decisions", ORANGE))
    return el("div", plot, _legend(keys))


def threshold_plot(found: Agreement, names: Sequence[str]) -> Html:
    """Metrics over the threshold, each with its 95 % interval; the suggested threshold is marked."""
    x, y = _scales(THRESHOLDS.start, THRESHOLDS.stop - 1)
    marks: list[Child] = []
    if found.suggested is not None:
        at = x(found.suggested)
        marks.append(_segment(at, y(0), at, y(1), dashed=True))
    for place, name in enumerate(names):
        color = (BLUE, ORANGE, GREEN)[place % 3]
        rows = [(t, found.thresholds[t][name]) for t in THRESHOLDS]
        known = [(t, one) for t, one in rows if one.value is not None]
        for t, one in known:
            if one.low is not None and one.high is not None:
                left = x(t) + 3 * place - 3  # so that no interval hides another
                marks.append(_segment(left, y(one.low), left, y(one.high), color=color))
        marks.append(_curve([(x(t), y(one.value or 0.0)) for t, one in known], color))
        marks += [
            el("circle", cx=x(t), cy=y(one.value or 0.0), r=2.6, fill=color) for t, one in known
        ]
    axes = _axes(
        x, y, THRESHOLDS, [n / 5 for n in range(6)], "", "accept at this overall score or more"
    )
    plot = _plot(f"{', '.join(names)} over thresholds", [axes, *marks])
    return el("div", plot, _legend(zip(names, (BLUE, ORANGE, GREEN), strict=False)))


def score_plot(found: Agreement) -> Html:
    """Papers by the overall score: those that people rejected below those that they accepted."""
    most = max((no + yes for no, yes in found.scores.values()), default=1)
    x, y = _scales(THRESHOLDS.start - 0.5, THRESHOLDS.stop - 0.5, most)
    marks: list[Child] = []
    for score, (no, yes) in found.scores.items():
        left, wide = x(score - 0.35), x(score + 0.35) - x(score - 0.35)
        if score % 1:  # a mean of several reviews: narrow, between the whole scores
            left, wide = x(score) - 1.5, 3
        for low, high, color in ((0, no, VIOLET), (no, no + yes, GREEN)):
            tall = round(y(low) - y(high), 1)
            marks.append(
                el("rect", x=left, y=y(high), width=round(wide, 1), height=tall, fill=color)
            )
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**6) if most / s <= 6)
    axes = _axes(x, y, THRESHOLDS, range(0, most + 1, step), "papers", "overall score")
    plot = _plot("papers by overall score", [axes, *marks])
    keys = (("people accepted", GREEN), ("people rejected", VIOLET))
    return el("div", plot, _legend(keys))


def _scales(low: float, high: float, top: float = 1) -> tuple[_At, _At]:
    """Values to pixels, along and up."""
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP_EDGE - BOTTOM_EDGE
    return (
        lambda value: round(LEFT + wide * (value - low) / (high - low), 1),
        lambda value: round(TOP_EDGE + tall * (1 - value / top), 1),
    )


def _axes(
    x: _At, y: _At, along: Iterable[float], up: Iterable[float], up_name: str, along_name: str
) -> list[Html]:
    low, floor = LEFT, HEIGHT - BOTTOM_EDGE
    parts = [_word((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, along_name, anchor="middle")]
    if up_name:
        middle = (TOP_EDGE + floor) / 2
        turned = f"rotate(-90 12 {middle})"
        parts.append(_word(12, middle, up_name, anchor="middle", transform=turned))
    for value in up:
        parts.append(el("line", x1=low, x2=WIDTH - RIGHT, y1=y(value), y2=y(value), class_="axis"))
        parts.append(_word(low - 7, y(value) + 4, f"{value:g}", anchor="end"))
    parts += [_word(x(value), floor + 17, f"{value:g}", anchor="middle") for value in along]
    return parts


def _word(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    color: str = "currentColor",
    **more: str,
) -> Html:
    place = {"x": x, "y": y, "text_anchor": anchor, "font_size": 11.5, "fill": color}
    return el("text", words, **place, **more)


def _segment(
    x1: float, y1: float, x2: float, y2: float, *, color: str = "currentColor", dashed: bool = False
) -> Html:
    """A thin line; ``dashed`` for what is only a reference."""
    return el(
        "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=color, stroke_opacity=0.55,
        stroke_dasharray="4 4" if dashed else None,
    )  # fmt: skip


def _curve(points: Sequence[tuple[float, float]], color: str) -> Html:
    path = " ".join(f"{a},{b}" for a, b in points)
    return el("polyline", points=path, fill="none", stroke=color, stroke_width=1.8)


def _plot(about: str, parts: Iterable[Child]) -> Html:
    plain = 'system-ui, "Segoe UI", Roboto, Arial, sans-serif'
    box = f"0 0 {WIDTH} {HEIGHT}"
    return el(
        "svg", *parts, viewBox=box, width="100%", font_family=plain, role="img", aria_label=about
    )


def _legend(entries: Iterable[tuple[str, str]]) -> Html:
    keys = [
        el(
            "li",
            el("svg", el("rect", width=9, height=9, rx=2, fill=color), width=9, height=9),
            name,
        )
        for name, color in entries
    ]
    return el("ul", keys, class_="legend")
