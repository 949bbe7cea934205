"""Numbers as a paper prints them, and what rounds to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from orchestrator.research.claims import words
from orchestrator.research.claims.bounds import (
    Bound,
    bound_behind,
    bound_of,
    is_another_runs,
    is_bound_of,
)

_NUMBER = re.compile(
    r"(?<![\w.])(?P<sign>(?<![\w)\]%+])[-+]\s?)?(?P<digits>\d+(?:\.\d+)?|\.\d+)"
    r"(?P<power>[eE][-+]?\d+)?(?P<unit>\s?%|\s?percent(?:age points?)?\b|\s?per cent\b|[kKM](?!\w))?"
    r"(?!\.?\d)"
)
_SPELLED = re.compile(rf"\b(?:{'|'.join(words.NUMBER_WORDS)})\b", re.IGNORECASE)
_TIMES = re.compile(
    r"^\s*(?:times\b(?!\s+as (?:many|few|long|often)\b)(?!\s*(?:[,.;:)]|$|with\b|from\b|in\b|at\b|on\b|over\b|and\b))|(?:x\b|×)(?!\s*\d)|-?fold\b)"
)
"""A factor; "searched five times, …" says how often."""
_PLUS_MINUS = re.compile(r"\s*\+-\s*")
_OF_BOTH = re.compile(r"\s*\)\s*%")
_MAX_DIGITS = 30  # enough for any result; a page of digits stays quick to read
_MAX_POWER = 400  # beyond any float, on both sides
_LARGEST = 1e300  # no result or setting is as large; arithmetic with a larger one would overflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A number in a text. ``step`` is one unit of its last digit, or of its last that is not zero for
    a whole number that ends in zeros; ``exact`` is false for the latter. ``times``: "2.1 times". ``beside``: a run's name
    follows. ``far``: what it bounds may lie anywhere on its side.
    """

    text: str
    value: float
    step: float
    coarse: float
    significant: int
    start: int
    end: int
    percent: bool = False
    points: bool = False
    times: bool = False
    signed: bool = False
    spelled: bool = False
    bound: Bound = ""
    beside: bool = False
    far: bool = False


def printed_numbers(text: str) -> Iterator[Printed]:
    """Every number in plain ``text``, in digits and in words; digits inside words do not count."""
    found = [_digits(match, text) for match in _NUMBER.finditer(text)]
    for match in _SPELLED.finditer(text):
        value = float(words.NUMBER_WORDS[match[0].lower()])
        found.append(
            Printed(
                text=match[0], value=value, step=1.0, coarse=1.0, significant=1,
                start=match.start(), end=match.end(), spelled=True,
                times=bool(_TIMES.match(text[match.end() :])),
                bound=bound_of(text[: match.start()]),
            )
        )  # fmt: skip
    yield from _with_errors(sorted(found, key=lambda one: one.start), text)


def _with_errors(found: list[Printed], text: str) -> Iterator[Printed]:
    """The numbers, where the sign behind a mean and its error holds for both: "(88.0 +- 0.6)%"."""
    for place, one in enumerate(found):
        after = found[place + 1] if place + 1 < len(found) else None
        before = found[place - 1] if place else None
        mean = after is not None and _PLUS_MINUS.fullmatch(text, one.end, after.start)
        error = before is not None and _PLUS_MINUS.fullmatch(text, before.end, one.start)
        last = after if mean else one
        both = (mean or error) and last is not None and _OF_BOTH.match(text, last.end)
        percent = one.percent or bool(both) or bool(mean and after is not None and after.percent)
        yield replace(one, percent=percent)


def _bound_behind(after: str, text: str) -> Bound:
    """What "0.1 or more" was expected to be is no bound of a result."""
    found = bound_behind(after)
    return "" if found and words.HEDGED.search(text.lower()) else found


def _digits(match: re.Match[str], text: str) -> Printed:
    digits, unit = match["digits"][:_MAX_DIGITS], (match["unit"] or "").strip()
    scale = {"k": 1e3, "K": 1e3, "M": 1e6}.get(unit, 1.0)
    power = int((match["power"] or "e0")[1:][:8])
    exact = Decimal(f"{digits}e{max(-_MAX_POWER, min(power, _MAX_POWER))}")
    sign = -1.0 if (match["sign"] or "").strip() == "-" else 1.0
    # From the decimal text, not the float: 0.10 has the step 0.01, which the float has lost.
    exponent = exact.as_tuple().exponent
    step = 10.0**exponent if isinstance(exponent, int) and abs(exponent) < 300 else 0.0
    zeros = len(digits) - len(digits.rstrip("0")) if "." not in digits and digits.strip("0") else 0
    after = text[match.end() :]
    points = bool(re.match(r"[\s-]*(?:percentage[\s-]+)?points?\b", after)) or "points" in unit
    return Printed(
        text=match[0].strip(),
        value=sign * min(float(exact) * scale, _LARGEST),
        step=step * scale,
        coarse=step * scale * 10.0**zeros,
        significant=len(digits.replace(".", "").lstrip("0")),
        start=match.start(),
        end=match.end(),
        percent=unit == "%" or unit.startswith("per"),
        points=points,
        times=bool(_TIMES.match(after)),
        signed=bool(match["sign"]),
        bound=bound_of(text[: match.start()]) or _bound_behind(after, text),
        beside=is_another_runs(after),
    )


def is_printed(number: Printed, value: float, *, unsigned: bool = False) -> bool:
    """Whether ``number`` is an honest form of ``value``: rounded to its digits, or a bound."""
    said = number.value
    if unsigned:
        said, value = abs(said), abs(value)
    apart = abs(value - said)
    half = number.step * (0.5 + 1e-6)
    if number.bound in {"above", "below", "at least", "at most"}:
        # "lower than 1.05 in run 2" may print that run's value; a value in the middle rounds to neither side
        own = number.beside and apart < number.step * (0.5 - 1e-6)
        return own or is_bound_of(value, said, number.step, number.bound, far=number.far)
    if apart <= half or apart <= 1e-9 * abs(value):
        return True
    whole_parts = number.percent or number.points  # 10 points are 10, where 400 steps may be 391
    if number.bound == "about" or (number.coarse > number.step and not whole_parts):
        # "about 400" for 391, and "about 0.8" for 0.76: to the last digit that is no zero.
        return apart <= max(
            number.coarse * (0.5 + 1e-6), 0.03 * abs(said) * (number.bound == "about")
        )
    return is_bound_of(value, said, number.step, number.bound, far=number.far)
