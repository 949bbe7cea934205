"""Commands of LaTeX that print no number of the author's, and where their printed argument begins."""

from __future__ import annotations

import re

# Bounded, so that a text of a million characters stays a matter of seconds.
COMMAND_OPTIONS = r"(?:\s*+\[[^\]]{0,1000}\]){0,4}"
_GROUP = r"\s*+\{[^{}]{0,2000}\}"
_END = r"(?![A-Za-z])\*?"
_WITHOUT_TEXT = (
    r"\\(?:[Cc]ite[a-zA-Z]*|(?:page|eq|auto|name|[Cc])?ref|[Cc]refrange|label|includegraphics|url"
    r"|bibliography|bibliographystyle|vspace|hspace|input|include|pagestyle|thispagestyle"
    r"|captionsetup|graphicspath|addlinespace|cmidrule|cline|specialrule|vskip|hskip"
    r"|color|pagecolor|arrayrulecolor"
    rf"){_END}(?:\([^)]{{0,1000}}\))?{COMMAND_OPTIONS}(?:{_GROUP})?"
    rf"|\\(?:cell|row|column)color{_END}{COMMAND_OPTIONS}(?:{_GROUP})?{COMMAND_OPTIONS}"
    rf"|\\(?:setlength|addtolength|rule|fontsize|colorlet){_END}{COMMAND_OPTIONS}(?:{_GROUP}){{0,2}}"
    rf"|\\(?:setlength|addtolength){_END}\s*\\[A-Za-z]+(?:{_GROUP})?"
    rf"|\\(?:definecolor|rowcolors){_END}{COMMAND_OPTIONS}(?:{_GROUP}){{0,3}}"
)
# The last argument of these is text: as many groups as stand before it are dropped, and no more.
_BEFORE_TEXT = (
    rf"|\\(?:textcolor|colorbox|href|hyperlink|hypertarget|adjustbox|makebox|framebox|hyperref)"
    rf"{_END}{COMMAND_OPTIONS}(?:{_GROUP}(?=\s*+\{{))?"
    rf"|\\(?:scalebox|rotatebox|raisebox|parbox){_END}{COMMAND_OPTIONS}(?:{_GROUP})?{COMMAND_OPTIONS}"
    rf"|\\(?:fcolorbox|resizebox|multicolumn|multirow){_END}{COMMAND_OPTIONS}"
    rf"(?:{_GROUP}){{0,2}}{COMMAND_OPTIONS}"
)
DROPPED = re.compile(_WITHOUT_TEXT + _BEFORE_TEXT)

_FALSE = re.compile(r"(?<!\\string)(?<!\\verb.)(?<!\\)\\iffalse(?![A-Za-z])")
# TeX's own conditions alone: a name that is no condition, counted as one, would hide text that is printed.
_CONDITION = re.compile(
    r"(?<!\\)\\(?:(?P<opens>if(?:x|num|dim|odd|cat|vmode|hmode|mmode|inner|true|false|case|eof|defined|csname"
    r"|void|hbox|vbox)?)|(?P<otherwise>else)|(?P<closes>fi))(?![A-Za-z])"
)


def blanks_for(text: str) -> str:
    """Blanks in place of ``text``, with its lines."""
    return "".join("\n" if char == "\n" else " " for char in text)


def without_false(source: str) -> str:
    r"""``source`` with blanks for what stands between ``\iffalse`` and its ``\else`` or ``\fi``. One without an
    end hides nothing.
    """
    parts, at = [], 0
    while match := _FALSE.search(source, at):
        depth, end = 1, None
        for mark in _CONDITION.finditer(source, match.end()):
            depth += bool(mark["opens"]) - bool(mark["closes"])
            if depth == 0 or (depth == 1 and mark["otherwise"]):
                end = mark.end()
                break
        if end is None:
            break
        parts += [source[at : match.start()], blanks_for(source[match.start() : end])]
        at = end
    return "".join([*parts, source[at:]])
