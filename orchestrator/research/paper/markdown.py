"""Markdown that a model wrote where LaTeX was asked for, as the LaTeX that it means.

LaTeX would print its signs: fences, headings, ``**bold**``, code in backticks, links, and lists of
dashes or stars.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]{0,8}(?:`{3,}|~{3,})[a-zA-Z]{0,20}[ \t]{0,8}(?:\n|\Z)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]{1,8}(\S[^\n]{0,300})$", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=[^\s*])([^*\n]{1,500})(?<=\S)\*\*")
_CODE = re.compile(r"(?<!`)`([^`'\n]{1,120})`(?!`)")
_LINK = re.compile(r"(?<!\\)\[([^\[\]\n]{1,200})\]\((https?://[^\s(){}]{1,300})\)")
_BARE = re.compile(r"(?<!\\)[_#&%]")
_ITEM = re.compile(r"[ \t]{0,8}[-*+][ \t]{1,8}(?=\S)")
_AS_IS = re.compile(r"\\begin\{(?:verbatim|lstlisting|minted)")


def as_latex(text: str, heading: str = r"\\paragraph{\1}") -> str:
    """``text`` without Markdown; ``heading`` is the replacement of a heading. A text with an
    environment that prints signs as they are stays unchanged.
    """
    if _AS_IS.search(text):
        return text
    text = _HEADING.sub(heading, _FENCE.sub("", text))
    text = _CODE.sub(_typewriter, _BOLD.sub(r"\\textbf{\1}", text))
    return _with_lists(_LINK.sub(r"\\href{\2}{\1}", text))


def _typewriter(code: re.Match[str]) -> str:
    return rf"\texttt{{{_BARE.sub(lambda sign: chr(92) + sign[0], code[1])}}}"


def _with_lists(text: str) -> str:
    """``text`` with an ``itemize`` for each list; one begins after a blank line or a colon."""
    out: list[str] = []
    inside, before = False, ""
    for line in text.splitlines():
        item = _ITEM.match(line)
        if item and (inside or not before.strip() or before.rstrip().endswith(":")):
            out += [r"\begin{itemize}"] * (not inside) + [rf"\item {line[item.end() :]}"]
            inside = True
        else:
            if inside and line.strip() and (not before.strip() or line.startswith("\\")):
                out.append(r"\end{itemize}")
                inside = False
            out.append(line)
        before = line
    out += [r"\end{itemize}"] * inside
    return "\n".join(out) + "\n" * text.endswith("\n")
