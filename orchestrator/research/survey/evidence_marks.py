"""A survey's prose as LaTeX: text escaped, references as citations, and behind each a link to its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from orchestrator.literature.bibtex.ascii_tex import tex_of
from orchestrator.research.paper.latex import escape
from orchestrator.research.survey.abstracts import Abstract
from orchestrator.research.survey.survey_claims import REFERENCE_MARK, SELF, read_reference
from orchestrator.research.survey.survey_values import Evidence, Stated

_SIGNS = re.compile(r"([\u0370-\u03ff\u2113\u2190-\u22ff]+)")  # Greek and mathematics
_MARKS = re.compile(r"\s*((?:\[\[[^\[\]]{1,400}\]\][\s,;]*)+)")
# Before a reference that is a part of the sentence: nothing, a comma, or a word that asks for a noun.
_SUBJECT = re.compile(
    r"(?:\A|[,:;]|\b(?:by|of|to|from|with|than|like|as|in|for|that|where|whereas|while|but|although|because))\s*\Z",
    re.IGNORECASE,
)
_LONG = re.compile(r"[A-Za-z0-9]{25,}")
_JOINT = re.compile(r"(?<=[A-Za-z0-9])(/|\\_|--?|\.|=|@|:)(?=[A-Za-z0-9])")


def printable(text: str) -> str:
    """Plain text of anybody's as LaTeX that prints it; long words may be broken."""
    line = re.sub(r'"([^"]{1,500})"', "“\\1”", " ".join(text.split()))
    parts = [
        (tex_of(part) or "?") if at % 2 else _with_blanks(part)
        for at, part in enumerate(_SIGNS.split(line))
    ]
    return " ".join(map(_breakable, "".join(parts).split(" ")))


def _with_blanks(part: str) -> str:
    """``part`` escaped, with the blanks around it, which stand before a sign."""
    inner = escape(part)
    return " " * part.startswith(" ") + inner + " " * (part.endswith(" ") and bool(inner))


def _breakable(word: str) -> str:
    """A word with places where a line may end, if it is longer than a narrow column likes."""
    if len(word) < 20:
        return word
    joined = _JOINT.sub(r"\1\\allowbreak{}", word)
    return _LONG.sub(lambda run: "\\allowbreak{}".join(re.findall(".{1,12}", run[0])), joined)


class EvidenceNumbers:
    """The numbers of cited sentences, E1 and on, in the order in which the text cites them first."""

    def __init__(self) -> None:
        self._numbers: dict[Evidence, int] = {}

    def of(self, evidence: Evidence) -> int:
        return self._numbers.setdefault(evidence, len(self._numbers) + 1)

    def items(self) -> list[tuple[int, Evidence]]:
        return [(number, one) for one, number in self._numbers.items()]

    def links(self, cited: Iterable[Evidence]) -> str:
        """The marks of cited sentences, each a link to its place in the appendix."""
        numbers = [self.of(one) for one in dict.fromkeys(cited)]
        marks = ", ".join(f"\\evlink{{{number}}}" for number in numbers)
        return rf"\evidence{{{marks}}}"

    def cell(self, key: str, stated: Stated) -> str:
        """A cell of a table with its mark."""
        if not stated.text:
            return r"\none"
        return f"{printable(stated.text)}{self.links([Evidence(key, stated.sentence)])}"


def prose(
    sentence: str,
    abstracts: Mapping[str, Abstract],
    numbers: EvidenceNumbers,
    *,
    short: bool = False,
) -> str:
    """A checked sentence as LaTeX; ``short``: with marks alone, as in an abstract."""
    out, at, subject = [], 0, False
    for match in _MARKS.finditer(sentence):
        before = sentence[at : match.start()]
        out.append(printable(before))
        subject = bool(
            _SUBJECT.search(sentence[: match.start()])
            or (subject and before.strip(" ,") in {"and", "or"})
        )
        if cited := _cited(match[1], abstracts):
            gap = " " if subject and match.start() else ""
            out.append(
                gap + _citation(cited, numbers, subject=subject, short=short and not subject)
            )
        at = match.end()
        behind = match[1].rpartition("]]")[2]  # a comma or a blank
        out.append(behind if at < len(sentence) else "")
    out.append(printable(sentence[at:]))
    return "".join(out).strip()


def _cited(marks: str, abstracts: Mapping[str, Abstract]) -> list[Evidence]:
    parts = [part.strip() for mark in REFERENCE_MARK.findall(marks) for part in mark.split(";")]
    return [e for one in parts if one not in ("", SELF) for e in read_reference(one, abstracts)[0]]


def _citation(
    cited: list[Evidence], numbers: EvidenceNumbers, *, subject: bool, short: bool
) -> str:
    keys = ",".join(dict.fromkeys(one.key for one in cited))
    if short:
        return numbers.links(cited)
    return (
        rf"{'' if subject else '~'}\cite{'t' if subject else 'p'}{{{keys}}}{numbers.links(cited)}"
    )
