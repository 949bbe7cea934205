"""How long a section is: its words of prose, as its author is told to count them."""

from __future__ import annotations

import re

from orchestrator.research.claims.macros import macros_in
from orchestrator.research.paper.latex import environments, uncommented

_FLOATS = ("figure", "figure*", "table", "table*")
_FORMULA = re.compile(r"(?<!\\)\$[^$]{1,400}\$")
_SILENT = re.compile(
    r"~?\\(?:cite[a-z]*|label|ref|eqref|begin|end)\*?(?:\[[^\]]{0,200}\])?\{[^{}]{0,400}\}"
    r"|^(?:RUNS|RESULTS) TABLE HERE$",
    re.MULTILINE,
)
_COMMAND = re.compile(r"\\[A-Za-z]+\*?")
_MARKS = str.maketrans("", "", "{}\\")
_WORD = re.compile(r"\w[\w'’.,-]*")
_ONE = "macro"  # in place of a macro, or of a formula


def prose_words(tex: str) -> int:
    """The words of LaTeX without tables, figures and their captions; a macro and a formula count as one."""
    text = uncommented(tex)
    for start, end in reversed([*environments(text, _FLOATS)]):
        text = text[:start] + text[end:]
    for start, end, _, _ in reversed([*macros_in(text)]):
        text = text[:start] + _ONE + text[end:]
    text = _SILENT.sub(" ", _FORMULA.sub(_ONE, text))
    return len(_WORD.findall(_COMMAND.sub(" ", text).translate(_MARKS)))
