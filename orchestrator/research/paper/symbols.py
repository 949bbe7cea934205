r"""Symbols by which papers call what they measure, as words: "$R_0$" is R0, "$\mathcal{L}_{val}$" is val loss."""

from __future__ import annotations

import re

_GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|chi|psi|omega"
    "|Gamma|Theta|Lambda|Xi|Sigma|Phi|Psi|Omega"
)
_FONT = r"\\(?:math(?:cal|bb|rm|bf|it|sf|scr|frak)|text(?:rm|it|bf|sf|tt|normal)?|operatorname|boldsymbol|bm|hat|bar|tilde|overline|widehat)\*?"
_WORD = rf"(?:{_FONT}\s*\{{\s*(?:[A-Za-z]{{1,16}}|\\(?:var)?(?:{_GREEK}))\s*\}}|\\(?:var)?(?:{_GREEK})(?![A-Za-z])|\\ell(?![A-Za-z])|[A-Za-z])"
_SCRIPT = rf"[_^]\s*(?:\d|[A-Za-z]|\{{\s*(?:\d{{1,2}}|[A-Za-z]{{1,12}}|\\(?:max|min)|{_FONT}\s*\{{\s*[A-Za-z]{{1,12}}\s*\}})\s*\}}|\\(?:max|min)(?![A-Za-z])|{_FONT}\s*\{{\s*[A-Za-z]{{1,12}}\s*\}})"
_NUMBERS = r"(?:[^A-Za-z\\$]|\\(?:pm|times|cdot|approx|simeq|sim|leq?|geq?|lt|gt|to|rightarrow|quad)(?![A-Za-z])|\\[,;:!% ])*"
_RELATION = r"(?:[=<>≈≤≥]|\\(?:approx|simeq|sim|leq?|geq?|lt|gt)(?![A-Za-z]))"
_SYMBOL = re.compile(
    rf"\$\s*(?P<delta>\\Delta\s*)?(?P<word>{_WORD})\s*(?P<scripts>(?:{_SCRIPT}\s*){{0,2}})(?P<rest>{_RELATION}{_NUMBERS})?\$"
)
_LOG = re.compile(r"\$\s*\\log\s*(?:_\s*\{?\s*(?P<base>10|2)\s*\}?)?\s*\$")
_OUTSIDE = re.compile(
    r"(?<![A-Za-z\\])(?P<letter>[A-Za-z])(?:\$\s*[_^]\s*\{?\s*(?P<script>\d)\s*\}?\s*\$|\\text(?:super|sub)script\{(?P<text>\d)\})"
)
_RAISED = re.compile(r"(?<![A-Za-z])(?P<letter>[A-Za-z])(?P<script>[²³⁰¹₀-₉])")
_FINE = re.compile(r"\d*\.\d+|\d\s*\\?%")
_SET_IN = ("val", "train", "test", "valid", "validation", "training", "dev", "heldout")
_LETTERS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_UNICODE = re.compile(f"[{''.join(_LETTERS)}]")
_SPELLED = re.compile(rf"\\(?:var)?({_GREEK})(?![A-Za-z])")
_DIGITS = str.maketrans("²³⁰¹₀₁₂₃₄₅₆₇₈₉", "23010123456789")


def symbol_name(formula: str) -> str | None:
    """What a formula calls a quantity, with the number that it states of it; None where it is no name."""
    if match := _LOG.fullmatch(formula):
        return f" log{match['base'] or ''} "
    match = _SYMBOL.fullmatch(formula)
    if match is None:
        return None
    rest = match["rest"] or ""
    strange = (
        "^" in match["scripts"] or "\\" in match["scripts"] or match["word"].startswith("\\math")
    )
    if rest and strange and not _FINE.search(rest):
        return None  # "$d^2 = 64$" counts in a formula
    scripts = re.findall(
        r"[_^]\s*\{?\s*(?:\\[a-zA-Z]+\*?\s*\{\s*)?\\?([A-Za-z]+|\d+)", match["scripts"]
    )
    letter = _plain(match["word"])
    if letter in {"L", "l", "J"} and any(one.lower() in _SET_IN for one in scripts):
        letter, scripts = f"{' '.join(scripts)} loss", []
    said = [one for one in scripts if len(one) > 1 or one.isdigit()]
    name = letter + "_".join(said) if said and said[0].isdigit() else " ".join([letter, *said])
    return f" {'delta ' if match['delta'] else ''}{name} {rest}"


def _plain(word: str) -> str:
    inner = re.search(r"\{\s*\\?([A-Za-z]+)\s*\}", word)
    name = inner[1] if inner else word.lstrip("\\")
    return "l" if name == "ell" else name.removeprefix("var")


def with_symbols(text: str) -> str:
    """``text`` in which a letter with a digit set high or low is one word, and a Greek letter its name."""
    text = _OUTSIDE.sub(lambda match: f"{match['letter']}{match['script'] or match['text']} ", text)
    text = _RAISED.sub(lambda match: match["letter"] + match["script"].translate(_DIGITS), text)
    return _UNICODE.sub(lambda match: f" {_LETTERS[match[0]]} ", text)


def with_greek(text: str) -> str:
    """``text`` with the names of Greek letters in place of their commands."""
    return _SPELLED.sub(r" \1 ", text)
