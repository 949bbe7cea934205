"""LaTeX source → the sentences and table rows that a reader sees, with their numbers intact.

This is not a LaTeX engine. It drops commands that print no number of the author's (citations,
references, lengths, options) and keeps the rest, so an unknown command can only add numbers to be
checked. The text of the PDF's pages is compared with the result afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.research.paper.displays import with_displays
from orchestrator.research.paper.footnotes import Footnote, without_footnotes
from orchestrator.research.paper.latex import BEGIN, END, environments
from orchestrator.research.paper.table_heads import TableCell
from orchestrator.research.paper.table_reading import OpenTables
from orchestrator.research.paper.unprinted import blanks_for, without_false
from orchestrator.research.paper.visible import OPENING, visible_text

_DROPPED_ENVIRONMENTS = ("filecontents", "filecontents*", "thebibliography", "comment")
_SECTION = re.compile(
    r"\\(section|chapter|part|subsection|begin)(?![A-Za-z])\*?(?:\s*\[[^\]]{0,400}\])?\s*"
    r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
)


SentenceKind = Literal["prose", "item", "row", "caption", "note", "title"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, list item or table row, and its place in the source. ``part`` is the heading of its
    section, in lower case; those of one ``paragraph`` follow each other; a ``kind`` of item or row
    stands under what was said before the list or table, a note hangs on the sentence before it, and a title is that of
    a subsection. ``cells`` are those of a row, with what stands above and
    before them. ``named`` is its text with the names of symbols, where it has any.
    """

    part: str
    text: str
    start: int = 0
    end: int = 0
    paragraph: int = 0
    kind: SentenceKind = "prose"
    cells: tuple[TableCell, ...] = ()
    named: str = ""


_BREAK = re.compile(
    r"(?P<blank>\n[ \t]*\n\s*|\\paragraph\*?|\\(?:sub)+section\*?(?:\s*\[[^\]]{0,400}\])?(?:\s*\{(?P<title>(?:[^{}]|\{[^{}]*\})*)\})?)|(?P<item>\\item\b)"
    r"|(?P<row>\\\\(?:\s*\[[^\]]{0,40}\])?)|(?P<caption>\\caption(?:\[[^\]]{0,400}\])?(?=\{))"
    rf"|(?P<begin>{OPENING.pattern}|\\begin\{{[^}}]{{0,40}}\}})|(?P<end>\\end\{{[^}}]{{0,40}}\}})"
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
    stop = last if last >= 0 else len(source)
    titles = {
        match.end(): match.span(2)
        for match in _SECTION.finditer(source, first, stop)
        if match[1] in {"section", "chapter", "part"}
    }
    for part, start, end in _parts(source, first + len(BEGIN), stop):
        if start in titles:
            found += _title(source, *titles[start], part)
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
    whole = with_displays(without_false(source), part)
    source, notes = without_footnotes(whole, start, end)
    found = _sentences_in(source, start, end, part)
    return _with_notes(found, notes, whole, part)


def _with_notes(
    found: list[Sentence], notes: Sequence[Footnote], source: str, part: str
) -> list[Sentence]:
    """The sentences, and behind the one that each footnote hangs on those of the footnote."""
    for note in reversed(notes):
        at = max((n for n, one in enumerate(found) if one.start <= note.start), default=-1)
        paragraph = found[at].paragraph if at >= 0 else 0
        found[at + 1 : at + 1] = _split(source, note.first, note.last, part, paragraph, "note")
    return found


def _sentences_in(source: str, start: int, end: int, part: str) -> list[Sentence]:
    found: list[Sentence] = []
    paragraph, tables = start, OpenTables(source, end)
    kind: SentenceKind = "prose"
    at = start
    for match in [*_BREAK.finditer(source, start, end), None]:
        stop = match.start() if match else end
        row = bool(match and match["row"]) or bool(tables.depth and kind == "prose")
        if row and tables.depth and kind != "caption":
            read = tables.row(at, stop, match.end() if match else end)
            found += _row(source, at, stop, part, paragraph, read)
        else:
            here: SentenceKind = "row" if row and kind != "caption" else kind
            found += _split(source, at, stop, part, paragraph, here)
        if match is None:
            break
        at = match.end()
        if match["title"]:
            found += _title(source, *match.span("title"), part)
        if match["blank"] and not tables.depth:
            paragraph, kind = at, "prose"
        else:
            kind = _kind_after(match, kind, tables)
    return found


_TABULAR = re.compile(
    r"\\(?:begin|end)\{(?:tabular[xy]?\*?|array|longtable|tabulary|supertabular)\}"
)


def _kind_after(match: re.Match[str], kind: SentenceKind, tables: OpenTables) -> SentenceKind:
    """What follows a break; a table that begins or ends there is opened or closed."""
    tabular = bool(_TABULAR.match(match[0]))
    if match["item"]:
        return "item"
    if match["caption"]:
        return "caption"
    if match["begin"] and tabular:
        tables.begin(match.start())
        return "prose"
    if match["row"] and kind == "caption" and tables.depth:
        return "prose"  # the caption of a table over several pages is a row of it
    if match["end"]:
        if tabular:
            tables.close()
        return "prose"
    return kind


def _title(source: str, start: int, end: int, part: str) -> list[Sentence]:
    """The sentence of a title that may say something: a number is in it, or more than three words."""
    says = re.search(r"[\d\ue200-\uf6ff]", source[start:end]) or source[start:end].count(" ") > 2
    return _split(source, start, end, part, start, "title") if says else []


def _row(
    source: str,
    start: int,
    end: int,
    part: str,
    paragraph: int,
    read: tuple[str, tuple[TableCell, ...]],
) -> list[Sentence]:
    """The sentence of a table's row, if it has a text."""
    text, cells = read
    first = end - len(source[start:end].lstrip())
    last = start + len(source[start:end].rstrip())
    return [Sentence(part, text, first, last, paragraph, "row", cells)] if text else []


def _split(
    source: str, start: int, end: int, part: str, paragraph: int, kind: SentenceKind
) -> list[Sentence]:
    """The sentences of one piece: at a full stop before a capital."""
    at, pieces = start, []
    for match in _SENTENCE_END.finditer(source, start, end):
        pieces.append((at, match.end()))
        at = match.end()
    pieces.append((at, end))
    found = []
    for first, last in pieces:
        text, named = _texts(source[first:last])
        if text or named:
            blank = len(source[first:last]) - len(source[first:last].lstrip())
            tail = len(source[first:last].rstrip())
            found.append(
                Sentence(part, text, first + blank, first + tail, paragraph, kind, named=named)
            )
    return found


def _texts(piece: str) -> tuple[str, str]:
    """What a piece of source prints, and the same with the names of symbols where that is another text."""
    text, named = (" ".join(visible_text(piece, symbols=one).split()) for one in (False, True))
    return text, named if named != text else ""
