"""What LaTeX says, and what it keeps quiet about, as sentences for a model.

LaTeX takes a bare ``%`` as the start of a comment and Markdown as text: both lose or spoil what a paper
prints, without a word. These are found in the source, with their line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from orchestrator.research.paper.latex import BEGIN, END, environments, uncommented

_MOST = 20  # problems of one source
_MISSING = re.compile(r"File [`']([^'`\n]{1,100}\.(?:sty|cls|bst|def|fd|tex))' not found")
_FONT = re.compile(r"Font ([^\s]{1,60}) at \d+ not found")
# Here a percent sign and Markdown's signs print as they are, or mean something else.
_AS_IS = ("verbatim", "verbatim*", "lstlisting", "minted", "filecontents", "filecontents*")
_TABLES = ("table", "table*")  # of the program, which prints a run's description as it was given
_AS_IS_WITHIN = re.compile(
    r"\\(?:verb|lstinline)\*?([^a-zA-Z\s*{])[^\n]{0,300}?\1"
    r"|\\(?:url|href|path|lstinline)\{[^}\n]{0,500}\}"
)
_PERCENT = re.compile(r"(?<!\\)((?:\\\\)*)%")
_NO_WORD = re.compile(r"(?:[{}\]&]|\\\\|\\[a-zA-Z]+\*?)\s*\Z")  # a % after it is in no sentence
_AMOUNT = re.compile(r"\d[\s}$~]*\Z")
_WORD = re.compile(r"(?:[(]|[a-zA-Z]\s+)\Z")
_MARKDOWN = (
    (re.compile(r"\*\*[A-Za-z\\$][^\n]{0,300}?\*\*"), "\\textbf{…}"),
    (re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE), "\\paragraph{…}"),
    (re.compile(r"(?:\n[ \t]*|:)\n[ \t]{0,8}[-*+][ \t]+(?=[\w\\$`])"), "an itemize with \\item"),
    (
        re.compile(r"^[ \t]*```|(?<!`)`[^`'\n]{1,120}`(?!`)", re.MULTILINE),
        "\\texttt{…}, with \\_ for _",
    ),
    (re.compile(r"\[[^\]\n]{1,200}\]\(https?://"), "\\href{address}{text}"),
)


def error_words(error: str) -> str:
    """TeX's error, with what to do where a file or a font is not in the LaTeX container."""
    missing, font = _MISSING.search(error), _FONT.search(error)
    if missing:
        return (
            f"{missing[1]} is not in the LaTeX container: do without it, or put the file beside the "
            f"source in latex/ (docs/paper.md lists what there is): {error}"
        )
    if font:
        return f"the font {font[1]} is not in the LaTeX container: choose another: {error}"
    return error


def misfits(
    wide: Iterable[tuple[float, str]], tall: Iterable[tuple[float, str]], most: float
) -> list[str]:
    """What stands out of its line or its page by more than ``most`` points, with its place."""
    out = [f"text stands out of its line by {pt:g} pt {where}" for pt, where in wide if pt > most]
    return out + [
        f"something is {pt:g} pt higher than the page, so its end is cut off, {where}: make it "
        "smaller, or divide it"
        for pt, where in tall
        if pt > most
    ]


def source_problems(tex: str) -> list[str]:
    """Where the body of ``tex`` has a bare ``%`` in a sentence, or Markdown; texts for a model."""
    masked = _AS_IS_WITHIN.sub("{}", _without(tex, _AS_IS))
    before, begin, rest = masked.partition(BEGIN)
    text, first = (rest.partition(END)[0], before.count("\n") + 1) if begin else (before, 1)
    found = [*_percent_signs(text, first), *_markdown(_without(uncommented(text), _TABLES), first)]
    return list(dict.fromkeys(found))[:_MOST]


def _percent_signs(text: str, first: int) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), first):
        sign = _PERCENT.search(line)
        if not sign:
            continue
        before, after = line[: sign.end() - 1], line[sign.end() :].strip()
        tail = before[-100:]
        told = _AMOUNT.search(tail) or (not _NO_WORD.search(tail) and (after or _WORD.search(tail)))
        if not before.strip() or not told or (tail.rstrip().endswith("}") and not after):
            continue
        lost = f"{after[:80]!r} is not printed" if after else "it is not printed"
        yield (
            f"line {number}: the % after {before.strip()[-40:]!r} begins a comment, so {lost}: "
            "write \\%, or put a comment on a line of its own"
        )


def _markdown(text: str, first: int) -> Iterator[str]:
    for pattern, cure in _MARKDOWN:
        for found in islice(pattern.finditer(text), _MOST):
            start = text.rfind("\n", 0, found.end()) + 1
            shown = text[start : start + 400].split("\n", 1)[0].strip()
            number = first + text.count("\n", 0, found.end())
            yield f"line {number}: Markdown in {shown[:60]!r}, whose signs are printed: write {cure}"


def _without(tex: str, names: tuple[str, ...]) -> str:
    """``tex`` with as many lines, and nothing in the environments of these names."""
    parts, at = [], 0
    for start, end in environments(tex, names):
        parts += [tex[at:start], "\n" * tex.count("\n", start, end)]
        at = end
    return "".join([*parts, tex[at:]])
