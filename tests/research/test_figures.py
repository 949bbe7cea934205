"""Which figures a paper can show, judged by name and by the parts of the file, undecoded."""

from __future__ import annotations

import pytest

from orchestrator.research.paper import latex
from orchestrator.research.stages.plots import why_no_figure
from tests.support.paper_rig import png

WHOLE = png(40, 30)


@pytest.mark.parametrize("name", ["loss.png", "run_1-loss.v2.png", "A.png", "x+y.png"])
def test_a_plain_name_and_a_whole_file_are_a_figure(name: str) -> None:
    assert why_no_figure(name, WHOLE) == ""


@pytest.mark.parametrize(
    "name",
    ["top5%.png", "%2e%2e.png", "_x^&.png", "a b.png", "é.png", ".png", "a" * 90 + ".png", "x.PNG"],
)
def test_a_name_that_latex_cannot_take_is_told_to_the_model(name: str) -> None:
    assert "a name that LaTeX cannot take" in why_no_figure(name, WHOLE)


def test_a_file_that_is_cut_off_anywhere_is_no_figure() -> None:
    for length in range(len(WHOLE)):
        assert why_no_figure("loss.png", WHOLE[:length]), length


def test_a_file_in_which_a_byte_changed_is_no_figure() -> None:
    for at in range(8, len(WHOLE)):
        changed = bytes([*WHOLE[:at], WHOLE[at] ^ 1, *WHOLE[at + 1 :]])
        assert why_no_figure("loss.png", changed), at


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\xff" * 40]
)
def test_other_bytes_are_no_figure(data: bytes) -> None:
    assert why_no_figure("loss.png", data)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (r"Figure~\ref{fig:a} rises. \label{fig:a}", []),
        (r"\cref{fig:a,tab:b} \label{fig:a} \label{tab:b}", []),
        (r"\label{fig:a} Nothing refers to it; see Table~\ref{tab:b}.", ["fig:a"]),
        (r"\label{eq:a} \label{sec:b} An equation and a section may stand alone.", []),
    ],
)
def test_a_figure_or_table_that_no_text_refers_to_is_told(text: str, missing: list[str]) -> None:
    told = latex.unreferred(text)
    assert [one for name in missing for one in told if name in one] == list(told)
    assert len(told) == len(missing)
    assert latex.unreferred("Nothing.", ("tab:results",))
