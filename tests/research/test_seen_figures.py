"""What the host makes of the container's words about figures: untrusted, then in sentences."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.research.looking.figures import figure_words, made_caption, what_is_wrong
from orchestrator.research.looking.inspection import InspectedFigure, read_inspection

LEFT, RIGHT = [0.1, 0.1, 0.45, 0.9], [0.55, 0.1, 0.9, 0.9]


def axis(label: str = "updates", *ticks: str, low: float = 0.0, high: float = 10.0) -> Any:
    return {
        "label": label,
        "scale": "linear",
        "range": [low, high],
        "ticks": list(ticks or ("0", "10")),
    }


def series(label: str = "a", **more: Any) -> Any:
    known = {"kind": "line", "label": label, "points": 3, "finite": 3, "x": [0, 10], "y": [1, 2]}
    return known | {"look": f"look of {label}"} | more


def panel(**more: Any) -> Any:
    known = {"kind": "rectilinear", "framed": True, "place": LEFT, "title": "", "x": axis()}
    known |= {"y": axis("loss"), "legend": [], "series": [series()], "more_series": 0, "other": 0}
    return known | more


def figure(*panels: Any, **more: Any) -> Any:
    known = {"name": "a.png", "pixels": [1800, 900], "inches": [6.0, 3.0], "dpi": 300, "title": ""}
    known |= {"legend": [], "smallest": 9, "outside": [], "overlaps": []}
    return known | {"axes": list(panels) or [panel()]} | more


def seen(*panels: Any, **more: Any) -> InspectedFigure:
    found = read_inspection(json.dumps({"figures": [figure(*panels, **more)]}).encode())
    assert found.trouble == ""
    return found.figures[0]


def wrong(*panels: Any, **more: Any) -> str:
    return "\n".join(what_is_wrong(seen(*panels, **more)))


def test_nothing_is_wrong_with_a_labelled_figure() -> None:
    assert wrong() == ""


@pytest.mark.parametrize(
    ("says", "one"),
    [
        ("too small, 400 × 300 pixels at 100", figure(pixels=[400, 300], dpi=100)),
        ("text would be 3.2 points", figure(inches=[20, 8], smallest=10)),
        ("cuts off this legend entry: 'a', 'b'", figure(outside=[["legend entry", -1, "a"], ["legend entry", -1, "b"]])),
        ("each tick label of the x axis overlaps the next: '1' and '2'",
         figure(overlaps=[["tick label of the x axis", 0, "1", "tick label of the x axis", 0, "2"]])),
        ("the panel is empty", figure(panel(series=[]))),
        ("the panel is empty", figure(panel(series=[series(finite=0, x=None, y=None)]))),
        ("the series 'b' has no finite point", figure(panel(series=[series(), series("b", finite=0, x=None, y=None)]))),
        ("the series 'a' lies outside of the range", figure(panel(series=[series(y=[50, 60])]))),
        ("has no label on its x axis", figure(panel(x=axis("")))),
        ("has no label on its y axis", figure(panel(y=axis("", "$\\mathdefault{10^{2}}$")))),
        ("2 labelled series and no legend", figure(panel(series=[series(), series("b")]))),
        ("2 labelled series look the same (blue)", figure(panel(series=[series(look="blue"), series("b", look="blue")]), legend=["a", "b"])),
    ],
)  # fmt: skip
def test_each_flaw_is_told_in_words(says: str, one: Any) -> None:
    found = read_inspection(json.dumps({"figures": [one]}).encode())
    assert found.trouble == ""
    problems = what_is_wrong(found.figures[0])
    assert [problem for problem in problems if says in problem], problems
    assert all(problem.startswith("a.png: ") for problem in problems)


def test_what_another_panel_or_words_on_the_ticks_say_is_not_missed() -> None:
    same_row = panel(place=RIGHT, y=axis(""))
    assert wrong(panel(), same_row) == ""
    below = panel(place=[0.1, -0.9, 0.45, -0.1], y=axis(""))
    assert "panel 2 has no label on its y axis" in wrong(panel(), below)
    assert wrong(panel(x=axis("", "task one", "x_div_y"))) == ""
    unframed = panel(series=[], framed=False, x=axis(""), y=axis(""))
    assert wrong(panel(), unframed | {"place": RIGHT}) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"figures": [{}]}',
        b'{"figures": NaN}',
        b'{"figures": [], "more": 1}',
        json.dumps({"figures": [figure()] * 21}).encode(),
        json.dumps({"figures": [figure(title="x" * 121)]}).encode(),
        json.dumps({"figures": [figure(outside=[["text", 99, "x"]])]}).encode(),
        json.dumps({"figures": [figure(dpi=1e300)]}).encode(),
        b" " * 600_000,
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_words_of_another_form_are_refused_with_a_reason(data: bytes) -> None:
    found = read_inspection(data)
    assert found.figures == ()
    assert found.trouble


def test_a_figure_in_words_is_one_bounded_line() -> None:
    words = figure_words(seen(legend=["a"]))
    assert "x 'updates' 0 to 10" in words
    assert "line 'a' (3 points, y 1 to 2)" in words
    assert "legend of all panels: a" in words
    hostile = seen(*[panel(title="\x1b\n" + "x" * 100)] * 16)
    assert len(figure_words(hostile)) < 2500
    assert not {"\x1b", "\n"} & set(figure_words(hostile))


def test_a_caption_is_made_from_the_axes_or_else_the_name() -> None:
    assert made_caption("a.png", seen(panel(legend=["one", "two"]))) == (
        "Loss against updates. Shown: one, two."
    )
    assert made_caption("a.png", seen(panel(title="Clouds", y=axis("")))) == "Clouds."
    assert made_caption("final_comparison.png", None) == "Final comparison."
