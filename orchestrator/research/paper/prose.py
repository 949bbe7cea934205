"""LaTeX source → the sentences and table rows that a reader sees, with their numbers intact.

This is not a LaTeX engine. It drops commands that print no number of the author's (citations,
references, lengths, options) and keeps the rest, so an unknown command can only add numbers to be
checked. The text of the PDF's pages is compared with the result afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from orchestrator.research.paper.columns import is_heading, percent_columns, with_percents
from orchestrator.research.paper.displays import with_displays
from orchestrator.research.paper.latex import BEGIN, END, environments
from orchestrator.research.paper.unprinted import (
    COMMAND_OPTIONS,
    DROPPED,
    blanks_for,
    without_false,
)

_DROPPED_ENVIRONMENTS = ("filecontents", "filecontents*", "thebibliography", "comment")
_BEGIN = re.compile(
    r"\\begin\{(?:tabular|tabularx|array|minipage|figure|table|wrapfigure|subfigure|adjustbox"
    r"|longtable|tabular\*|figure\*|table\*|enumerate|itemize)\}"
    rf"{COMMAND_OPTIONS}(?:\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}})*{COMMAND_OPTIONS}"
)
# Possessive: matched whole or not at all, so that a page of digits causes no backtracking.
_AMOUNT = r"[-+]?(?<!\d)(?>\d*\.?\d+)(?>\s*)"
_LENGTH = re.compile(
    rf"{_AMOUNT}(?:pt|cm|mm|em|ex|in|bp|pc|sp)\b(?!\w)(?=\s*[\]}}])"
    rf"|{_AMOUNT}\\(?:linewidth|textwidth|columnwidth|textheight|baselineskip|hsize)"
)
_STRUCTURE = re.compile(
    r"\b(?:Sections?|Sect?\.|Figures?|Figs?\.|Tables?|Tabs?\.|Equations?|Eqs?\.|Appendix|Algorithm"
    r"|Theorem|Lemma|Footnote|Chapter|Page|page)\s*\(?\d+(?:\.\d+)*\)?"
)
# Symbols and functions that have a name in prose too.
_SPOKEN = re.compile(
    r"\\(alpha|beta|gamma|lambda|eta|sigma|mu|rho|tau|theta|epsilon|delta|ln|log)(?![A-Za-z])"
)
_FILLER = "\ue1ff"  # behind a number by reference, so that the text after it stays at its place
# Inline mathematics; a formula over variables prints no number of a result.
_FORMULAE = re.compile(r"(?<!\\)\$[^$]{1,400}\$")
_OVER_VARIABLES = re.compile(
    r"\\(?:frac|sqrt|sum|prod|min|max|int|log|exp|operatorname|mathbb|mathrm)\b|[A-Za-z}]\s*[(/^]|[)/]\s*\\?[A-Za-z]"
    r"|\d\s*[(/]\s*[(\\A-Za-z]"
)
_QUANTITY = re.compile(
    rf"\\(?:SI|qty){COMMAND_OPTIONS}\s*+\{{([^{{}}]{{1,60}})\}}\s*+\{{\s*\\percent\s*\}}"
)
_UNDERSCORE = "\ue000"  # replaces an escaped one while subscripts are dropped
_SECTION = re.compile(r"\\(section|subsection|begin)\*?\{((?:[^{}]|\{[^{}]*\})*)\}")


SentenceKind = Literal["prose", "item", "row", "caption"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, list item or table row, and its place in the source. ``part`` is the heading of its
    section, in lower case; those of one ``paragraph`` follow each other; a ``kind`` of item or row
    stands under what was said before the list or table.
    """

    part: str
    text: str
    start: int = 0
    end: int = 0
    paragraph: int = 0
    kind: SentenceKind = "prose"


_BREAK = re.compile(
    r"(?P<blank>\n[ \t]*\n\s*|\\paragraph\*?|\\(?:sub)+section\*?(?:\{(?:[^{}]|\{[^{}]*\})*\})?)|(?P<item>\\item\b)"
    r"|(?P<row>\\\\(?:\s*\[[^\]]{0,40}\])?)|(?P<caption>\\caption(?:\[[^\]]{0,400}\])?(?=\{))"
    rf"|(?P<begin>{_BEGIN.pattern}|\\begin\{{[^}}]{{0,40}}\}})|(?P<end>\\end\{{[^}}]{{0,40}}\}})"
)
_SENTENCE_END = re.compile(
    r"(?<![Ee]\.g)(?<![Ii]\.e)(?<!vs)(?<!Fig)(?<!Tab)(?<!Eq)(?<!Sec)(?<!\sal)(?<!\scf)(?<!approx)(?<!acc)(?<!val)"
    r"[.!?][\'\")}\]]{0,3}\s+(?=[A-Z(\\$\ue200-\uf6ff])"
)


def sentences(tex: str) -> tuple[Sentence, ...]:
    """Every sentence and table row from the title (whose part is ``title``) to the references."""
    source = without_false(_COMMENTS.sub(lambda match: blanks_for(match[0]), tex))
    for start, end in environments(source, _DROPPED_ENVIRONMENTS):
        source = source[:start] + blanks_for(source[start:end]) + source[end:]
    title = re.search(r"\\title\{((?:[^{}]|\{[^{}]*\})*)\}", source)
    found = []
    if title and (text := visible_text(title[1]).strip()):
        found.append(Sentence("title", " ".join(text.split()), *title.span(1)))
    first = source.find(BEGIN)
    if first < 0:
        return tuple(found)
    last = source.find(END, first)
    for part, start, end in _parts(source, first + len(BEGIN), last if last >= 0 else len(source)):
        found += sentences_in(source, start, end, part)
    return tuple(found)


_COMMENTS = re.compile(r"(?<!\\)(?:\\\\)*%[^\n]*")


def _parts(source: str, first: int, last: int) -> list[tuple[str, int, int]]:
    """(heading, start, end) of the abstract and of each section, with its captions and tables."""
    parts, part, at = [], "front", first
    for match in _SECTION.finditer(source, first, last):
        if (match[1] == "begin" and match[2] != "abstract") or match[1] == "subsection":
            continue
        parts.append((part, at, match.start()))
        part, at = visible_text(match[2]).strip().lower() or "untitled", match.end()
    return [*parts, (part, at, last)]


def sentences_in(source: str, start: int, end: int, part: str) -> list[Sentence]:
    """The sentences between two places of a source without comments."""
    source = with_displays(without_false(source), part)
    found: list[Sentence] = []
    paragraph, depth = start, 0
    kind: SentenceKind = "prose"
    at, percents, heading = start, frozenset[int](), False
    breaks = [*_BREAK.finditer(source, start, end), None]
    for match in breaks:
        stop = match.start() if match else end
        here: SentenceKind = (
            "row" if (match and match["row"]) or (depth and kind == "prose") else kind
        )
        if depth and here == "row":
            heading = heading and is_heading(source[at:stop])
            percents |= percent_columns(source[at:stop]) if heading else frozenset()
        shown = percents if here == "row" and not heading else frozenset[int]()
        found += _split(source, at, stop, part, paragraph, here, shown)
        if match is None:
            break
        at = match.end()
        tabular = "tabular" in match[0] or "array" in match[0]
        if match["blank"] and not depth:
            paragraph, kind = at, "prose"
        elif match["item"]:
            kind = "item"
        elif match["caption"]:
            kind = "caption"
        elif match["begin"]:
            depth += tabular
            percents, heading = (frozenset(), True) if tabular else (percents, heading)
        elif match["end"]:
            depth -= tabular and depth > 0
            percents = percents if depth else frozenset()
            kind = "prose"
    return found


def _split(
    source: str,
    start: int,
    end: int,
    part: str,
    paragraph: int,
    kind: SentenceKind,
    percents: frozenset[int],
) -> list[Sentence]:
    """The sentences of one piece: at a full stop before a capital. ``percents`` are the columns of a row
    whose numbers are percentages.
    """
    at, pieces = start, []
    for match in _SENTENCE_END.finditer(source, start, end):
        pieces.append((at, match.end()))
        at = match.end()
    pieces.append((at, end))
    found = []
    for first, last in pieces:
        text = " ".join(visible_text(with_percents(source[first:last], percents)).split())
        if text:
            blank = len(source[first:last]) - len(source[first:last].lstrip())
            tail = len(source[first:last].rstrip())
            found.append(Sentence(part, text, first + blank, first + tail, paragraph, kind))
    return found


def _without_formula(match: re.Match[str]) -> str:
    return " " if _OVER_VARIABLES.search(match[0]) else match[0]


def visible_text(tex: str) -> str:
    """LaTeX as text: numbers as a reader sees them, blank lines between rows and paragraphs."""
    text = re.sub(r"\\\\(\s*\[[^\]]*\])?", "\n\n", tex.replace(_FILLER, ""))
    text = _FORMULAE.sub(_without_formula, text)
    text = _BEGIN.sub("\n\n", text)
    text = re.sub(r"\\(?:end|begin)\{[^}]*\}", "\n\n", text)
    text = re.sub(r"\\caption" + COMMAND_OPTIONS, "\n\n", text)
    text = re.sub(r"\\item\b", "\n\n", text)
    text = _LENGTH.sub(" ", text)
    text = DROPPED.sub(" ", text)
    text = _QUANTITY.sub(r"\1\\%", text)
    text = re.sub(r"(?<=\d)(?:\\,|\{,\}|,)(?=\d{3}(?!\d))", "", text)
    text = re.sub(
        r"(?<!\d)((?>\d[\d.]{0,30}))(?>\s*\$?\s*)\\(?:times|cdot)\s*10\s*\^(?>\s*\{?\s*)([-+]?\d+)\}?",
        r"\1e\2",
        text,
    )
    text = re.sub(r"(?<![\d.])10\s*\^(?>\s*\{?\s*)([-+]?\d+)\s*\}?", r"1e\1", text)
    text = re.sub(r"\\pm(?![A-Za-z])|±", " +- ", text)
    text = re.sub(r"\\times(?![A-Za-z])|×", " × ", text)
    text = _SPOKEN.sub(r" \1 ", text)
    text = text.replace(r"\_", _UNDERSCORE)
    text = re.sub(r"[_^]\s*\{(\s*\+-[^{}]{0,60})\}", r"\1", text)  # an error that is set low
    # The digits of x_1 and x^2 are names, not quantities.
    text = re.sub(r"[_^]\s*(?:\{[^{}]*\}|\\?\w+)", " ", text)
    # A dash at the end of a cell is no sign of the number in the next one.
    text = re.sub(r"[-−–—]{1,3}[ \t$}]*+(?=&)", " ", text)
    text = text.replace("&", " ").replace(r"\ ", " ").replace(_UNDERSCORE, "_")
    for mark, printed in {"%": "%", "#": "#", "{": "(", "}": ")"}.items():
        text = text.replace("\\" + mark, printed)
    text = re.sub(r"\\[,;:! ]|~", " ", text)
    text = re.sub(r"\\[A-Za-z]+\*?", " ", text)
    text = text.replace("}{", "} {").replace("{", "").replace("}", "").replace("$", "")
    text = re.sub(r"[−–]", "-", text)
    text = re.sub(r"(?<=[\d%])\s*-{2,3}\s*(?=[\d.])", " to ", text)
    text = re.sub(r"-{2,3}(?=\s*[\d.])", " — ", text)
    text = re.sub(r"-{2,3}", " - ", text)
    return _STRUCTURE.sub(" ", text)
