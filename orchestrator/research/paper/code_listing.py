"""The appendix of code: what each run changed, printed to the letter whatever it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.research import BASELINE
from orchestrator.research.paper.latex import escape
from orchestrator.research.paper.tables import breakable

_LINES = 60  # of a run
_TOGETHER = 6  # lines that stay on the page of their heading
_LONGEST = 300  # characters of a line
_PIECE = re.compile(r"\s+|[^\s(,.=_/]{0,24}[(,.=_/]|\S{1,24}")  # a line may break after each
# A typewriter font joins two hyphens, and bends quotes.
_LITERAL = {"-": "-{}", '"': '"', "'": r"\textquotesingle{}", "`": r"\textasciigrave{}"}


@dataclass(frozen=True, slots=True)
class CodeChange:
    """What a run changed in the code of the run that it started from, as a unified difference."""

    run: str
    against: str
    text: str


def appendix_code(changes: Iterable[CodeChange]) -> str:
    """The change of each run, under its name, with the lines that it leaves out counted."""
    return "\n\n".join(map(_listing, changes))


def _listing(change: CodeChange) -> str:
    lines = change.text.splitlines()
    against = "the baseline" if change.against == BASELINE else breakable(change.against)
    head = (
        rf"\par\medskip\noindent\textbf{{{breakable(change.run)}}}, "
        rf"against the code of {against}\par\nopagebreak"
    )
    if not lines:
        return rf"{head}\noindent No line of the code differs.\par"
    left = len(lines) - _LINES
    end = rf"\noindent {left} more line{'s are' if left > 1 else ' is'} not shown.\par"
    begin = [head, r"{\ttfamily\scriptsize\raggedright\frenchspacing\setlength{\parskip}{0pt}"]
    shown = [rf"\noindent\hangindent=2em\mbox{{}}{_literal(line)}\par" for line in lines[:_LINES]]
    shown[:_TOGETHER] = [line + r"\nopagebreak" for line in shown[:_TOGETHER]]
    return "\n".join([*begin, *shown, "}", *([end] if left > 0 else [])])


def _literal(line: str) -> str:
    """A line as LaTeX that prints it: its blanks stay, and a long one breaks."""
    line = line.expandtabs(4).rstrip()
    more = len(line) - _LONGEST
    line = line[:_LONGEST]
    indent = len(line) - len(line.lstrip())
    parts = _PIECE.findall(line[indent:])
    text = "".join(_blanks(part) if part.isspace() else _word(part) for part in parts)
    return "~" * indent + text + (f" [{more} more characters]" if more > 0 else "")


def _blanks(part: str) -> str:
    return "~" * (len(part) - 1) + " "


def _word(part: str) -> str:
    return "".join(_LITERAL.get(char) or escape(char) for char in part) + r"\allowbreak{}"
