r"""The form of BibTeX: entries, their fields, and where each stands. What they say is not looked at.

Each character is looked at a few times at most, whatever the text holds: an entry ends, at the latest,
before the next line that begins another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MOST_FIELDS = 1000  # of an entry
_MOST_PARTS = 1000  # of a value
_HEAD = re.compile(r"@\s*+([A-Za-z]++)\s*+([{(])")
_LINE_HEAD = re.compile(r"^[ \t]*+@[ \t]*+[A-Za-z]++\s*+[{(]", re.MULTILINE)
_NAME = re.compile(r"\s*+([A-Za-z][A-Za-z0-9_:.+/-]*+)\s*+=\s*+")
_GAP = re.compile(r"[\s,]*+")
_HASH = re.compile(r"\s*+#\s*+")
_NUMBER = re.compile(r"[0-9]++")
_MACRO = re.compile(r"""[A-Za-z_][^\s"#%'(),={}\\]*+""")
_MARK = re.compile(r"""\\.|[{})"]""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a value, as it stands there, or the name of a macro."""

    text: str
    macro: bool = False


@dataclass(frozen=True, slots=True)
class RawField:
    """``at`` is where the value begins."""

    name: str
    parts: tuple[Part, ...]
    at: int


@dataclass(frozen=True, slots=True)
class RawEntry:
    kind: str
    at: int
    key: str = ""
    fields: tuple[RawField, ...] = ()


@dataclass(frozen=True, slots=True)
class Slip:
    """What breaks the form of BibTeX; the entry around it is left out."""

    at: int
    key: str
    what: str
    todo: str


def scan(text: str) -> Iterator[RawEntry | Slip]:
    """Every entry of ``text`` except comments, with a Slip for each that has no form."""
    at, edge = 0, -1
    while head := _HEAD.search(text, at):
        if head.start() >= edge:
            following = _LINE_HEAD.search(text, head.end())
            edge = following.start() if following else len(text)
        kind = head[1].lower()
        end = _closing(text, head.end(), edge, {"{": "}", "(": ")"}[head[2]])
        if end < 0:
            if kind != "comment":
                yield _not_closed(text, head, edge)
            at = edge
            continue
        if kind == "preamble":
            yield RawEntry(kind, head.start())
        elif kind != "comment":
            yield _entry(text, head, end)
        at = end + 1


def position(text: str, at: int) -> tuple[int, int]:
    """Line and column of a place in ``text``, from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _not_closed(text: str, head: re.Match[str], edge: int) -> Slip:
    key = "" if _NAME.match(text, head.end(), edge) else _key(text, head.end(), edge)[0]
    return Slip(head.start(), key[:80], "an entry is not closed", "add the missing `}`")


def _closing(text: str, start: int, end: int, closer: str) -> int:
    """Where ``closer`` stands outside braces, counted from ``start``; -1 if nowhere before ``end``."""
    depth = 0
    for match in _MARK.finditer(text, start, end):
        mark = match[0]
        if depth == 0 and mark == closer:
            return match.start()
        depth += (mark == "{") - (mark == "}")
        if depth < 0 and closer == ")":
            return -1
    return -1


def _key(text: str, start: int, end: int) -> tuple[str, int]:
    """The key that begins at ``start``, and where its comma or the entry's end is."""
    comma = text.find(",", start, end)
    stop = end if comma < 0 else comma
    return text[start:stop].strip(), stop


def _entry(text: str, head: re.Match[str], end: int) -> RawEntry | Slip:
    kind, at, key = head[1].lower(), head.end(), ""
    if kind != "string" and not _NAME.match(text, at, end):
        key, at = _key(text, at, end)
    fields: list[RawField] = []
    while (at := _end_of(_GAP, text, at, end)) < end:
        name = _NAME.match(text, at, end)
        if len(fields) >= _MOST_FIELDS:
            what = f"an entry has more than {_MOST_FIELDS} fields"
            return Slip(at, key[:80], what, "remove those that are not needed")
        if name is None:
            what = f"not a field: {text[at : min(at + 40, end)]!r}"
            return Slip(at, key[:80], what, "write NAME = {VALUE}")
        parts, stop = _value(text, name.end(), end)
        if stop < 0:
            return Slip(
                name.end(),
                f"{key[:80]}.{name[1].lower()[:80]}".strip("."),
                "a value is neither in braces, in quotes, nor a number",
                "put it in braces: NAME = {VALUE}",
            )
        fields.append(RawField(name[1].lower(), parts, name.end()))
        at = stop
    return RawEntry(kind, head.start(), key, tuple(fields))


def _value(text: str, at: int, end: int) -> tuple[tuple[Part, ...], int]:
    """The pieces of the value at ``at``, and where it ends; -1 if there is none."""
    parts: list[Part] = []
    while len(parts) < _MOST_PARTS:
        opener = text[at : at + 1] if at < end else ""
        if opener in {"{", '"'} and opener:
            stop = _closing(text, at + 1, end, "}" if opener == "{" else '"')
            if stop < 0:
                return (), -1
            parts.append(Part(text[at + 1 : stop]))
            at = stop + 1
        elif match := _NUMBER.match(text, at, end) or _MACRO.match(text, at, end):
            parts.append(Part(match[0], macro=not match[0].isdigit()))
            at = match.end()
        else:
            return (), -1
        if (joined := _HASH.match(text, at, end)) is None:
            return tuple(parts), at
        at = joined.end()
    return (), -1


def _end_of(pattern: re.Pattern[str], text: str, at: int, end: int) -> int:
    match = pattern.match(text, at, end)
    return match.end() if match else at
