"""Commands of LaTeX that print no number of the author's, and where their printed argument begins."""

from __future__ import annotations

import re

# Bounded, so that a text of a million characters stays a matter of seconds.
OPTIONS = r"(?:\s*+\[[^\]]{0,1000}\]){0,4}"
_GROUP = r"\s*+\{[^{}]{0,2000}\}"
_END = r"(?![A-Za-z])\*?"
_WITHOUT_TEXT = (
    r"\\(?:[Cc]ite[a-zA-Z]*|(?:page|eq|auto|name|[Cc])?ref|[Cc]refrange|label|includegraphics|url"
    r"|bibliography|bibliographystyle|vspace|hspace|input|include|pagestyle|thispagestyle"
    r"|captionsetup|graphicspath|addlinespace|cmidrule|cline|specialrule|vskip|hskip"
    r"|color|pagecolor|arrayrulecolor"
    rf"){_END}(?:\([^)]{{0,1000}}\))?{OPTIONS}(?:{_GROUP})?"
    rf"|\\(?:cell|row|column)color{_END}{OPTIONS}(?:{_GROUP})?{OPTIONS}"
    rf"|\\(?:setlength|addtolength|rule|fontsize|colorlet){_END}{OPTIONS}(?:{_GROUP}){{0,2}}"
    rf"|\\(?:setlength|addtolength){_END}\s*\\[A-Za-z]+(?:{_GROUP})?"
    rf"|\\(?:definecolor|rowcolors){_END}{OPTIONS}(?:{_GROUP}){{0,3}}"
)
# The last argument of these is text: as many groups as stand before it are dropped, and no more.
_BEFORE_TEXT = (
    rf"|\\(?:textcolor|colorbox|href|hyperlink|hypertarget|adjustbox|makebox|framebox|hyperref)"
    rf"{_END}{OPTIONS}(?:{_GROUP}(?=\s*+\{{))?"
    rf"|\\(?:scalebox|rotatebox|raisebox|parbox){_END}{OPTIONS}(?:{_GROUP})?{OPTIONS}"
    rf"|\\(?:fcolorbox|resizebox|multicolumn|multirow){_END}{OPTIONS}"
    rf"(?:{_GROUP}){{0,2}}{OPTIONS}"
)
DROPPED = re.compile(_WITHOUT_TEXT + _BEFORE_TEXT)
