"""The words of a section, as its author is told to count them."""

from __future__ import annotations

import pytest

from orchestrator.research.paper.word_count import prose_words


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        ("Three plain words.", 3),
        (r"It is lower by \by{free start}{baseline}{fitted}{a_b}, of \seeds{fitted} seeds.", 8),
        (r"As \citet{one} and others \citep{two,three} say~\citep{four}.", 4),
        (r"The \emph{free start} in Table~\ref{tab:runs} has $x_1 + 2$ people.", 8),
        ("Before.\n\\begin{figure}\n\\caption{Not one of these.}\n\\end{figure}\nAfter.", 2),
        ("\\begin{itemize}\n\\item one\n\\item two\n\\end{itemize}", 2),
        ("Runs.\nRUNS TABLE HERE\n% a comment\nEnd\\_of it.", 3),
        ("\\subsection{A heading}\nText.", 3),
        ("", 0),
    ],
)
def test_prose_is_counted_without_captions_and_a_macro_as_one(tex: str, words: int) -> None:
    assert prose_words(tex) == words
