"""Of how many runs a bound is said: "in none of the runs does it reach 60 %", "only run 1 gets above 0.9", "all but one"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from orchestrator.research.claims import words
from orchestrator.research.claims.joined_runs import are_joined, is_reached_by
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.mentions import NAME, Mention
from orchestrator.research.claims.some_runs import runs_spoken_of
from orchestrator.research.claims.whole_readings import (
    SentencePart,
    has_other_bounds,
    labels,
    numbers_of,
)

_NOUN = (
    r"(?:runs?|models?|variants?|versions?|settings?|configurations?|methods?|conditions?|experiments?|interventions?"
    r"|networks?|them|these|those|ones?|cases?)"
)
_COUNT = rf"(?P<count>\d{{1,2}}|a single|a|{'|'.join(['one', *words.NUMBER_WORDS])})"
_THE = r"(?:of\s+)?(?:the\s+|our\s+|all\s+|these\s+)*"
_EXCEPT = r"(?:except(?:\s+for|\s+in)?|but(?:\s+for|\s+in)?|apart\s+from|other\s+than|besides|save(?:\s+for)?|excluding|aside\s+from|with\s+the\s+exception\s+of)"
_TAIL = re.compile(
    r"\b(?:in|by|for|with|under|across|throughout|everywhere|always|except|apart|other|save|but|as no)\b"
    r"|\bon\s+(?=(?:both|all|every|each|no|neither|any)\b)"
    r"|\b(?:is|are|was|were)\s+(?:never|not|only|nowhere)\b"
)
_PER_DATA = re.compile(
    r"\b(?:all|both|every|each|no|none|any|neither|two|three)\s+(?:of\s+)?(?:the\s+)?(?:\w+\s+)?(?:data\s?sets?|tasks?|corpora)\b"
)
_ALL_BUT_COUNT = re.compile(
    rf"\b(?:all(?:\s+(?:the\s+|our\s+)?{_NOUN})?|every\s+\w+)\s+(?:but|except)\s+{_COUNT}\b"
)
_ALL_BUT_NAMES = re.compile(
    rf"\b(?P<word>{_EXCEPT})\s+(?:the\s+|that\s+of\s+|those\s+of\s+)*(?={NAME})"
)
_OF_ALL = re.compile(r"\b(?:all|no|none|every|each|any|nothing|everything)\b[^,;:]{0,30}$")
_ONLY_NAMES = re.compile(
    rf"\b(?:only|just|solely)\s+(?:for\s+|in\s+|with\s+|on\s+)?(?:the\s+)?(?={NAME})"
)
_NAMES_ONLY = re.compile(
    rf"{NAME}\s+(?:(?:is|was|being|remains)\s+(?:the\s+)?(?:only|single|sole)\b|alone\b)|\b(?:the\s+)?only\s+(?:run|one|model|variant)\b[^,;:]*?\bis\s+(?:the\s+)?(?={NAME})"
)
_NO_OTHER = re.compile(
    rf"\b(?:no|none\s+of\s+the)\s+others?\b|\bno\s+{_NOUN}\s+{_EXCEPT}\b|\bnone\s+{_EXCEPT}\b|\bnothing\s+{_EXCEPT}\b"
)
_OTHERS = re.compile(
    rf"(?<!unlike )(?<!than )(?<!against )(?<!from )(?<!like )(?<!with )(?<!to )(?<!over )\b(?:(?:all|both|the|each|every)\s+(?:of\s+the\s+)?(?:\w+\s+)?others?|the\s+rest|every\s+other|the\s+remaining\s+(?:\w+\s+)?{_NOUN})\b"
)
_NONE = re.compile(
    rf"\b(?:none(?:\s+{_THE}{_NOUN})?|no\s+(?:single\s+|changed\s+|one\s+)?{_NOUN}|not\s+(?:a\s+single|one|any)\b(?:\s+{_THE}{_NOUN})?|neither|never|nowhere|in\s+no\s+{_NOUN})\b"
)
_SOME = re.compile(
    rf"\b(?P<how>at\s+least|at\s+most|more\s+than|fewer\s+than|less\s+than|no\s+more\s+than|exactly|precisely|just|only)?\s*{_COUNT}"
    rf"\s+(?:(?:of|out\s+of)\s+(?:the\s+|our\s+|all\s+)?(?:(?P<all>\d{{1,2}}|{'|'.join(words.NUMBER_WORDS)})\s+)?)?(?:changed\s+|single\s+)?{_NOUN}\b"
)
_OF_CHANGES = re.compile(
    r"\b(?:changed|variants?|versions?|changes?|interventions?|modifications?|methods?)\b"
)
_MOST = re.compile(rf"(?<!at )\b(?:most|the\s+majority|more\s+than\s+half)\s+{_THE}{_NOUN}\b")
_OF_SO_MANY = re.compile(
    rf"[,(]\s*(?:namely\s+)?{_COUNT}\s+(?:out\s+)?of\s+(?:the\s+)?(?P<all>\d{{1,2}}|{'|'.join(words.NUMBER_WORDS)})\s*[,)]"
)
_HALF = re.compile(rf"(?<!than )\bhalf\s+{_THE}{_NOUN}\b")
_ALL = re.compile(
    rf"(?<!of )(?<!over )(?<!than )(?<!among )(?<!across )\b(?:(?:all|every|each)(?:\s+(?:of\s+)?(?:the\s+|our\s+)?(?:\w+\s+)?{_NOUN}\b(?!\s+(?:with|at|under)\b)|\s+(?:stay|lie|remain|are|have|exceed|reach|fall|end|keep|get|go|do|rise|drop|train|attain)\b)"
    r"|always|everywhere|throughout|invariably|without exception)\b"
)
_BOTH = re.compile(r"\b(?:both|all|each)\b")
_IN_ANY = re.compile(rf"\b(?:do|does|did)\s+not\b.*\b(?:in|for|with)\s+any\s+{_THE}{_NOUN}\b")


@dataclass(frozen=True, slots=True)
class RunCount:
    """``least`` to ``most`` of the ``runs`` are on the side of a bound, and of ``others`` none, or all if not ``apart``."""

    what: str
    runs: tuple[int, ...]
    least: int
    most: int
    others: tuple[int, ...] = ()
    apart: bool = True
    either: bool = False  # the baseline may be left out of the runs


def run_count(part: SentencePart, masked: str, ledger: Ledger) -> RunCount | None:
    """Of how many runs a part of a sentence speaks; None where it speaks of one, or of no number of them, or bounds
    some of them on two sides.
    """
    said = _among(_count_said(part, masked, ledger), part, ledger)
    whole = (
        said is not None and (said.least == len(said.runs) or said.most == 0) and not said.others
    )
    return said if whole or not has_other_bounds(part) else None


def _among(said: RunCount | None, part: SentencePart, ledger: Ledger) -> RunCount | None:
    """What is said of all or none of some runs: "no run with 240 updates"."""
    if said is None or said.others or (said.most and said.least < len(said.runs)):
        return said
    some = runs_spoken_of(part.before, part.first, (), ledger)
    runs = tuple(n for n in said.runs if some is None or n in some)
    count = len(runs) if said.least else 0
    return replace(said, runs=runs, least=count, most=count) if runs else said


def _count_said(part: SentencePart, masked: str, ledger: Ledger) -> RunCount | None:
    first = part.first
    before = masked[first : part.number.start].lower()
    last = part.number.end + len(part.after)
    whole = masked[first:last].lower()
    every = ledger.numbers
    single = [one for one in part.runs if not one.every and one.names]
    plain = part.text[first:last].lower()
    match = _ALL_BUT_NAMES.search(whole)
    if match and match["word"] == "but" and not _OF_ALL.search(plain[: match.start()]):
        match = None
    if match and (out := _named_at(first + match.end(), single)):
        rest = tuple(n for n in every if n not in out)
        denied = _NO_OTHER.search(plain) or _NONE.search(plain)
        if denied:
            return RunCount(f"no run but {labels(out, ledger)}", rest, 0, 0, out, apart=False)
        return RunCount(f"all runs but {labels(out, ledger)}", rest, len(rest), len(rest), out)
    said = _only_named(whole, first, single, every, ledger)
    return said or _of_many(part, before, single, every, ledger)


def _named_at(place: int, single: list[Mention]) -> tuple[int, ...]:
    """The runs of the list of names that begins at a place."""
    return numbers_of(one for one in single if place <= one.start <= place + 24)


def _only_named(
    whole: str, first: int, single: list[Mention], every: tuple[int, ...], ledger: Ledger
) -> RunCount | None:
    """For "only run 1 …", "run 1 is the only one that …"."""
    match, names = _ONLY_NAMES.search(whole), tuple[int, ...]()
    if match:
        names = _named_at(first + match.end(), single)
    elif match := _NAMES_ONLY.search(whole):
        names = numbers_of(single[:1] if match[0][0] == NAME else single[-1:])
    if not names:
        return None
    rest = tuple(n for n in every if n not in names)
    return RunCount(f"only {labels(names, ledger)}", names, len(names), len(names), rest)


def _of_many(
    part: SentencePart, before: str, single: list[Mention], every: tuple[int, ...], ledger: Ledger
) -> RunCount | None:
    plain, named = around_number(part), numbers_of(single)
    found = _all_but(plain, named, every) or _of_others(part, plain, named, every, ledger)
    found = found or _none(plain, named, every, ledger) or _some(plain, named, every)
    if (
        found is None and not named and _IN_ANY.search(plain)
    ):  # "does not" has turned its bound round
        return RunCount("all runs", every, len(every), len(every))
    if found is None and not named and _ALL.search(plain):
        return RunCount("all runs", every, len(every), len(every), either=True)
    if found is None and len(named) > 1 and are_joined(single, before, part.first):
        return RunCount(f"each of {labels(named, ledger)}", named, len(named), len(named))
    if found is None and len(named) > 1 and is_reached_by(part, single):
        return RunCount(f"each of {labels(named, ledger)}", named, len(named), len(named))
    return found


def around_number(part: SentencePart) -> str:
    """What stands before a number, and behind it what says where: "in every run"."""
    tail = _TAIL.search(part.after)
    return part.before + (f" {part.after[tail.start() :]}" if tail else "")


def _all_but(plain: str, named: tuple[int, ...], every: tuple[int, ...]) -> RunCount | None:
    match = None if named else _ALL_BUT_COUNT.search(plain)
    if match is None:
        return None
    count = _count(match["count"])
    rest = len(every) - count
    return RunCount(f"all but {count} of the runs", every, rest, rest, either=True)


def _of_others(
    part: SentencePart, plain: str, named: tuple[int, ...], every: tuple[int, ...], ledger: Ledger
) -> RunCount | None:
    none = _NO_OTHER.search(plain)
    named = named or part.scope.alone
    if not named or not (none or _OTHERS.search(plain)):
        return None
    rest = tuple(n for n in every if n not in named)
    count = 0 if none else len(rest)
    what = f"{'no' if none else 'every'} run but {labels(named, ledger)}"
    return RunCount(what, rest, count, count)


def _none(
    plain: str, named: tuple[int, ...], every: tuple[int, ...], ledger: Ledger
) -> RunCount | None:
    if not _NONE.search(plain) or _PER_DATA.search(plain):
        return None
    if named and (len(named) > 1 or "neither" in plain):
        return RunCount(f"none of {labels(named, ledger)}", named, 0, 0)
    # "no run" leaves the baseline out only where a change is spoken of
    either = bool(_OF_CHANGES.search(plain))
    return None if named else RunCount("none of the runs", every, 0, 0, either=either)


def _some(plain: str, named: tuple[int, ...], every: tuple[int, ...]) -> RunCount | None:
    """For "two of the four runs", "at least one run", "only one run", "most runs"."""
    if named:
        return None
    if (whole := _share(plain, every)) is not None:
        return whole
    match = _SOME.search(plain)
    told = match is not None and (
        match["how"] or (match["count"] != "a" and (match["all"] or match["count"] != "one"))
    )
    if match is None or not told:
        return None  # "one run" says of no other that it is not
    count, all_of = _count(match["count"]), _count(match["all"] or "0")
    if all_of and all_of not in {len(every), len(every) - 1}:
        # there are not as many
        return RunCount(f"{count} of {all_of} runs", every, len(every) + 1, 0)
    how = " ".join((match["how"] or "").split())
    least, most = {
        "at least": (count, len(every)), "at most": (0, count), "no more than": (0, count), "more than": (count + 1, len(every)),
        "fewer than": (0, count - 1), "less than": (0, count - 1),
    }.get(how, (count, count))  # fmt: skip
    runs = every[1:] if all_of == len(every) - 1 else every
    return RunCount(f"{how} {count} of {len(runs)} runs".strip(), runs, least, most)


def _share(plain: str, every: tuple[int, ...]) -> RunCount | None:
    half = len(every) // 2
    if _MOST.search(plain):
        if (told := _OF_SO_MANY.search(plain)) is not None:
            count, all_of = _count(told["count"]), _count(told["all"])
            runs = every[1:] if all_of == len(every) - 1 else every
            least = count if all_of == len(runs) else len(every) + 1
            return RunCount(f"{count} of {all_of} runs", runs, least, count)
        return RunCount("most runs", every, half + 1, len(every), either=True)
    even = _HALF.search(plain) and len(every) % 2 == 0
    return RunCount("half of the runs", every, half, half) if even else None


def _count(said: str) -> int:
    return 1 if said in {"a", "a single"} else (words.spelled_count(said) or 0)
