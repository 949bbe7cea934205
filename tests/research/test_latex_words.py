"""What LaTeX keeps quiet about is found in the source; what it says is told with a cure."""

from __future__ import annotations

import pytest

from orchestrator.research.paper.latex_words import error_words, misfits, source_problems


def paper(body: str) -> str:
    return (
        f"\\documentclass{{article}}\n% 5% of it\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )


@pytest.mark.parametrize(
    ("body", "line", "shown"),
    [
        ("Up to 12.8% compared to the baseline.", 4, "'compared to the baseline.'"),
        ("Text.\n\nIt is a share in % of the rest.", 6, "'of the rest.'"),
        ("It rises by 12.8%\nin all runs.", 4, "it is not printed"),
        ("Accuracy (%) & 12 \\\\", 4, "') & 12 \\\\\\\\'"),
        ("By $12.8$% or \\textbf{7}% at least.", 4, "'or \\\\textbf{7}% at least.'"),
        ("By \\textbf{7}% at least.", 4, "'at least.'"),
        ("\\begin{verbatim}\n5% off\n\\end{verbatim}\nBut 6% lost.", 7, "'lost.'"),
        ("A linebreak \\\\ and 5\\% and then 6% lost.", 4, "'lost.'"),
    ],
)
def test_a_percent_sign_that_swallows_text_is_told_with_its_line(
    body: str, line: int, shown: str
) -> None:
    (problem,) = source_problems(paper(body))
    assert problem.startswith(f"line {line}: ")
    assert shown in problem
    assert "write \\%" in problem


@pytest.mark.parametrize(
    "body",
    [
        "Up to 12.8\\% of it, or $5\\%$.",
        "% a comment with 5% of the words\n  % another",
        "\\resizebox{\\linewidth}{!}{%\n\\centering %\n\\begin{tabular}{l}%\na \\\\% row\n\\end{tabular}% end\n}",
        "See \\url{http://a.example/x%20y} and \\href{http://a.example/5%25}{it}.",
        "In code \\verb|5% of| and\n\\begin{lstlisting}\nx = 5 % 3\n# a\n- b\n\\end{lstlisting}",
        "A ``quoted'' word, `another', the runs' own, \\textbf{bold} and \\section*{A}.",
        "Points:\n\\begin{itemize}\n\\item one\n\\end{itemize}\n\\[\n- b\n\\] and $2 ** 3$ \\# 5.",
        "\\begin{table}\n`lr=1` & **b**\n\\end{table}",  # a run's description, as it was given
    ],
)
def test_what_prints_as_it_was_meant_is_no_problem(body: str) -> None:
    assert source_problems(paper(body)) == []


@pytest.mark.parametrize(
    ("body", "line", "cure"),
    [
        ("We see **a clear *gain***.", 4, "\\textbf"),
        ("One.\n\n## Set-up\nTwo.", 6, "\\paragraph"),
        ("Points:\n- one\n- two", 5, "\\item"),
        ("Text.\n\n* one\n* two", 6, "\\item"),
        ("The constant `weight_decay` is 0.1.", 4, "\\texttt"),
        ("One.\n```latex\nTwo.", 5, "\\texttt"),
        ("See [the page](https://a.example).", 4, "\\href"),
    ],
)
def test_markdown_in_a_paper_is_told_with_its_line(body: str, line: int, cure: str) -> None:
    (problem,) = source_problems(paper(body))
    assert problem.startswith(f"line {line}: Markdown in ")
    assert cure in problem


def test_the_preamble_and_what_follows_the_document_are_not_looked_at() -> None:
    tex = paper("Fine.").replace("article}\n", "article}\n\\title{About **a** 5% more}\n")
    assert source_problems(f"{tex}**b** `c` 5% of") == []


def test_a_missing_file_is_told_by_its_name_with_what_to_do() -> None:
    said = error_words("LaTeX Error: File `dsfont.sty' not found.")
    assert said.startswith(
        "dsfont.sty is not in the LaTeX container: do without it, or put the file"
    )
    assert "latex/" in said
    assert "the font t1-zi4b-0" in error_words("Font t1-zi4b-0 at 600 not found")
    assert (
        error_words("line 3: Undefined control sequence.") == "line 3: Undefined control sequence."
    )


def test_too_wide_and_too_tall_are_told_with_their_place_and_small_ones_are_not() -> None:
    wide = ((20.5, "in paragraph at lines 3--4"), (19.9, "at line 9"))
    tall = ((372.0, "in a figure or table, input line 6"), (3.0, "on page 2"), (45.0, "on page 3"))
    cut = "is {} pt higher than the page, so its end is cut off, {}: make it smaller, or divide it"
    assert misfits(wide, tall, 20) == [
        "text stands out of its line by 20.5 pt in paragraph at lines 3--4",
        "something " + cut.format(372, "in a figure or table, input line 6"),
        "something " + cut.format(45, "on page 3"),
    ]
