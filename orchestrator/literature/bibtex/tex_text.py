r"""Fields of BibTeX: which commands of TeX they may hold, and what they say in plain text."""

from __future__ import annotations

import re
import unicodedata

from orchestrator.core.errors import BadFile

LONGEST_FIELD = 20_000
AS_THEY_ARE = frozenset({"url", "doi", "eprint"})
"""Fields that are written without escapes."""

_STYLES = (
    "emph", "textit", "textbf", "textsc", "texttt", "textrm", "textsf", "textup", "textnormal",
    "textsuperscript", "textsubscript", "ensuremath", "em", "it", "bf", "sc", "tt", "sl", "rm",
    "mathbb", "mathcal", "mathrm", "mathbf", "mathit", "mathsf",
)  # fmt: skip
_ACCENTS = dict(
    zip(
        "\"'`^~=.cvuHdkr",
        "\u0308\u0301\u0300\u0302\u0303\u0304\u0307\u0327\u030c\u0306\u030b\u0323\u0328\u030a",
        strict=True,
    )
)
_LETTERS = {
    "aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "ss": "ß",
    "l": "ł", "L": "Ł", "i": "i", "j": "j",
}  # fmt: skip
_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "ell": "ℓ", "infty": "∞", "times": "×", "cdot": "·", "leq": "≤", "geq": "≥", "le": "≤",
    "ge": "≥", "neq": "≠", "to": "→", "rightarrow": "→", "sim": "∼", "approx": "≈", "pm": "±",
    "circ": "∘", "in": "∈", "mid": "|", "partial": "∂", "nabla": "∇", "log": "log", "exp": "exp",
    "max": "max", "min": "min", "sqrt": "√", "ldots": "…", "dots": "…", "textendash": "–",
    "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "textquotedblleft": "“",
    "textquotedblright": "”", "textless": "<", "textgreater": ">", "textregistered": "®",
    "texttrademark": "™", "textdegree": "°",
}  # fmt: skip

# A backslash before a space is not allowed: at a field's end, the space is removed, and the backslash
# would take away the brace that closes the field.
_NAMES = "|".join((*_LETTERS, *_STYLES, *_SYMBOLS))
_COMMAND = re.compile(
    rf"""\\(["'`^~=.]|[cvuHdkr](?![A-Za-z])|[-,/&%$#_{{}}]|(?:{_NAMES})(?![A-Za-z]))"""
)
"""Every command that a field may contain; others are refused."""
_ACCENTED = re.compile(r"""\\(["'`^~=.]|[cvuHdkr](?=[\s{]))\s*+\{?(\\?[A-Za-z])\}?""")
_SAID = _LETTERS | _SYMBOLS
_SPOKEN = re.compile(rf"\\({'|'.join(_SAID)})(?![A-Za-z])\s?")
_STYLE = re.compile(rf"\\(?:{'|'.join(_STYLES)})(?![A-Za-z])\s*+")
_DOLLAR = re.compile(r"(?<!\\)\$")
_LINK = re.compile(r"\\url\s*+\{([^{}]*+)\}|\\href\s*+\{[^{}]*+\}\s*+\{([^{}]*+)\}")
_ANY_COMMAND = re.compile(r"\\(?:[A-Za-z]++\*?\s?|.?)", re.DOTALL)


def plain_text(tex: str) -> str:
    """A field as plain text: accents combined with their letters, braces removed."""

    def accented(match: re.Match[str]) -> str:
        return unicodedata.normalize("NFC", match[2].replace("\\", "") + _ACCENTS[match[1]])

    text = _SPOKEN.sub(lambda match: _SAID[match[1]], _ACCENTED.sub(accented, tex))
    text = re.sub(r"\\[-/]", "", _STYLE.sub("", text)).replace("~", " ").replace(r"\,", " ")
    text = re.sub(r"\\([&%$#_{}])", r"\1", text).replace("--", "–")
    return " ".join(text.replace("{", "").replace("}", "").split())


def unlinked(tex: str) -> str:
    r"""``tex`` with the address instead of ``\url{…}``, and the words instead of ``\href{…}{…}``."""
    return _LINK.sub(lambda match: match[1] or match[2] or "", tex)


def loose_text(tex: str) -> str:
    """Any text as plain text: unknown commands, control characters and braces are left out."""
    known = _ANY_COMMAND.sub(lambda found: found[0] * _is_known(found[0]) or " ", unlinked(tex))
    text = _ANY_COMMAND.sub(" ", plain_text(known))
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    return " ".join(text.split())


def _is_known(command: str) -> bool:
    return _COMMAND.fullmatch(command.rstrip("* \t\r\n")) is not None


def as_tex(plain: str) -> str:
    """Plain text without backslashes and braces, so that TeX prints it as it is."""
    return escaped(plain.replace("$", r"\$"))


def trouble(value: str) -> str:
    """Why ``value`` cannot stand in a bibliography; empty if it can."""
    if len(value) > LONGEST_FIELD:
        return f"is longer than {LONGEST_FIELD} characters"
    unknown = _COMMAND.sub("", value).partition("\\")
    if not value.isprintable() and any(
        unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in value
    ):
        return "contains a control character"
    # BibTeX counts braces after a backslash too.
    if not (_balanced(value) and _balanced(re.sub(r"\\[{}]", "", value))):
        return "has unbalanced braces"
    if "^^" in value:
        return "contains `^^`, which TeX reads as hidden characters"
    if unknown[1]:
        return f"contains an unknown command: {unknown[1] + unknown[2][:20]!r}"
    return "has an odd number of `$`" if len(_DOLLAR.findall(value)) % 2 else ""


def tidy(name: str, value: str) -> str:
    """The field ``name``, which has no trouble, on one line and with TeX's characters escaped."""
    value = " ".join(value.split())
    return value if name in AS_THEY_ARE else escaped(value)


def check_field(name: str, value: str, where: str) -> str:
    """``value`` for a bibliography, TeX's special characters escaped. Raises :class:`BadFile`."""
    if why := trouble(value):
        raise BadFile(f"the field {name!r} {why}", where=where, todo="write it in plain text")
    return tidy(name, value)


def escaped(value: str) -> str:
    """Each ``&``, ``%``, ``#``, and outside formulas ``_`` and ``^``, with its backslash."""
    parts = _DOLLAR.split(re.sub(r"(?<!\\)([&%#])", r"\\\1", value))
    prose = [re.sub(r"(?<!\\)_", r"\\_", part) for part in parts[::2]]
    parts[::2] = [re.sub(r"(?<!\\)\^", r"\\^{}", part) for part in prose]
    return "$".join(parts)


def _balanced(value: str) -> bool:
    depth = 0
    for char in re.findall(r"[{}]", value):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0
