"""LaTeX text: nothing that comes from data is ever more than printed text."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.literature import PaperRef
from orchestrator.research.claims.check import check_source
from orchestrator.research.paper import latex, references
from orchestrator.research.paper.prose import sentences
from orchestrator.research.paper.visible import visible_text
from tests.support.trial import ledger

DOCUMENT = r"""\documentclass{article}
\begin{filecontents}[overwrite]{references.bib}
@misc{known2020, title = {A {Known} Paper}, author = {Ann Author}, year = 2020}

@article{other2021,
  title  = {Other Work},
  author = {Bo Writer},
  year   = {2021}
}
\end{filecontents}
\title{TITLE HERE}
\author{AUTHOR HERE}
\begin{document}
\begin{abstract}
ABSTRACT HERE
\end{abstract}
\section{Results}
RESULTS HERE
\bibliography{references}
\end{document}
"""


@given(st.text(max_size=60))
def test_escaped_text_has_no_active_character_and_balanced_braces(text: str) -> None:
    out = latex.escape(text)
    made = "|".join(sorted((re.escape(v) for v in latex._SPECIAL.values()), key=len, reverse=True))
    bare = re.sub(made, "", out)
    assert not set(bare) & set("\\{}$&#_%~^"), out
    assert "\n" not in out


def test_escaped_text_is_what_a_reader_reads() -> None:
    assert latex.escape("50% of $x_1 & {y}\\n") == r"50\% of \$x\_1 \& \{y\}\textbackslash{}n"
    assert latex.escape("naïve – “so”\x1b[31m") == "naïve -- ``so''[31m"
    assert latex.escape("日本 ﬁ") == "?? fi"


def test_the_author_line_says_who_wrote_the_paper() -> None:
    tex = latex.with_author(DOCUMENT, "lab/model_7", "automated")
    assert r"\author{lab/model\_7\\ {\small automated}}" in tex
    own = DOCUMENT.replace("AUTHOR HERE", r"Nobody {\em at} all\\ Nowhere")
    assert latex.with_author(own, "a", "b").count(r"\author{") == 1
    assert "Nobody" not in latex.with_author(own, "a", "b")
    none = DOCUMENT.replace("\\author{AUTHOR HERE}\n", "")
    assert r"\author{a\\" in latex.with_author(none, "a", "b")


def test_figures_must_be_shown_once_each_and_no_others() -> None:
    tex = r"\includegraphics[width=1cm]{../a.png} % \includegraphics{c.png}"
    assert latex.figure_problems(tex, ("a.png",)) == ()
    assert "twice" in latex.figure_problems(r"\includegraphics{a.png}" + tex, ("a.png",))[0]
    assert "not shown" in latex.figure_problems(tex, ("a.png", "b.png"))[0]
    assert "no figure of this study" in latex.figure_problems(tex, ())[0]


def test_a_templates_example_figure_is_removed_with_its_caption() -> None:
    tex = "x\n\\begin{figure}[h]\n\\includegraphics{their.png}\\caption{PLEASE}\n\\end{figure}\ny"
    assert latex.without_unknown_figures(tex, ("mine.png",)) == "x\ny"
    assert latex.without_unknown_figures(tex, ("their.png",)) == tex


def test_commands_that_define_or_read_are_named() -> None:
    text = r"\def\x{1} \input{/etc/passwd} \immediate\write18{id} \textbf{fine} \letter"
    assert latex.primitives(text) == (r"\def", r"\input", r"\immediate", r"\write")


def test_references_are_read_added_once_and_pruned_to_those_cited() -> None:
    new = PaperRef(key="new2022", title="100% & more", authors=("C. Dee",), year=2022, venue="X")
    again = PaperRef(key="dup", title="A KNOWN paper", authors=("Ann Author",), year=2020)
    evil = PaperRef(key="a}\\input{x", title="t", authors=(), year=2022)
    tex = references.add_references(DOCUMENT, (new, again, evil))
    keys = [reference.key for reference in references.references(tex)]
    assert keys == ["known2020", "other2021", "new2022"]
    assert r"100\% \& more" in tex
    assert references.references(tex)[0].fields["title"] == "A Known Paper"
    cites = tex.replace("RESULTS HERE", r"As \citep[see][]{new2022} % \cite{other2021}")
    kept = references.references(references.pruned(cites))
    assert [reference.key for reference in kept] == ["new2022"]
    assert references.pruned(cites).count(r"\end{filecontents}") == 1


def test_a_citation_without_a_reference_is_named() -> None:
    text = r"\citet{known2020} and \cite{ghost2023, other2021}"
    assert references.unknown_citations(text, DOCUMENT) == ("ghost2023",)


def test_prose_keeps_numbers_and_drops_what_prints_none() -> None:
    tex = r"""\vspace{-3mm}In Table~\ref{tab:a} loss fell to $0.31 \pm 0.02$ (\textbf{12\%}),
    see \citep[p.~7]{x2019}, with 1{,}000 steps of $3\times 10^{-4}$. \includegraphics[width=0.9\linewidth]{f1.png}
    Set $x_1$, S5 and \texttt{run\_1} aside. % 99"""
    text = " ".join(visible_text(latex.uncommented(tex)).split())
    assert re.findall(r"(?<![\w.])\d[\d.e-]*(?<!\.)", text) == [
        "0.31",
        "0.02",
        "12",
        "1000",
        "3e-4",
    ]


def test_sentences_know_their_section_and_rows_stand_alone() -> None:
    tex = DOCUMENT.replace("ABSTRACT HERE", "One is 1.5. Two is 2.5.").replace(
        "RESULTS HERE", r"\begin{tabular}{ll} a & 3.5 \\ b & 4.5 \\ \end{tabular}"
    )
    found = [(s.part, s.text) for s in sentences(tex)]
    assert ("abstract", "One is 1.5.") in found
    assert ("results", "a 3.5") in found
    assert ("results", "b 4.5") in found
    assert all("2021" not in text for _, text in found)


@given(st.text(alphabet='\\{}[]$&%_^~ab1.,-\n @="', max_size=300))
def test_no_text_breaks_the_readers_of_latex(text: str) -> None:
    tex = DOCUMENT.replace("RESULTS HERE", text).replace("Ann Author", text)
    list(sentences(tex))
    references.pruned(tex)
    latex.figure_problems(tex, ())
    references.cited(tex)


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        "}",
        "\\begin{tabular}{",
        "\\cite[",
        "[",
        "\\cite[]",
        "@misc{a,",
        "1,",
        "_{",
        "\\section{",
        "$",
        "run 1-",
    ],
)
def test_long_hostile_text_is_read_in_seconds(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    tex = DOCUMENT.replace("RESULTS HERE", text)
    start = process_time()  # of this process alone: others may be busy
    check_source(tex, ledger("seir"))
    references.pruned(tex)
    latex.figure_problems(tex, ())
    assert process_time() - start < 20


def test_a_skeleton_begins_without_figures_and_with_an_author_whoever_wrote_it() -> None:
    theirs = DOCUMENT.replace(
        r"\end{document}",
        "\\begin{figure}\n\\includegraphics{gone.png}\n\\end{figure}\n\\end{document}",
    )
    begun = latex.prepared(theirs, "Ada", "by a program", ())
    assert "gone.png" not in begun
    assert "AUTHOR HERE" not in begun
    assert "Ada" in begun
    assert r"\usepackage{booktabs}" in begun
