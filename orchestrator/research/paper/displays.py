"""Displayed formulae: what states a result is read as text, a formula over variables is not."""

from __future__ import annotations

import re

from orchestrator.research.paper.unprinted import blanks_for

_FILLER = "\ue1ff"  # behind a number by reference, so that the text after it stays at its place
_NAMES = "equation|align|alignat|flalign|eqnarray|gather|multline|displaymath"
_BEGIN = re.compile(rf"(?<!\\)\\\[|\\begin\{{((?:{_NAMES})\*?)\}}")
_LONGEST = 4000  # characters of a display; a longer one is read as text
_OWN_ROWS = re.compile(r"\\begin\{(?:array|tabular)\}")
_OWN_MARKS = re.compile(r"\\(?:begin|end)\{(?:array|tabular)\}(?:\{[^{}]{0,80}\})?")
_OF_VARIABLES = re.compile(r"\\begin\{(?:cases|[a-zA-Z]{0,8}matrix)\*?\}")
_MARKS = re.compile(
    rf"\\\[|\\\]|\\(?:begin|end)\{{(?:{_NAMES}|aligned|alignedat|gathered|split|subequations)\*?\}}"
    r"(?:\{\d{1,2}\})?"
)
_CUT = re.compile(r"\\\\(?:\s*\[[^\]]{0,40}\])?|\\q?quad(?![A-Za-z])|(?<!\\)[,;](?=[\s\\])|&\s*&")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{[^{}]{0,200}\}\s*\{[^{}]{0,200}\}")
# What a formula's letters look like, less what is printed below and above them.
_SCRIPTS = re.compile(
    r"[_^]\s*+(?:\{[^{}]{0,200}(?:\{[^{}]{0,200}\}[^{}]{0,200})?\}|\\[A-Za-z]+|\w)"
)
_LOOKS = re.compile(
    r"\\(?:mathbf|boldsymbol|bm|boxed|num|underline|displaystyle|left|right|big[lr]?|Big[lr]?|notag|nonumber)"
    r"(?![A-Za-z])|\\[,;:!> ]|\\(?:label|tag)\*?\{[^{}]{0,200}\}|[&$~{}]"
)
_WORDS = re.compile(
    r"\\(?:text|mbox|hbox|textrm|textbf|textit|textsf|textsc|texttt|mathrm|mathit|mathsf|operatorname)\s?\*?"
    r"(?=\s*\{\s*\w*[A-Za-z])"
)
_WORD = "\ue1fe"  # stands for such a command where a formula is judged
_RELATION = r"(?:[=<>:]|\\(?:approx|simeq|sim|leq?|geq?|to|rightarrow|equiv|doteq)(?![A-Za-z]))"
# A number of digits that no index and no exponent has, and nothing behind it that it is a factor of.
_AMOUNT = (
    r"[-+]?\s*\(?\s*(?:\d*\.\d+|\d{3,}|\d{1,3}(?=\s*\\?%)|[\ue200-\uf6ff])(?!\.?\d)"
    r"(?!\s*(?:[A-Za-z_^/*+-]|\((?!\s*\ue1fe)|\\(?:cdot|times)(?!\s*10)"
    r"|\\(?!pm|%|cdot|times|to|rightarrow|approx|leq?|geq?|text|s(?![A-Za-z]))))"
)
_STATED = re.compile(rf"{_RELATION}\s*{_AMOUNT}")
_ALONE = re.compile(rf"\s*{_AMOUNT}[^A-Za-z]{{0,40}}")
_WITH_WORDS = re.compile(_AMOUNT)
_OVER_VARIABLES = re.compile(
    r"\\(?:[dt]?frac|sum|prod|int|sqrt|partial|nabla|mathbb|mathcal|log|exp|max|min|cdot\s*[\\A-Za-z])"
)
_METHODS = (
    "method",
    "background",
    "preliminar",
    "setup",
    "experimental setup",
    "approach",
    "model",
)


def with_displays(source: str, part: str) -> str:
    """``source`` in which each displayed formula is text or blanks, of the same length. ``part`` is the heading
    of its section: what tells of a method has letters and settings in its formulae, so that only words say there
    that a result is meant.
    """
    method = part.startswith(_METHODS)
    parts, at = [], 0
    while match := _BEGIN.search(source, at):
        end = rf"\end{{{match[1]}}}" if match[1] else r"\]"
        last = source.find(end, match.end(), match.end() + _LONGEST)
        if last < 0:
            parts.append(source[at : match.end()])
            at = match.end()
            continue
        parts.append(source[at : match.start()])
        at = last + len(end)
        parts.append(_display(source[match.start() : at], method=method))
    return "".join([*parts, source[at:]])


def _display(text: str, *, method: bool) -> str:
    if _OF_VARIABLES.search(text):
        return blanks_for(text)
    rows = bool(_OWN_ROWS.search(text))
    inner = _MARKS.sub(lambda match: " " * len(match[0]), text)
    parts, at, read = [], 0, False
    for first, last in [*(match.span() for match in _CUT.finditer(inner)), (len(inner),) * 2]:
        piece, cut = inner[at:first], inner[first:last]
        if _states(piece, method=method):
            read = True
            parts.append(_FRACTION.sub(lambda match: " " * len(match[0]), piece))
        else:
            parts.append(_only_marks(piece) if rows else " " * len(piece))
        parts.append(cut if rows else f"{';' if cut else ''}".ljust(len(cut)))
        at = last
    # A line of blanks alone would end the paragraph, and with it what its words are about.
    return "".join(parts).replace("\n", " ") if read else blanks_for(text)


def _only_marks(piece: str) -> str:
    """Blanks, but for the begin and end of an array, which its rows stand between."""
    kept = [match.span() for match in _OWN_MARKS.finditer(piece)]
    out = list(" " * len(piece))
    for first, last in kept:
        out[first:last] = piece[first:last]
    return "".join(out)


def _states(piece: str, *, method: bool) -> bool:
    """Whether a part of a formula states a number, of words or of letters, that may be a result."""
    plain = _SCRIPTS.sub("", _OWN_MARKS.sub(" ", piece.replace(_FILLER, "")))
    plain = _LOOKS.sub(" ", _WORDS.sub(_WORD, plain))
    worded = _WORD in plain
    if method and not worded:
        return False
    if _STATED.search(plain) or _ALONE.fullmatch(plain):
        return True
    return worded and not _OVER_VARIABLES.search(plain) and bool(_WITH_WORDS.search(plain))
