"""What a reply says of its figures, however a model formats it."""

from __future__ import annotations

import pytest

from orchestrator.research.looking.captions import CAPTION, SaidOfFigures, said_of_figures


@pytest.mark.parametrize(
    "line",
    [
        "FIGURE: loss.png — Loss against updates.",
        "FIGURE: loss.png - Loss against updates.",
        "FIGURE: loss.png: Loss against updates.",
        "- **FIGURE:** `loss.png` – Loss against updates.",
        "**FIGURE: loss.png** — Loss against updates.",
        "Figure: loss.png | Loss against updates.",
        "* FIGURE : 'loss.png' -- Loss against updates.  ",
    ],
)
def test_a_caption_is_read_in_any_usual_form(line: str) -> None:
    said = said_of_figures(f"Some words.\n{line}\nMore words.")
    assert said.captions == (("loss.png", "Loss against updates."),)


@pytest.mark.parametrize("line", ["LEAVE OUT: a.png — Empty.", "- leave_out: `a.png`: Empty."])
def test_a_figure_can_be_left_out_with_a_reason(line: str) -> None:
    assert said_of_figures(line) == SaidOfFigures(left_out=(("a.png", "Empty."),))


@pytest.mark.parametrize(
    "line",
    [
        "FIGURE: loss.png",
        "FIGURE: loss.png —   ",
        "FIGURE: ../a/loss.png — x",
        "FIGURE: loss.svg — x",
        "The FIGURE: loss.png — x",
        "figure_a.png - x",
    ],
)
def test_other_lines_say_nothing_of_a_figure(line: str) -> None:
    assert said_of_figures(line) == SaidOfFigures()


def test_a_caption_is_one_bounded_line_without_control_characters() -> None:
    ((_, caption),) = said_of_figures("FIGURE: a.png — \x1b[31m" + "x" * 1900).captions
    assert len(caption) < CAPTION + 10
    assert "\x1b" not in caption


def test_a_later_reply_replaces_captions_and_may_take_a_figure_back() -> None:
    first = said_of_figures("FIGURE: a.png — one\nLEAVE OUT: b.png — empty")
    both = first.then(said_of_figures("FIGURE: b.png — mended\nLEAVE OUT: a.png — no"))
    assert dict(both.left_out) == {"a.png": "no"}
    assert dict(both.captions) == {"a.png": "one", "b.png": "mended"}
    assert first.then(SaidOfFigures()) == first
