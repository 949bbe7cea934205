r"""A citation put into a text after words of it, alone or in a sentence of its own; nothing else changes."""

from __future__ import annotations

import re

_NEXT_CITE = re.compile(r"(?:~|\s)?\\citep\{([^}]{1,2000})\}")
_SENTENCE_END = re.compile(r"[.!?](?=\s+(?:[A-Z\\$`]|$)|\s*$)|(?=\n\s*\n)|(?=\n\\\\(?:begin|end))")
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


def with_sentence(text: str, after: str, sentence: str, key: str) -> str:
    """``text`` with a new sentence behind the one that holds the words ``after``; it cites ``key``.

    Raises ValueError: it does not, it is more than a sentence, or the words do not stand there once.
    """
    if not re.search(rf"\\cite[pt]?\{{[^}}]*\b{re.escape(key)}\b[^}}]*\}}", sentence):
        raise ValueError(f"the sentence does not cite {key}")
    if re.search(r"\n\s*\n|\\(?:begin|end|label|caption|section|paragraph)\b", sentence):
        raise ValueError("write one sentence, without environments and headings")
    words = after.strip()
    if not words or text.count(words) != 1:
        raise ValueError(f"the words {after[:80]!r} stand {text.count(words or text)} times")
    at = text.index(words) + len(words)
    end = _SENTENCE_END.search(text, at - 1)
    at = end.end() if end else len(text.rstrip())
    return f"{text[:at]} {' '.join(sentence.split())}{text[at:]}"
