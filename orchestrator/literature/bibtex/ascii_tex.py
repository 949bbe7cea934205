r"""Text of any language as ASCII that TeX prints: accents become commands, since BibTeX cuts bytes.

A style that abbreviates first names takes their first byte. ``{\'E}`` is one letter to it, the two bytes of
``É`` are not. Only commands that every font encoding has, and that a strict entry may hold, are used.
There is none for a backslash, which titles have of TeX's own commands: it is left out.
"""

from __future__ import annotations

import re
import unicodedata

_SPECIAL = {
    "\\": "", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "~": r"$\sim$", "^": r"\^{}",
    "<": r"$<$", ">": r"$>$", "|": r"$|$", '"': "''",
    "–": "--", "—": "---", "‐": "-", "‑": "-", "−": "$-$", "‘": "`", "’": "'", "ʼ": "'", "“": "``",
    "”": "''", "„": ",,", "…": r"\dots{}", "·": r"$\cdot$", "•": r"$\cdot$", "×": r"$\times$",
    "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "≈": r"$\approx$", "∞": r"$\infty$",
    "→": r"$\to$", "←": "$<$-", "°": r"$^{\circ}$", "∈": r"$\in$", "√": r"$\sqrt{}$",
    "∇": r"$\nabla$", "∂": r"$\partial$", "′": r"$'$", "ℓ": r"$\ell$",
    "¡": "!`", "¿": "?`",
}  # fmt: skip
_LETTERS = {
    "ß": r"{\ss}", "æ": r"{\ae}", "Æ": r"{\AE}", "œ": r"{\oe}", "Œ": r"{\OE}", "ø": r"{\o}",
    "Ø": r"{\O}", "ł": r"{\l}", "Ł": r"{\L}", "å": r"{\aa}", "Å": r"{\AA}", "ı": r"{\i}",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "ŋ": "ng", "ə": "e",
}  # fmt: skip
_KNOWN = {**_SPECIAL, **_LETTERS}
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d",
    "\u0326": "c", "\u0327": "c",
}  # fmt: skip
_BELOW = frozenset({"\u0323", "\u0326", "\u0327"})
_GREEK = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\epsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda",
    "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "ο": "o", "π": r"\pi", "ρ": r"\rho", "ς": r"\sigma",
    "σ": r"\sigma", "τ": r"\tau", "φ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega",
    "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Π": r"\Pi", "Σ": r"\Sigma",
    "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega", "ϕ": r"\phi", "ϵ": r"\epsilon",
}  # fmt: skip
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z",
    "и": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
    "щ": "shch", "ъ": "_", "ы": "y", "ь": "_", "э": "e", "ю": "iu", "я": "ia", "і": "i", "ї": "i",
    "є": "e", "ґ": "g",
}  # fmt: skip
"""The Library of Congress's romanization, without its signs."""


def tex_of(text: str) -> str | None:
    """Plain ``text`` on one line as TeX prints it; None if it has letters that the fonts lack."""
    return _joined(_paired(unicodedata.normalize("NFC", " ".join(text.split()))))


def ascii_tex(tex: str) -> str | None:
    """TeX source with its non-ASCII letters as commands; None if the fonts lack one of them."""
    whole = unicodedata.normalize("NFC", tex)
    parts = [
        part if part.isascii() else _within(part) for part in re.split(r"([^\x00-\x7f]+)", whole)
    ]
    return None if None in parts else "".join(filter(None, parts))


def _within(letters: str) -> str | None:
    """Non-ASCII letters as commands that are right in a formula too, where `$` would end it."""
    printed = _joined(letters)
    return printed and re.sub(r"(?<!\\)\$([^$]+)\$", r"\\ensuremath{\1}", printed)


def _paired(text: str) -> str:
    """``text`` without braces that have no partner: BibTeX counts them after a backslash too."""
    kept, waiting = list(text), list[int]()
    for at, char in enumerate(text):
        if char == "{":
            waiting.append(at)
        elif char == "}" and waiting:
            waiting.pop()
        elif char == "}":
            kept[at] = ""
    for at in waiting:
        kept[at] = ""
    return "".join(kept)


def _joined(text: str) -> str | None:
    printed = [_printed(char) for char in text]
    return None if None in printed else "".join(filter(None, printed))


def _printed(char: str) -> str | None:
    if char in _KNOWN:
        return _KNOWN[char]
    if char.isascii():
        return char if char.isprintable() else ""
    if char.isspace():
        return " "
    if char in _GREEK:
        return f"${_GREEK[char]}$"
    if char.lower() in _CYRILLIC:
        letters = _CYRILLIC[char.lower()].replace("_", "")
        return letters.capitalize() if char.isupper() else letters
    return _decomposed(char)


def _decomposed(char: str) -> str | None:
    """A letter with its accents, a ligature, a wide form; a sign that the fonts lack is left out."""
    apart, plain = unicodedata.normalize("NFD", char), unicodedata.normalize("NFKD", char)
    if len(apart) > 1 and apart[0].isascii():
        return _accented(apart[0], list(apart[1:]))
    if plain.isascii():
        return "".join("" if c in "{}" else _SPECIAL.get(c, c) for c in plain)
    return None if unicodedata.category(char)[0] == "L" else ""


def _accented(base: str, marks: list[str]) -> str:
    """A letter with its accents; a mark that no command makes, as an ogonek, is left out."""
    known = [mark for mark in marks if mark in _ACCENTS]
    dotless = base in "ij" and any(mark not in _BELOW for mark in known)
    text = f"\\{base}" if dotless else base
    for mark in known:
        text = f"\\{_ACCENTS[mark]}{{{text}}}"
    return f"{{{text}}}" if known else _SPECIAL.get(base, base)
