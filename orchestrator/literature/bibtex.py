r"""BibTeX, parsed strictly and rewritten: complete entries with the fields that a paper needs.

The input is untrusted, so no entry is used unchanged. Fields are parsed, checked
(balanced braces, only known commands such as ``\"o``, no control characters) and written again;
unknown fields are dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.errors import BadFile

ENTRY_KINDS = (
    "article", "book", "incollection", "inproceedings", "misc", "phdthesis", "techreport",
)  # fmt: skip
FIELDS = frozenset({
    "title", "author", "year", "journal", "booktitle", "volume", "number", "pages", "publisher",
    "school", "institution", "eprint", "archiveprefix", "primaryclass", "doi", "url", "note",
    "howpublished", "abstract",
})  # fmt: skip
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_-]{0,63}", re.ASCII)
LONGEST_FIELD = 20_000

_ENTRY = re.compile(r"@\s*([A-Za-z]+)\s*\{")
_NAME = re.compile(r"\s*([A-Za-z][A-Za-z_-]*)\s*=\s*")
_BARE = re.compile(r"\d{1,9}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\b", re.ASCII)
_STYLES = ("emph", "textit", "textbf", "textsc")
_MATHS = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|"
    "sigma|tau|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega|ell|infty|"
    "times|cdot|log|sqrt|mathbb|mathcal|mathrm"
)
_DOLLAR = re.compile(r"(?<!\\)\$")
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

_WORDS = "|".join((*_LETTERS, *_STYLES, _MATHS))
_COMMAND = re.compile(
    rf"""\\(["'`^~=.]|[cvuHdkr](?![A-Za-z])|[&%$#_{{}}]|(?:{_WORDS})(?![A-Za-z]))"""
)
"""Every command that a field may contain; others are refused."""


@dataclass(frozen=True, slots=True)
class BibEntry:
    """One entry: its kind and key, and its fields in TeX's spelling by lower-case name."""

    kind: str
    key: str
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The field of that name, or an empty string."""
        return dict(self.fields).get(name, "")

    def text(self) -> str:
        """The entry as BibTeX."""
        lines = [f"  {name} = {{{value}}}" for name, value in self.fields if name != "abstract"]
        return f"@{self.kind}{{{self.key},\n" + ",\n".join(lines) + "\n}\n"


def entries(text: str, where: str) -> Iterator[BibEntry]:
    """Every entry of ``text``. Raises :class:`BadFile`; ``where`` is the name of the file in errors."""
    at = 0
    while match := _ENTRY.search(text, at):
        start = f"{where}:{text.count(chr(10), 0, match.start()) + 1}"
        kind = match[1].lower()
        end = _closing(text, match.end(), start)
        if kind in ENTRY_KINDS:
            yield _entry(kind, text[match.end() : end], start)
        elif kind != "comment":
            raise BadFile(
                f"entries of the kind @{match[1][:40]} are not supported",
                where=start,
                todo=f"write it as one of: {', '.join(ENTRY_KINDS)}",
            )
        at = end + 1


def plain_text(tex: str) -> str:
    """A field as plain text: accents combined with their letters, braces removed."""

    def accented(match: re.Match[str]) -> str:
        return unicodedata.normalize("NFC", match[2].replace("\\", "") + _ACCENTS[match[1]])

    text = re.sub(r"""\\(["'`^~=.]|[cvuHdkr](?=[\s{]))\s*\{?(\\?[A-Za-z])\}?""", accented, tex)
    for name, letter in _LETTERS.items():
        text = re.sub(rf"\\{name}(?![A-Za-z])\s?", letter, text)
    text = re.sub(rf"\\(?:{'|'.join(_STYLES)})\s*", "", text)
    text = re.sub(r"\\([&%$#_{}])", r"\1", text).replace("~", " ").replace("--", "–")
    return " ".join(text.replace("{", "").replace("}", "").split())


def check_field(name: str, value: str, where: str) -> str:
    """``value`` for a bibliography, TeX's special characters escaped. Raises :class:`BadFile`."""
    unknown = _COMMAND.sub("", value).partition("\\")
    trouble = ""
    if len(value) > LONGEST_FIELD:
        trouble = f"is longer than {LONGEST_FIELD} characters"
    elif any(unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in value):
        trouble = "contains a control character"
    elif not _balanced(value):
        trouble = "has unbalanced braces"
    elif "^^" in value:
        trouble = "contains `^^`, which TeX reads as hidden characters"
    elif unknown[1]:
        trouble = f"contains an unknown command: {unknown[1] + unknown[2][:20]!r}"
    elif len(_DOLLAR.findall(value)) % 2:
        trouble = "has an odd number of `$`"
    if trouble:
        raise BadFile(f"the field {name!r} {trouble}", where=where, todo="write it in plain text")
    value = " ".join(value.split())
    return value if name in {"url", "doi", "eprint"} else _escaped(value)


def _escaped(value: str) -> str:
    """Each ``&``, ``%``, ``#``, and outside formulas ``_`` and ``^``, with its backslash."""
    parts = _DOLLAR.split(re.sub(r"(?<!\\)([&%#])", r"\\\1", value))
    prose = [re.sub(r"(?<!\\)_", r"\\_", part) for part in parts[::2]]
    parts[::2] = [re.sub(r"(?<!\\)\^", r"\\^{}", part) for part in prose]
    return "$".join(parts)


def _balanced(value: str) -> bool:
    depth = 0
    for char in re.sub(r"\\[{}]", "", value):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0


def _closing(text: str, start: int, where: str) -> int:
    """The index of the brace that closes the one before ``start``."""
    depth = 1
    for match in re.compile(r"\\[{}]|[{}]").finditer(text, start):
        depth += (match[0] == "{") - (match[0] == "}")
        if depth == 0:
            return match.start()
    raise BadFile("an entry is not closed", where=where, todo="add the missing `}`")


def _entry(kind: str, body: str, where: str) -> BibEntry:
    key, _, rest = body.partition(",")
    key = key.strip()
    if not KEY.fullmatch(key):
        raise BadFile(
            f"{key[:80]!r} cannot be an entry's key",
            where=where,
            todo="use up to 64 letters, digits, `:`, `_` and `-`",
        )
    fields: dict[str, str] = {}
    while rest.strip(" \t\r\n,"):
        rest = rest.lstrip(" \t\r\n,")
        match = _NAME.match(rest)
        if match is None:
            raise BadFile(
                f"not a field: {rest[:40]!r}", where=f"{where}: {key}", todo="write NAME = {VALUE}"
            )
        name = match[1].lower()
        value, rest = _value(rest[match.end() :], f"{where}: {key}.{name}")
        if name in fields:
            what = f"the field {name!r} occurs twice"
            raise BadFile(what, where=f"{where}: {key}", todo="remove one of them")
        if name in FIELDS:
            fields[name] = check_field(name, value, f"{where}: {key}")
    return BibEntry(kind, key, tuple(fields.items()))


def _value(text: str, where: str) -> tuple[str, str]:
    """The value at the start of ``text``, and the rest."""
    if text[:1] == "{":
        end = _closing(text, 1, where)
        return text[1:end], text[end + 1 :]
    if match := re.match(r'"((?:[^"\\]|\\.)*)"', text, re.DOTALL):
        return match[1], text[match.end() :]
    if match := _BARE.match(text):
        return match[0], text[match.end() :]
    raise BadFile(
        "a value is neither in braces, in quotes, nor a number",
        where=where,
        todo="put it in braces: NAME = {VALUE}",
    )
