r"""A citation put into a text after words of it: ``~\citep{key}``, and nothing else changes."""

from __future__ import annotations

import re

_NEXT_CITE = re.compile(r"(?:~|\s)?\\citep\{([^}]{1,2000})\}")
_OPEN_COMMAND = re.compile(r"\\[A-Za-z]+\*?$")
_ARGUMENT = re.compile(r"\\[A-Za-z]+\*?(?:\[[^\]]{0,200}\])?(?:\{[^{}]{0,400}\})*\{[^{}]{0,400}$")


def with_citation(text: str, after: str, key: str) -> str:
    """``text`` with a citation of ``key`` behind the words ``after``. Raises ValueError: the words do not
    stand there once, or end where no citation can stand.
    """
    words = after.strip()
    count = text.count(words) if words else 0
    if count != 1:
        raise ValueError(f"the words {after[:80]!r} stand {count} times in the section")
    at = text.index(words) + len(words)
    while at and text[at - 1] in ".,;:!? \n":  # a citation stands before the full stop
        at -= 1
    line = text[text.rfind("\n\n", 0, at) + 1 : at]
    inside = text[at : at + 1] in {"{", "["}  # between a command's arguments
    if inside or _OPEN_COMMAND.search(line) or _ARGUMENT.search(line) or at == 0:
        raise ValueError(f"the words {after[:80]!r} end inside a command")
    if len(re.findall(r"(?<!\\)\$", line)) % 2:
        raise ValueError(f"the words {after[:80]!r} end inside a formula")
    if there := _NEXT_CITE.match(text, at):
        keys = [one.strip() for one in there[1].split(",")]
        if key in keys:
            raise ValueError(f"{key} is cited there already")
        return text[: there.end() - 1] + f",{key}" + text[there.end() - 1 :]
    return f"{text[:at]}~\\citep{{{key}}}{text[at:]}"
