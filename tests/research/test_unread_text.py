"""What a reader sees of a source is read: units, titles, footnotes, and each cell of a table with its heads."""

from __future__ import annotations

import pytest

from orchestrator.research.paper.footnotes import without_footnotes
from orchestrator.research.paper.latex import BEGIN, END
from orchestrator.research.paper.prose import Sentence, sentences, sentences_in
from orchestrator.research.paper.visible import visible_text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\SI{1.5}{\kilo\second}", "1.5 ks"),
        (r"\qty[mode=text]{1500}{\micro\second}", "1500 us"),
        (r"\SI{25}{\minute}", "25 min"),
        (r"\SI{3}{\kilo\token}", "3k tokens"),
        (r"\SI{70.5}{\percent}", "70.5%"),
        (r"\num{1.013(9)}", "1.013 +- 0.009"),
        (r"\num{24 x 24}", "24 × 24"),
        (r"\SIrange{1}{2}{s}", "1 s to 2 s"),
        (r"\numlist{1;2;3}", "1, 2, 3"),
        (r"a \number 5", "a 5"),
        (r"$x \leq 1.0$ and $y \geq 2$", "x ≤ 1.0 and y ≥ 2"),
    ],
)
def test_units_and_relations_stand_as_they_print(tex: str, text: str) -> None:
    assert " ".join(visible_text(tex).split()) == text


@pytest.mark.parametrize(
    "text", [r"\SI{", r"\qty{1}", r"\num", r"\SI{1}{\second", "\\num{1}" * 3000]
)
def test_a_command_without_its_end_is_text(text: str) -> None:
    assert visible_text(text) is not None


def test_a_footnote_follows_the_sentence_that_it_hangs_on() -> None:
    tex = r"A is 1.\footnote{B is {2}. C is 3.} D\footnote{E is 4.} is 5."
    found = [(one.kind, one.text) for one in sentences_in(tex, 0, len(tex), "results")]
    assert found == [
        ("prose", "A is 1."), ("note", "B is 2."), ("note", "C is 3."), ("prose", "D is 5."), ("note", "E is 4."),
    ]  # fmt: skip


def test_a_footnote_without_an_end_hides_nothing() -> None:
    tex = r"A.\footnote{B is 2."
    assert without_footnotes(tex, 0, len(tex)) == (tex, [])


@pytest.mark.parametrize(
    "command", ["section", "subsection", "subsubsection*", "subsection[short]"]
)
def test_a_title_with_a_number_is_read_and_a_short_one_is_not(command: str) -> None:
    tex = rf"{BEGIN}\{command}{{Loss 0.77}}text. \{command}{{Results}} more.{END}"
    found = [one.text for one in sentences(tex)]
    assert any("Loss 0.77" in one for one in found)
    assert "Results" not in found


def rows(tabular: str) -> list[Sentence]:
    tex = rf"\begin{{table}}\caption{{Loss.}}\begin{{tabular}}{{lrr}}{tabular}\end{{tabular}}\end{{table}}"
    return [one for one in sentences_in(tex, 0, len(tex), "results") if one.kind == "row"]


def heads(tabular: str) -> dict[str, tuple[str, str, str]]:
    """Of each cell that is a number: what stands above it, before it in its row, and over its block."""
    return {
        one.text[cell.start : cell.end]: (cell.column, cell.row, cell.block)
        for one in rows(tabular)
        for cell in one.cells
        if one.text[cell.start].isdigit()
    }


@pytest.mark.parametrize(
    ("tabular", "expected"),
    [
        (r"\toprule Run & A & B \\ \midrule r1 & 1 & 2 \\ \bottomrule", {"1": ("A", "r1", ""), "2": ("B", "r1", "")}),
        (r"& \multicolumn{2}{c}{A} & B \\ Run & x & y & x \\ r1 & 1 & 2 & 3 \\", {"1": ("A x", "r1", ""), "2": ("A y", "r1", ""), "3": ("B x", "r1", "")}),
        (r"D & Run & A \\ \midrule \multirow{2}{*}{d1} & r0 & 1 \\ & r1 & 2 \\ d2 & r0 & 3", {"1": ("A", "d1 r0", ""), "2": ("A", "d1 r1", ""), "3": ("A", "d2 r0", "")}),
        (r"Run & A & B \\ \hline \multicolumn{3}{l}{\emph{first}} \\ r1 & 1 & 2 \\ \hline second \\ r1 & 3 & 4", {"1": ("A", "r1", "first"), "2": ("B", "r1", "first"), "3": ("A", "r1", "second"), "4": ("B", "r1", "second")}),
        (r"\# & A \\ \hline 7 & 1 \\", {"7": ("#", "run 7", ""), "1": ("A", "run 7", "")}),
        (r"Run & 0.1 & 0.2 \\ \midrule r1 & 1 & 2 \\", {"1": ("0.1", "r1", ""), "2": ("0.2", "r1", "")}),
        (r"\toprule Run & A \\ \midrule r1 & 1 \\ \midrule Run & B \\ \midrule r1 & 2 \\", {"1": ("A", "r1", ""), "2": ("B", "r1", "")}),
    ],
)  # fmt: skip
def test_a_cell_has_the_heads_that_a_reader_sees(
    tabular: str, expected: dict[str, tuple[str, str, str]]
) -> None:
    assert heads(tabular) == expected


def test_every_number_of_a_table_without_heads_is_read() -> None:
    found = rows(r"1 & 2 \\ 3 & 4 \\")
    assert [one.text for one in found] == ["1 2", "3 4"]


def test_text_behind_the_beginning_of_a_float_is_read() -> None:
    for tex in (
        r"\begin{table}[h]{The loss is 0.77.}\end{table}",
        r"\begin{figure*} Loss 0.77. \end{figure*}",
    ):
        assert any("0.77" in one.text for one in sentences_in(tex, 0, len(tex), "results")), tex
