"""Statements in words, held to the numbers: directions, bests, all runs, differences that count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from orchestrator.research.claims import words
from orchestrator.research.claims.ledger import Difference, Ledger, Side
from orchestrator.research.claims.measured import Reference
from orchestrator.research.claims.mentions import Mention, Named
from orchestrator.research.claims.printed import Printed
from orchestrator.research.claims.scope import Context, Scope, scope_at
from orchestrator.research.claims.seeds import every_seed_problem

_CLAUSES = re.compile(
    r"[;:]|,?\s+(?:while|whereas|but|although|though|however|which|so that|because|since|where)\b|,\s+and\b"
    r"|,\s+(?!from\b)(?=[a-z\ue100])|\s+and\s+(?=(?:it|this|that|they|there|then|on|in)\b)"
)
_FACTOR = re.compile(
    r"\b(?P<word>halv(?:e|es|ed|ing)|doubl(?:e|es|ed)|tripl(?:e|es|ed)|twice(?! as (?:many|long))"
    r"|(?<=by )half|(?<=to )half|(?<=by )two thirds|(?<=by )a third|(?<=to )a third|(?<=to )a quarter"
    r"|(?<=to )a tenth|tenfold|threefold|fourfold)\b(?! (?:of )?the (?:updates|number|size|length|pairs|channels|data|training|batch|cost|time))"
)
_FACTORS = {
    "halv": 2.0, "half": 2.0, "doub": 2.0, "trip": 3.0, "twic": 2.0, "two ": 3.0, "a th": (1.5, 3.0),
    "a qu": 4.0, "a te": 10.0, "tenf": 10.0, "thre": 3.0, "four": 4.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part of a sentence with its place, and the mentions and references in it."""

    start: int
    text: str
    runs: tuple[Mention, ...]
    data: tuple[Mention, ...]
    metrics: tuple[Mention, ...]
    marks: tuple[Reference, ...]
    places: Mapping[Reference, int]


def statement_problems(
    text: str,
    seen: Named,
    numbers: Sequence[Printed],
    marks: Sequence[tuple[int, Reference]],
    ledger: Ledger,
    context: Context,
    *,
    strict: bool,
) -> list[str]:
    """What the words of one sentence say and the numbers do not."""
    problems = [
        f"{match[0]!r}: {what}"
        for pattern, what in _UNRECORDED
        for match in pattern.finditer(text)
        if match[0].lower() not in ledger.words and not _denied(text, match)
    ]
    if words.HEDGED.search(text.lower()):
        return problems
    for clause in _clauses(seen, marks):
        scope = _scope(clause, seen, context)
        problems += _best(clause, scope, ledger)
        problems += _direction(clause, scope, ledger)
        problems += _factor(clause, scope, ledger)
        problems += _runs_beyond(clause, scope, ledger)
        every = every_seed_problem(clause.text, _pairs(scope, ledger), scope, ledger)
        problems += [every] if every else []
    return problems


_UNRECORDED = (
    (words.HARDWARE, "the record does not say on which hardware the study ran"),
    (words.SOFTWARE, "the code of the study does not use it"),
    (words.TESTS, "no such test was made"),
)


def _denied(text: str, match: re.Match[str]) -> bool:
    near = text[max(0, match.start() - 60) : match.end() + 40].lower()
    return bool(words.NEGATED.search(near))


def _clauses(seen: Named, marks: Sequence[tuple[int, Reference]]) -> Iterator[_Clause]:
    at = 0
    cuts = [match.span() for match in _CLAUSES.finditer(seen.masked)]
    for first, last in [*cuts, (len(seen.masked), len(seen.masked))]:
        here = range(at, first)
        yield _Clause(
            at,
            seen.masked[at:first],
            tuple(one for one in seen.runs if one.start in here),
            tuple(one for one in seen.data if one.start in here),
            tuple(one for one in seen.metrics if one.start in here),
            tuple(one for place, one in marks if place in here and one.metric),
            {one: place - at for place, one in marks if place in here},
        )
        at = last


def _scope(clause: _Clause, seen: Named, context: Context) -> Scope:
    """The scope of a clause: its own references and mentions, else those of the sentence."""
    own = Named(clause.runs, clause.data, clause.metrics, (), seen.masked)
    end = clause.start + len(clause.text)
    mine = scope_at(end, end, own, seen.masked, Context())
    whole = scope_at(clause.start, clause.start, seen, seen.masked, context)
    every = scope_at(end, end, seen, seen.masked, context)
    runs = tuple(dict.fromkeys(int(n) for one in clause.runs for n in one.names))
    data = tuple(dict.fromkeys(n for one in clause.data for n in one.names))
    metrics = tuple(dict.fromkeys(n for one in clause.metrics for n in one.names))
    refers = tuple(dict.fromkeys(one.data for one in clause.marks))
    return replace(
        mine,
        runs=runs or whole.runs,
        subjects=mine.subjects or every.subjects,
        objects=mine.objects or (every.objects if not runs else ()),
        alone=every.alone,
        all_metrics=every.all_metrics,
        data=data or refers or whole.data,
        metrics=tuple(dict.fromkeys(one.metric for one in clause.marks))
        or metrics
        or whole.metrics,
        every_run=any(one.every for one in clause.runs),
        every_data=any(one.every for one in clause.data),
    )


def _places(scope: Scope, ledger: Ledger, *, few: bool = False) -> Iterator[tuple[str, str]]:
    """(data set, metric) that a statement may be about."""
    metrics = scope.metrics or ledger.headline[: 2 if few else None]
    for dataset, metric in product(scope.data or ledger.datasets, metrics):
        if any((n, dataset, metric) in ledger.cells for n in ledger.numbers):
            yield dataset, metric


def _pairs(scope: Scope, ledger: Ledger) -> list[tuple[int, int]]:
    """(run, other) that a clause may compare: its own two sides, else each run with the baseline."""
    objects = scope.objects or (0,)
    pairs = [(one, other) for one in scope.subjects for other in objects if one != other]
    if not scope.objects:
        pairs += [
            (n, ledger.run(n).base) for n in scope.subjects if ledger.run(n).base not in {0, n}
        ]
        pairs += list(zip(scope.subjects, scope.subjects[1:], strict=False)) * (
            len(scope.subjects) == 2
        )
    return pairs


# --- best of all ------------------------------------------------------------------------------------

_EXTREMES = (
    (words.BEST, "best"), (words.WORST, "worst"), (words.HIGHEST, "highest"), (words.LOWEST, "lowest"),
)  # fmt: skip
_OF_A_RUN = re.compile(r"^(?:\W+\w+)?\W+(?:runs?|models?|variants?|value|single|seeds?)\b")


def _best(clause: _Clause, scope: Scope, ledger: Ledger) -> list[str]:
    for pattern, what in _EXTREMES:
        match = pattern.search(clause.text)
        if match is None or _OF_A_RUN.match(clause.text[match.end() :]):
            continue
        subjects = tuple(
            int(one.names[0]) for one in clause.runs if not one.every and len(one.names) == 1
        )
        subjects = subjects or tuple(one.run for one in clause.marks[:1]) or scope.alone
        if len(subjects) != 1 or any(what in name for name in scope.metrics):
            continue
        if words.NEGATED.search(clause.text.lower()) or any(
            one.kind in {"low", "high"} for one in clause.marks
        ):
            continue
        held = [_is_extreme(subjects[0], place, what, ledger) for place in _places(scope, ledger)]
        if held and not (all(held) if scope.every_data else any(held)):
            return [f"{match[0]!r}: {ledger.run(subjects[0]).label} is not ({scope.told(ledger)})"]
    return []


def _is_extreme(run: int, place: tuple[str, str], what: str, ledger: Ledger) -> bool:
    dataset, metric = place
    means = {n: c.mean for n in ledger.numbers if (c := ledger.cells.get((n, dataset, metric)))}
    if run not in means:
        return False
    direction = ledger.metric(metric).direction
    if what in {"best", "worst"}:
        if direction == "none":
            return True
        highest = (direction == "higher") == (what == "best")
    else:
        highest = what == "highest"
    return means[run] == (max if highest else min)(means.values())


# --- directions ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """What the words of a clause say of a comparison."""

    word: str
    sides: tuple[Side, ...]
    none: bool
    clear: bool
    negated: bool = False


def _said(clause: _Clause) -> _Said | None:
    text = clause.text.lower()
    none = words.NO_DIFFERENCE.search(text)
    clear = None if none else words.CLEAR_WORD.search(text)
    sides = tuple(side for side, pattern in words.CHANGES.items() if pattern.search(text))
    negated = bool(words.NEGATED.search(text)) and not none
    if len(sides) > 1 or (negated and clear):
        sides = ()
    clear = None if negated else clear
    several = [m for pattern in words.CHANGES.values() if (m := pattern.search(text))]
    found = none or clear or next((words.CHANGES[side].search(text) for side in sides), None)
    found = found or (several[0] if several and clause.marks and not negated else None)
    if found is None:
        return None
    return _Said(found[0], sides, none is not None, clear is not None, negated)  # type: ignore[arg-type]  # keys of CHANGES


def _direction(clause: _Clause, scope: Scope, ledger: Ledger) -> list[str]:
    said = _said(clause)
    if said is None:
        return []
    if by_reference := [*(one for one in clause.marks if one.pair), *_from_to(clause)]:
        return _of_references(by_reference, said, clause, ledger)
    weak = (
        all(one.weak for one in clause.metrics) and len(scope.metrics) > 1 and bool(clause.metrics)
    )
    if weak or not (clause.runs or clause.metrics or clause.data):
        return []
    if len(clause.metrics) > 1 and re.search(r"\bthan\b|\babove\b|\bbelow\b", clause.text):
        return _of_two_metrics(clause, said, scope, ledger)
    held = []
    for run, other in _pairs(scope, ledger):
        rows = [
            (found, metric)
            for dataset, metric in _places(scope, ledger, few=scope.every_run or said.none)
            if (found := ledger.difference(run, other, dataset, metric)) is not None
        ]
        if rows:
            fits = [_fits(row, metric, said, ledger) for row, metric in rows]
            strict = scope.every_data or (said.none and not scope.metrics)
            held.append(all(fits) if strict else any(fits))
    if not held or (all(held) if scope.every_run else any(held)):
        return []
    return [f"{said.word!r} is not what the numbers say ({scope.told(ledger)})"]


def _of_two_metrics(clause: _Clause, said: _Said, scope: Scope, ledger: Ledger) -> list[str]:
    """ "the training loss is above the test loss": one metric of a run beside another."""
    first, second = clause.metrics[0], clause.metrics[-1]
    sides = {"up", "down"} & set(said.sides)
    if first.weak or second.weak or len(sides) != 1 or said.negated:
        return []
    held = [
        (one.mean > two.mean) == ("up" in sides)
        for run, data in product(scope.runs, scope.data or ledger.datasets)
        if (one := ledger.cells.get((run, data, first.names[0])))
        and (two := ledger.cells.get((run, data, second.names[0])))
    ]
    every = scope.every_run or scope.every_data
    if not held or (all(held) if every else any(held)):
        return []
    return [f"{said.word!r} is not so between {first.names[0]} and {second.names[0]}"]


def _from_to(clause: _Clause) -> Iterator[Reference]:
    """What "from <number> to <number>" of one metric says: the change from the first to the second."""
    plain = [one for one in clause.marks if not one.pair]
    if len(plain) == 2 and re.search(r"\bfrom\b.*\bto\b", clause.text.lower()):
        before, after = plain
        if (before.metric, before.data) == (after.metric, after.data) and before.run != after.run:
            yield replace(after, kind="diff", against=before.run)


def _of_references(
    rows: Sequence[Reference], said: _Said, clause: _Clause, ledger: Ledger
) -> list[str]:
    """A clause held to the very differences that it prints, each to the words nearest to it."""
    problems = []
    for one in rows:
        found = ledger.difference(one.run, one.against or 0, one.data, one.metric)
        local = _said(_around(one, clause)) or (said if len(rows) == 1 else None)
        if found is None or local is None or one.kind in {"higher", "lower"}:
            continue
        if not _fits(found, one.metric, _last_side(local, one, clause), ledger):
            other = ledger.run(one.against or 0).label
            problems.append(
                f"{local.word!r} is not what its number says: {ledger.run(one.run).label} against {other}"
            )
    return problems


def _around(one: Reference, clause: _Clause) -> _Clause:
    """The part of a clause between the number before and the one after, or within its brackets."""
    at = clause.places.get(one, 0)
    others = sorted(place for other, place in clause.places.items() if other != one)
    first = max((place + 1 for place in others if place < at), default=0)
    last = min((place for place in others if place > at), default=len(clause.text))
    opened = clause.text.rfind("(", first, at)
    if opened >= 0 and ")" not in clause.text[opened:at]:
        first = opened
    closed = clause.text.find(")", at)
    last = min(last, closed) if closed >= 0 else last
    return replace(clause, text=clause.text[first:last], places={one: at - first})


def _last_side(said: _Said, one: Reference, clause: _Clause) -> _Said:
    """Of several words of a change, the last before the number."""
    at = clause.places.get(one, len(clause.text))
    found = [
        (match.start(), side)
        for side, pattern in words.CHANGES.items()
        for match in pattern.finditer(clause.text[:at].lower())
    ]
    if len(found) < 2 or said.negated or said.none:
        return said
    return replace(said, sides=(max(found)[1],))  # type: ignore[arg-type]  # keys of CHANGES


def _fits(row: Difference, metric: str, said: _Said, ledger: Ledger) -> bool:
    if said.none:
        return not row.clear
    if said.negated:
        return not row.clear or not _fits(row, metric, replace(said, negated=False), ledger)
    if said.clear and row.error is not None and not row.clear:
        return False
    for side in said.sides:
        if row.value == 0:
            return False
        if side in {"up", "down"} and (row.value > 0) != (side == "up"):
            return False
        better = ledger.better(metric, row.value)
        if side in {"better", "worse"} and better is not None and better != (side == "better"):
            return False
    return True


_RUNS_BEYOND = re.compile(
    r"\b(?P<count>\d+|[a-z]+) (?:of|out of) (?:the |all |our )?(?P<all>\d+|[a-z]+) (?:runs|variants|settings|models"
    r"|configurations)\b.*?\b(?P<side>above|over|below|under|exceed\w*|beyond)\s+(?P<number>\d*\.?\d+)(?P<percent>\s*%)?",
    re.IGNORECASE,
)


def _runs_beyond(clause: _Clause, scope: Scope, ledger: Ledger) -> list[str]:
    """ "five of the eight runs end above 0.9": how many runs are."""
    match = _RUNS_BEYOND.search(clause.text)
    count = None if match is None else words.counted(match["count"])
    if match is None or count is None or not scope.metrics:
        return []
    limit = float(match["number"]) / (100 if match["percent"] else 1)
    up = match["side"].lower() in {"above", "over", "beyond"} or match["side"].startswith("exceed")
    for data, metric in _places(scope, ledger):
        means = [c.mean for n in ledger.numbers if (c := ledger.cells.get((n, data, metric)))]
        if sum((mean > limit) == up for mean in means) == count:
            return []
    return [f"{match['count']!r} runs: another number of them is ({scope.told(ledger)})"]


# --- factors --------------------------------------------------------------------------------------------


def _factor(clause: _Clause, scope: Scope, ledger: Ledger) -> list[str]:
    """ "halves", "twice": some change of the clause must be about that factor."""
    match = _FACTOR.search(clause.text.lower())
    if match is None or not scope.metrics or re.search(r"untrained|initial", clause.text.lower()):
        return []
    factor = _FACTORS[match["word"][:4]]
    wanted = factor if isinstance(factor, tuple) else (factor,)
    pairs = _pairs(scope, ledger) or list(product(ledger.numbers, ledger.numbers))
    if scope.open_run or not scope.subjects:
        pairs += [(n, other) for n in ledger.numbers for other in (*scope.objects, *scope.runs)]
    ratios = [
        one.mean / two.mean
        for run, other in pairs
        for place in _places(scope, ledger)
        if (one := ledger.cells.get((run, *place))) and (two := ledger.cells.get((other, *place)))
        if two.mean and one.mean
    ]
    ratios += [
        one.mean / two.mean
        for run, data, (first, second) in product(
            scope.runs, scope.data or ledger.datasets, product(scope.all_metrics, scope.all_metrics)
        )
        if (one := ledger.cells.get((run, data, first)))
        and (two := ledger.cells.get((run, data, second)))
        if two.mean and one.mean
    ]
    near = (
        1.3
        if re.search(r"\b(?:about|almost|nearly|roughly|more than|over)\b", clause.text)
        else 1.13
    )
    both = [*ratios, *(1 / ratio for ratio in ratios)]
    if scope.subjects and not scope.open_run and match["word"].startswith(("halv", "doub", "trip")):
        both = [1 / ratio for ratio in ratios] if match["word"].startswith("halv") else ratios
    if not ratios or any(one / near <= ratio <= one * near for ratio in both for one in wanted):
        return []
    return [f"{match[0]!r} is no factor between these runs ({scope.told(ledger)})"]
