"""LaTeX source → the sentences and table rows that a reader sees, with their numbers intact.

This is not a LaTeX engine. It drops commands that print no number of the author's (citations,
references, lengths, options) and keeps the rest, so an unknown command can only add numbers to be
checked. The text of the PDF's pages is compared with the result afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.research.paper.latex import body, uncommented, without_environments

_DROPPED_ENVIRONMENTS = ("filecontents", "filecontents*", "thebibliography", "comment")
# Bounded, so that a text of a million characters stays a matter of seconds.
_OPTIONS = r"(?:\s*+\[[^\]]{0,1000}\]){0,4}"
_GROUP = r"\s*+\{[^{}]{0,2000}\}"
# Commands whose arguments print no number of the author's.
_DROPPED = re.compile(
    r"\\(?:[Cc]ite[a-zA-Z]*|(?:page|eq|auto|name|[Cc])?ref|[Cc]refrange|label|includegraphics|url"
    r"|bibliography|bibliographystyle|vspace|hspace|input|include|pagestyle|thispagestyle"
    r"|captionsetup|graphicspath|addlinespace|cmidrule|cline|specialrule|vskip|hskip)"
    rf"\*?(?:\([^)]*\))?{_OPTIONS}(?:{_GROUP})?"
    rf"|\\(?:setlength|addtolength|resizebox|scalebox|rule|href(?={_GROUP}\{{)|multicolumn|multirow"
    rf"|definecolor|textcolor|fontsize)\*?{_OPTIONS}(?:{_GROUP}){{1,2}}"
    r"|\\(?:setlength|resizebox)[^\n]*"
)
_BEGIN = re.compile(
    r"\\begin\{(?:tabular|tabularx|array|minipage|figure|table|wrapfigure|subfigure|adjustbox"
    r"|longtable|tabular\*|figure\*|table\*|enumerate|itemize)\}"
    rf"{_OPTIONS}(?:\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}})*{_OPTIONS}"
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
_UNDERSCORE = "\ue000"  # replaces an escaped one while subscripts are dropped
_SECTION = re.compile(r"\\(section|subsection|begin)\*?\{((?:[^{}]|\{[^{}]*\})*)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or table row; ``part`` is the heading of its section, in lower case."""

    part: str
    text: str


def sentences(tex: str) -> tuple[Sentence, ...]:
    """Every sentence and table row from the title (whose part is ``title``) to the references."""
    source = without_environments(uncommented(tex), _DROPPED_ENVIRONMENTS)
    title = re.search(r"\\title\{((?:[^{}]|\{[^{}]*\})*)\}", source)
    result = [Sentence("title", visible_text(title[1]))] if title else []
    for part, text in _parts(body(source)):
        result += [Sentence(part, piece) for piece in _split(visible_text(text))]
    return tuple(result)


def _parts(text: str) -> list[tuple[str, str]]:
    """(heading, text) of the abstract and of each section, with its captions and tables."""
    parts, part, at = [], "front", 0
    for match in _SECTION.finditer(text):
        if (match[1] == "begin" and match[2] != "abstract") or match[1] == "subsection":
            continue
        parts.append((part, text[at : match.start()]))
        part, at = visible_text(match[2]).strip().lower() or "untitled", match.end()
    return [*parts, (part, text[at:])]


def visible_text(tex: str) -> str:
    """LaTeX as text: numbers as a reader sees them, blank lines between rows and paragraphs."""
    text = re.sub(r"\\\\(\s*\[[^\]]*\])?", "\n\n", tex)
    text = _BEGIN.sub("\n\n", text)
    text = re.sub(r"\\(?:end|begin)\{[^}]*\}", "\n\n", text)
    text = re.sub(r"\\caption" + _OPTIONS, "\n\n", text)
    text = re.sub(r"\\item\b", "\n\n", text)
    text = _LENGTH.sub(" ", text)
    text = _DROPPED.sub(" ", text)
    text = re.sub(r"(?<=\d)(?:\\,|\{,\}|,)(?=\d{3}(?!\d))", "", text)
    text = re.sub(
        r"(?<!\d)((?>\d[\d.]{0,30}))(?>\s*\$?\s*)\\(?:times|cdot)\s*10\s*\^(?>\s*\{?\s*)([-+]?\d+)\}?",
        r"\1e\2",
        text,
    )
    text = re.sub(r"(?<![\d.])10\s*\^(?>\s*\{?\s*)([-+]?\d+)\s*\}?", r"1e\1", text)
    text = re.sub(r"\\pm(?![A-Za-z])|±", " +- ", text)
    text = text.replace(r"\_", _UNDERSCORE)
    # The digits of x_1 and x^2 are names, not quantities.
    text = re.sub(r"[_^]\s*(?:\{[^{}]*\}|\\?\w+)", " ", text)
    text = text.replace("&", " ").replace(r"\ ", " ").replace(_UNDERSCORE, "_")
    for mark, printed in {"%": "%", "#": "#", "{": "(", "}": ")"}.items():
        text = text.replace("\\" + mark, printed)
    text = re.sub(r"\\[,;:! ]|~", " ", text)
    text = re.sub(r"\\[A-Za-z]+\*?", " ", text)
    text = text.replace("}{", "} {").replace("{", "").replace("}", "").replace("$", "")
    text = re.sub(r"[−–]", "-", text)
    text = re.sub(r"(?<=[\d%])\s*-{2,3}\s*(?=[\d.])", " to ", text)
    text = re.sub(r"-{2,3}", " - ", text)
    return _STRUCTURE.sub(" ", text)


def _split(text: str) -> list[str]:
    """Paragraphs and rows at blank lines, sentences at a full stop before a capital."""
    pieces = []
    for block in re.split(r"\n\s*\n", text):
        flat = " ".join(block.split())
        pieces += re.split(r"(?<=[.!?])\s+(?=[A-Z(])", flat)
    return [piece for piece in pieces if piece]
