"""A sentence's correction stands in its place, and leaves the text around it whole."""

from __future__ import annotations

import pytest

from orchestrator.research.paper.latex import unmatched_braces
from orchestrator.research.stages.correcting import in_place_of


@pytest.mark.parametrize(
    ("old", "new", "stands"),
    [
        ("It fell in the first.}\n\\label{fig:a}", "It rose.", "It rose.}\n\\label{fig:a}"),
        ("It fell.}\n\\end{figure}", "It rose.}\n\\end{figure}", "It rose.}\n\\end{figure}"),
        ("\\caption{It fell.", "It rose.", "\\caption{It rose."),
        ("\\caption[short]{\\textbf{It fell}.", "It rose.", "\\caption[short]{It rose."),
        ("It \\emph{fell}.", "It \\emph{rose}.", "It \\emph{rose}."),
        ("A set \\{1, 2\\} fell.", "It rose.", "It rose."),
        ("It fell.} More words", "It rose.", "It rose.} "),
    ],
)
def test_braces_of_the_text_around_a_sentence_stay(old: str, new: str, stands: str) -> None:
    assert in_place_of(old, new) == stands


def test_a_brace_in_a_comment_or_behind_a_backslash_is_none() -> None:
    assert unmatched_braces("a { b } \\} c % }\n") == ([], [])
    assert unmatched_braces("\\val{fall 10%}{a}{b} is") == ([], []), "a run's name is no comment"
    assert unmatched_braces("} a {") == ([4], [0])
