"""LaTeX as the text that a reader sees, with its numbers intact."""

from __future__ import annotations

import re
from functools import lru_cache

from orchestrator.research.paper.siunitx import with_units
from orchestrator.research.paper.symbols import symbol_name, with_greek, with_symbols
from orchestrator.research.paper.unprinted import COMMAND_OPTIONS, DROPPED

_ARGUMENT = r"(?:\s*\{(?:[^{}]|\{[^{}]*\})*\})"
OPENING = re.compile(
    r"\\begin\{(?:(?:figure|table|figure\*|table\*|enumerate|itemize)\}"
    rf"{COMMAND_OPTIONS}"
    r"|(?:tabular|array|longtable|minipage|subfigure|adjustbox)\}"
    rf"{COMMAND_OPTIONS}{_ARGUMENT}?"
    r"|(?:tabularx|tabular\*|wrapfigure|wraptable)\}"
    rf"(?:{COMMAND_OPTIONS}{_ARGUMENT}){{0,2}})"
)
"""The beginning of an environment with the arguments that print nothing; what follows is text."""
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
_RELATIONS = (
    (re.compile(r"\\(?:geq?|geqslant|gtrsim)(?![A-Za-z])"), " ≥ "),
    (re.compile(r"\\(?:leq?|leqslant|lesssim)(?![A-Za-z])"), " ≤ "),
    (re.compile(r"\\(?:gt|gg)(?![A-Za-z])"), " > "),
    (re.compile(r"\\(?:lt|ll)(?![A-Za-z])"), " < "),
    (re.compile(r"\\(?:approx|simeq|sim)(?![A-Za-z])"), " ≈ "),
)
_FILLER = "\ue1ff"  # behind a number by reference, so that the text after it stays at its place
# Inline mathematics; a formula over variables prints no number of a result.
_FORMULAE = re.compile(r"(?<!\\)\$[^$]{1,400}\$")
_OVER_VARIABLES = re.compile(
    r"\\(?:frac|sqrt|sum|prod|min|max|int|log|exp|operatorname|mathbb|mathrm)\b|[A-Za-z}]\s*[(/^]|[)/]\s*\\?[A-Za-z]"
    r"|\d\s*[(/]\s*[(\\A-Za-z]"
)
_UNDERSCORE = "\ue000"  # replaces an escaped one while subscripts are dropped


def _without_formula(match: re.Match[str]) -> str:
    return " " if _OVER_VARIABLES.search(match[0]) else match[0]


def _named_or_without(match: re.Match[str]) -> str:
    return symbol_name(match[0]) or _without_formula(match)


@lru_cache(maxsize=4096)  # a draft is checked as written, as corrected, and as printed
def visible_text(tex: str, *, symbols: bool = True) -> str:
    """LaTeX as text: numbers as a reader sees them, blank lines between rows and paragraphs. ``symbols``: those by
    which quantities are called are words.
    """
    text = re.sub(r"\\\\(\s*\[[^\]]*\])?", "\n\n", tex.replace(_FILLER, ""))
    if symbols:
        text = with_greek(_FORMULAE.sub(_named_or_without, with_symbols(text)))
    else:
        text = _FORMULAE.sub(_without_formula, text)
    text = OPENING.sub("\n\n", text)
    text = re.sub(r"\\(?:end|begin)\{[^}]*\}", "\n\n", text)
    text = re.sub(r"\\caption" + COMMAND_OPTIONS, "\n\n", text)
    text = re.sub(r"\\item\b", "\n\n", text)
    text = _LENGTH.sub(" ", text)
    text = DROPPED.sub(" ", text)
    text = with_units(text)
    text = re.sub(r"(?<=\d)(?:\\,|\{,\}|,)(?=\d{3}(?!\d))", "", text)
    text = re.sub(
        r"(?<!\d)((?>\d[\d.]{0,30}))(?>\s*\$?\s*)\\(?:times|cdot)\s*10\s*\^(?>\s*\{?\s*)([-+]?\d+)\}?",
        r"\1e\2",
        text,
    )
    text = re.sub(r"(?<![\d.])10\s*\^(?>\s*\{?\s*)([-+]?\d+)\s*\}?", r"1e\1", text)
    text = re.sub(r"\\pm(?![A-Za-z])|±", " +- ", text)
    text = re.sub(r"\\times(?![A-Za-z])|×", " × ", text)
    for pattern, sign in _RELATIONS:
        text = pattern.sub(sign, text)
    text = _SPOKEN.sub(r" \1 ", text)
    text = re.sub(r"\\Delta(?![A-Za-z])", " Δ ", text)
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
