"""A survey's sentences held to their evidence: known references, a common word, and no number of their own.

``[[key:3]]`` cites sentence 3 of a paper's abstract, ``[[key:2,3; other:1]]`` several, ``[[key]]`` its title,
and ``[[survey]]`` marks a sentence about the survey itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from orchestrator.core.problems import nearest
from orchestrator.research.survey.abstracts import Abstract, split_sentences
from orchestrator.research.survey.survey_values import Evidence

REFERENCE_MARK = re.compile(r"\[\[([^\[\]]{1,400})\]\]")
SELF = "survey"
_AFTER = re.compile(
    r"([.!?])((?:\s*\[\[[^\[\]]{1,400}\]\])+)(?=\s*\Z|\s+['\"‘“(]*[^\W_a-z]|\s+\[\[)"
)
_SELF_WORDS = re.compile(
    r"\b(?:survey|review|section|groups?|search(?:es)?|records?|questions?|abstracts?|titles?|table|appendix"
    r"|literature|papers?)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(\s*\\?%|[\s-]+per\s?cent\b)?",
    re.IGNORECASE,
)
_WORDS = (
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)
_AMOUNT_WORD = re.compile(
    rf"\b({'|'.join(_WORDS)})(?=[\s-]*(?:times|fold|per\s?cent|points?|orders?)\b)", re.IGNORECASE
)
_FORMAT = re.compile(r"\\[A-Za-z]+|\*\*|`|\$[^$\s][^$]*\$|\]\(https?:|^#{1,6} ")
_WORD = re.compile(r"[^\W\d_]{3,}")
_STEM = 5  # letters by which two words are taken for the same
_EMPTY = frozenset({
    "the", "and", "for", "that", "with", "this", "from", "are", "was", "were", "has", "have", "had",
    "not", "but", "its", "their", "they", "them", "which", "while", "than", "then", "also", "both",
    "can", "may", "our", "other", "others", "these", "those", "when", "where", "who", "into",
    "over", "such", "more", "most", "less", "using", "used", "use", "uses", "show", "shows",
    "shown", "paper", "papers", "study", "studies", "work", "works", "report", "reports", "find",
    "finds", "found", "propose", "proposes", "result", "results", "between", "across", "under",
    "only", "does", "one", "all", "any", "each",
})  # fmt: skip

Number = tuple[Decimal, bool]


def prose_sentences(paragraph: str) -> tuple[str, ...]:
    """The sentences of a paragraph; a reference behind a full stop belongs to the sentence before it."""
    text = " ".join(paragraph.split())
    return split_sentences(_AFTER.sub(lambda m: f" {' '.join(m[2].split())}{m[1]}", text))


def references_in(sentence: str) -> tuple[str, ...]:
    """Each part of a reference, as it stands there: ``key:3``, ``key``, ``survey``."""
    parts = (part.strip() for mark in REFERENCE_MARK.findall(sentence) for part in mark.split(";"))
    return tuple(filter(None, parts))


def read_reference(
    text: str, abstracts: Mapping[str, Abstract]
) -> tuple[tuple[Evidence, ...], str]:
    """What one part of a reference cites, and what is wrong with it, if anything."""
    key, colon, numbers = (text, "", "0") if text in abstracts else text.rpartition(":")
    if not colon and not key:  # a key alone that is unknown
        key, numbers = text, "0"
    if key not in abstracts:
        return (), f"no paper has the key {key[:60]!r}: {nearest(key, tuple(abstracts))}"
    said = [one.strip() for one in numbers.split(",")]
    if not all(one.isdecimal() and len(one) < 4 for one in said):
        return (), f"{text[:60]!r} names no sentence: write [[{key}:1]]"
    last = len(abstracts[key].sentences) - 1
    beyond = [one for one in said if int(one) > last]
    if beyond:
        has = (
            f"its abstract has {last} sentences"
            if last
            else "its abstract is not known: only [[key]] cites it"
        )
        return (), f"{key} has no sentence {', '.join(beyond)}: {has}"
    return tuple(Evidence(key, int(one)) for one in said), ""


def evidence_of(sentence: str, abstracts: Mapping[str, Abstract]) -> tuple[Evidence, ...]:
    """Everything that a checked sentence cites, each once, in order."""
    parts = (one for one in references_in(sentence) if one != SELF)
    return tuple(dict.fromkeys(e for one in parts for e in read_reference(one, abstracts)[0]))


def is_about_survey(sentence: str) -> bool:
    return references_in(sentence) == (SELF,)


def unmarked(sentence: str) -> str:
    """A sentence without its references."""
    return " ".join(re.sub(r"\s+([.,;:!?)])", r"\1", REFERENCE_MARK.sub("", sentence)).split())


def worded_references(sentence: str) -> str:
    """A sentence for a reader who is to see where it cites: each reference as ``[key]``."""

    def shown(mark: re.Match[str]) -> str:
        parts = [one.strip() for one in mark[1].split(";")]
        keys = dict.fromkeys(one.rpartition(":")[0] or one for one in parts if one != SELF)
        return f"[{', '.join(keys)}]" if keys else ""

    return " ".join(re.sub(r"\s+([.,;:!?)])", r"\1", REFERENCE_MARK.sub(shown, sentence)).split())


def sentence_problems(
    sentence: str, abstracts: Mapping[str, Abstract], counts: frozenset[int]
) -> list[str]:
    """Every rule that a sentence breaks, for its author. ``counts`` are the survey's own numbers."""
    text, parts = unmarked(sentence), references_in(sentence)
    problems = []
    if found := _FORMAT.search(text):
        problems.append(f"write plain text, without {found[0][:20]!r}")
    if "[[" in text or "]]" in text:
        problems.append("a reference is not closed: write [[key:3]]")
    if not parts:
        return [
            *problems,
            "it cites nothing: add [[key:3]], or [[survey]] if it is about this survey itself",
        ]
    if SELF in parts:
        return problems + _self_problems(text, parts, counts)
    read = [read_reference(one, abstracts) for one in parts]
    if wrong := [trouble for _, trouble in read if trouble]:
        return problems + wrong
    evidence = evidence_of(sentence, abstracts)
    problems += _strangers(text, evidence, abstracts)
    return problems + stray_numbers(text, evidence, abstracts)


def _self_problems(text: str, parts: tuple[str, ...], counts: frozenset[int]) -> list[str]:
    if len(parts) > 1:
        return ["a sentence is either about this survey ([[survey]]) or cites papers, not both"]
    problems = []
    if not _SELF_WORDS.search(text):
        problems.append(
            "[[survey]] is for sentences about this survey, its papers or its searches: cite a paper"
        )
    wrong = [f"{n:f}" for n, percent in numbers_in(text) if percent or n not in counts]
    if wrong:
        problems.append(f"{', '.join(wrong)} is no count in the block `survey`: leave it out")
    return problems


def _strangers(
    text: str, evidence: Iterable[Evidence], abstracts: Mapping[str, Abstract]
) -> Iterator[str]:
    """Cited sentences that share no word with the text: their number is most likely wrong."""
    mine = stems(text)
    for one in evidence:
        said = abstracts[one.key].sentences[one.sentence]
        if not mine & stems(said):
            yield (
                f"{one.key}:{one.sentence} has no word in common with it ({said[:100]!r}): cite the sentence that "
                "carries it, in words of that sentence"
            )


def stems(text: str) -> frozenset[str]:
    """The words of a text that carry meaning, each by its first letters."""
    words = (word.casefold() for word in _WORD.findall(text))
    return frozenset(word.removesuffix("s")[:_STEM] for word in words if word not in _EMPTY)


def stray_numbers(
    text: str, evidence: Iterable[Evidence], abstracts: Mapping[str, Abstract]
) -> list[str]:
    """A problem for each number of a text that no cited sentence, title or year of publication holds."""
    cited = list(evidence)
    sources = [abstracts[one.key].sentences[one.sentence] for one in cited]
    papers = [abstracts[key].paper for key in dict.fromkeys(one.key for one in cited)]
    held = set(numbers_in(" ".join([*sources, *(one.title for one in papers)])))
    held |= {(value, False) for value in _worded(_NUMBER_WORD, " ".join(sources))}
    held |= {(Decimal(one.year), False) for one in papers if one.year}
    held.add((Decimal(len(papers)), False))
    said = [*numbers_in(text), *((value, False) for value in _worded(_AMOUNT_WORD, text))]
    return [
        f"the cited sentences do not hold the number {value:f}{' %' * percent}: print numbers as they do, or cite the "
        "sentence that holds it"
        for value, percent in dict.fromkeys(said)
        if (value, percent) not in held
        and not (not percent and (value, True) in held and _points(text))
    ]


def _points(text: str) -> bool:
    """Whether a text speaks of percentage points, which have no sign of their own."""
    return "point" in text.casefold()


def numbers_in(text: str) -> Iterator[Number]:
    """Each number in digits, and whether it is a percentage."""
    for digits, percent in _NUMBER.findall(text):
        yield Decimal(digits.replace(",", "")).normalize(), bool(percent)


def _worded(pattern: re.Pattern[str], text: str) -> Iterator[Decimal]:
    for word in pattern.findall(text):
        yield Decimal(_WORDS.index(word.lower()) + 2)
