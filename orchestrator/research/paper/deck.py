"""A deck of slides as LaTeX: large print on few lines, and on each slide the note that no person wrote it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.research.paper.latex import escape

_BREAK = re.compile(r"\\\\(?:\s*\[[^\]]{0,20}\])?")  # of a title's line
_HEAD = r"""\documentclass[aspectratio=169,14pt]{beamer}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern}
\usepackage{amsmath}
\usepackage{textcomp}
\makeatletter\AtBeginDocument{\def\hyper@pagetransition{}}\makeatother
\definecolor{ink}{HTML}{1F2937}
\definecolor{accent}{HTML}{1D4ED8}
\setbeamercolor{frametitle}{fg=ink}
\setbeamercolor{normal text}{fg=ink}
\setbeamercolor{title}{fg=ink}
\setbeamercolor{item}{fg=accent}
\setbeamerfont{frametitle}{size=\Large,series=\bfseries}
\setbeamerfont{title}{size=\LARGE,series=\bfseries}
\setbeamertemplate{navigation symbols}{}
\setbeamertemplate{itemize items}[circle]
\setbeamertemplate{footline}{\hspace{1em}{\fontsize{9}{11}\selectfont\color{gray}NOTE\hfill\insertframenumber\,/\,\inserttotalframenumber\hspace{1em}}\vspace{0.6em}}
\begin{document}
"""


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide: its title and points in LaTeX, and the file of the figure that it shows, if any."""

    title: str
    points: tuple[str, ...]
    figure: str = ""


def deck_source(title: str, author: str, note: str, slides: Sequence[Slide]) -> str:
    """The LaTeX of a deck; ``title`` is LaTeX, whose line breaks are left out, ``author`` and ``note`` are plain
    text.
    """
    title = " ".join(_BREAK.sub(" ", title).split())
    first = (
        "\\begin{frame}\n\\vfill\n{\\usebeamerfont{title}\\raggedright "
        f"{title}\\par}}\n\\vspace{{1.2em}}\n{escape(author)}\n\\vfill\n\\end{{frame}}\n"
    )
    frames = "".join(map(_frame, slides))
    return f"{_HEAD.replace('NOTE', escape(note))}{first}{frames}\\end{{document}}\n"


def _frame(slide: Slide) -> str:
    points = "".join(f"\\item {point}\n" for point in slide.points)
    listed = (
        f"\\begin{{itemize}}\\setlength{{\\itemsep}}{{0.5em}}\n{points}\\end{{itemize}}\n"
        if points
        else ""
    )
    shown = ""
    if slide.figure:
        room = "0.52" if slide.points else "0.72"
        shown = (
            "\\begin{center}\n\\includegraphics[width=0.94\\textwidth,"
            f"height={room}\\textheight,keepaspectratio]{{{slide.figure}}}\n\\end{{center}}\n"
        )
    return f"\\begin{{frame}}{{{slide.title}}}\n{listed}{shown}\\end{{frame}}\n"
