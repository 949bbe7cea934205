"""JSON objects in a model's reply, as models write them: between prose, with slips of the pen.

Read as meant: comments, a comma before a closing bracket, a line break or a backslash of LaTeX in a
text, Python's True, False and None, curly quotes. Never completed: an object without an end. Both
functions cost linear time.
"""

from __future__ import annotations

import json
import re
from typing import Any

from orchestrator.core.fences import fences

# What has no end reaches to the end of the reply: so no place is looked at twice.
_TEXT = r'"(?:[^"\\]++|\\.)*+"?'
_COMMENT = r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"
_BRACE = re.compile(r"[{}]")
_BRACE_OUTSIDE = re.compile(rf"{_TEXT}|{_COMMENT}|[{{}}]", re.DOTALL)
_COMMENTS = re.compile(rf"{_TEXT}|({_COMMENT})", re.DOTALL)
_SLIPS = re.compile(rf"({_TEXT})|,(?=\s*+[}}\]])|\b(True|False|None)\b", re.DOTALL)
_BACKSLASH = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_PYTHON = {"True": "true", "False": "false", "None": "null"}
_MOST = 40  # objects of one reply that are read, the last
_CURLY = str.maketrans("“”„", '"""')


def json_objects(text: str) -> list[str]:
    """The last texts in ``text`` that may be a JSON object, by the place of their end: outermost
    pairs of braces, in fenced blocks and anywhere.

    Braces are paired twice, with and without those in quotes: prose leaves quotes open.
    """
    parts = [(block.start, text[block.start : block.end]) for block in fences(text)]
    found = {
        (at + end, at + start)
        for at, part in [(0, text), *parts]
        for quotes in (True, False)
        for start, end in _pairs(part, quotes=quotes)
    }
    return [text[start:end] for end, start in sorted(found)[-_MOST:]]


def _pairs(text: str, *, quotes: bool) -> list[tuple[int, int]]:
    """Start and end of each pair of braces that no other pair encloses. With ``quotes``, braces in
    quotes or comments do not count; outside of braces, quotes are prose.
    """
    opened: list[int] = []
    found: list[tuple[int, int]] = []
    at = 0
    while match := (_BRACE_OUTSIDE if opened and quotes else _BRACE).search(text, at):
        at = match.end()
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            start = opened.pop()
            while found and found[-1][0] > start:
                found.pop()
            found.append((start, at))
    return found


def read_object(text: str) -> dict[str, Any]:
    """The object in ``text``, which begins and ends with braces. Half of a surrogate pair becomes
    ``?``. Raises :class:`ValueError`, with the place in ``text``.
    """
    try:
        return _loaded(text)
    except ValueError:
        return _loaded(_mended(text))


def _loaded(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, strict=False)
        whole = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        loaded: dict[str, Any] = json.loads(whole)
        return loaded
    except json.JSONDecodeError as error:
        near = text[error.pos : error.pos + 30]
        where = f"line {error.lineno} column {error.colno}, at {near!r}"
        raise ValueError(f"{error.msg}: {where}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _mended(text: str) -> str:
    """``text`` with each slip made good."""
    if '"' not in text:
        text = text.translate(_CURLY)
    text = _COMMENTS.sub(lambda found: " " if found[1] else found[0], text)
    return _SLIPS.sub(_made_good, text)


def _made_good(found: re.Match[str]) -> str:
    if found[1]:
        return _BACKSLASH.sub(lambda mark: mark[0] if len(mark[0]) > 1 else r"\\", found[1])
    return _PYTHON.get(found[0], " ")
