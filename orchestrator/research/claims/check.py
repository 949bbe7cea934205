"""Sentences of a paper held to a ledger: each number with its source, and what no result carries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from orchestrator.research.claims.described import with_described
from orchestrator.research.claims.exchanged import exchange_problems
from orchestrator.research.claims.headed import headed_cell_problems
from orchestrator.research.claims.joint import joint_sources
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import marked
from orchestrator.research.claims.mentions import Named
from orchestrator.research.claims.naming import named
from orchestrator.research.claims.numbering import without_labels
from orchestrator.research.claims.printed import Printed, printed_numbers
from orchestrator.research.claims.printed_errors import Errors, either, errors_said
from orchestrator.research.claims.quantity import Quantity
from orchestrator.research.claims.referring import reference_problems, reference_source
from orchestrator.research.claims.scope import Context
from orchestrator.research.claims.section_kinds import has_rules, is_of_others
from orchestrator.research.claims.seeds import (
    parts_of_seeds,
    wrong_count_of_seeds,
)
from orchestrator.research.claims.sources import number_read, number_source
from orchestrator.research.claims.statements import statement_problems
from orchestrator.research.claims.whole_numbers import whole_reading
from orchestrator.research.paper.prose import Sentence, sentences, sentences_in

_LONGEST = 3000  # characters of a sentence; a person's have a few hundred
_MOST_SENTENCES = 3000  # of a paper
_TOO_MUCH = "it is too long to be checked: write shorter sentences"
_COUNT_NOUN = re.compile(
    r"\s+(?:random\s+)?(?:seeds|layers|heads|runs|data\s?sets|tasks|models|updates|epochs)\b"
)
_INDEX = re.compile(r"(?<!\w)[A-Za-z] ?= ?[012] ?,(?: ?[12] ?,)*")
_OWN = re.compile(r"\b(?:we|our|ours|us|here|this (?:study|paper|work))\b", re.IGNORECASE)
_CITES = re.compile(r"\\[Cc]ite[a-z]*")


@dataclass(frozen=True, slots=True)
class Traced:
    """A printed number, and the fact or setting that it states."""

    number: str
    source: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One sentence: its numbers with a source, and what is wrong, each with how it was read."""

    sentence: Sentence
    traced: tuple[Traced, ...]
    problems: tuple[str, ...]


def check_source(
    tex: str, ledger: Ledger, *, strict: bool = True, errors: Errors = ""
) -> tuple[Checked, ...]:
    """Every sentence of a paper's source, from its title to its references. ``strict``: its author could
    print numbers by reference, so a typed one must name its run, data set and metric. ``errors`` as for
    :func:`check_section`.
    """
    text, references, wrong = marked(tex, ledger)
    found = list(_checked(sentences(text), text, references, ledger, strict=strict, errors=errors))
    if wrong:
        found.insert(0, Checked(Sentence("front", ""), (), wrong))
    return tuple(found)


def check_section(
    tex: str, ledger: Ledger, part: str, *, strict: bool = True, errors: Errors = ""
) -> tuple[Checked, ...]:
    """Every sentence of one section's text; places are those in ``tex``. ``errors``: what the rest of the paper says
    that it prints after a ±.
    """
    text, references, wrong = marked(tex, ledger)
    rows = sentences_in(text, 0, len(text), part)
    found = list(_checked(rows, text, references, ledger, strict=strict, errors=errors))
    for problem in wrong:
        _place_problem(found, problem, tex, part)
    return tuple(found)


def printed_errors(sections: Iterable[str]) -> Errors:
    """What the texts of a paper's sections say that it prints after a ±."""
    return errors_said(one.text for tex in sections for one in sentences_in(tex, 0, len(tex), ""))


def _place_problem(found: list[Checked], problem: str, tex: str, part: str) -> None:
    """Add what is wrong with a macro to its sentence, or before all where it stands in none."""
    at = tex.find(problem.partition(": ")[0])
    for number, one in enumerate(found):
        if at >= 0 and one.sentence.start <= at < one.sentence.end:
            found[number] = replace(one, problems=(*one.problems, problem))
            return
    found.insert(0, Checked(Sentence(part, ""), (), (problem,)))


def _checked(
    rows: Iterable[Sentence],
    source: str,
    references: Mapping[str, Quantity],
    ledger: Ledger,
    *,
    strict: bool,
    errors: Errors = "",
) -> Iterable[Checked]:
    rows = [*rows]
    first = Context(errors=either(errors, errors_said(one.text for one in rows)))
    context, lead, paragraph = first, first, -1
    for number, (sentence, plain) in enumerate(zip(rows, _plain(rows), strict=True)):
        if number == _MOST_SENTENCES or len(sentence.text) > _LONGEST:
            yield Checked(replace(sentence, text=sentence.text[:_LONGEST]), (), (_TOO_MUCH,))
            if number == _MOST_SENTENCES:
                return
            continue
        if sentence.paragraph != paragraph:
            context, lead, paragraph = first, first, sentence.paragraph
        if sentence.kind in {"item", "row"}:
            context = lead
        piece = source[sentence.start : sentence.end]
        others = is_of_others(sentence.part) and not _is_own(sentence, piece, ledger)
        checked, after = check_sentence(
            replace(sentence, text=plain), references, ledger, context, others=others, strict=strict
        )
        checked = replace(checked, sentence=sentence)
        if sentence.kind in {"note", "title"}:  # what follows goes on from what they stand in
            yield checked
            continue
        if sentence.kind not in {"item", "row"} or not lead.metrics:
            lead = after
        context = after
        yield checked


def _plain(rows: Iterable[Sentence]) -> Iterator[str]:
    """The texts of sentences without the numbers of items; a row of a table has none."""
    for _, part in groupby(rows, key=lambda one: one.part):
        own = [*part]
        texts = without_labels(
            ["" if one.cells else (one.named or one.text)[:_LONGEST] for one in own]
        )
        yield from (text or one.text for text, one in zip(texts, own, strict=True))


def _is_own(sentence: Sentence, piece: str, ledger: Ledger) -> bool:
    """Whether a sentence among those on others' work speaks of this study's own results."""
    seen = named(sentence.text, ledger)
    return bool(_OWN.search(sentence.text)) or (bool(seen.runs) and not _CITES.search(piece))


def check_sentence(
    sentence: Sentence,
    references: Mapping[str, Quantity],
    ledger: Ledger,
    context: Context,
    *,
    others: bool = False,
    strict: bool = True,
) -> tuple[Checked, Context]:
    """Hold one sentence to the ledger. ``others``: it speaks of other people's work."""
    text = sentence.text
    seen = named(text, ledger)
    after = context.after(seen)
    if others:
        return Checked(sentence, (), ()), after
    problems = [f"there is no run {number}" for number in seen.unknown]
    marks = [(place, references[char]) for place, char in enumerate(text) if char in references]
    numbers = [
        one
        for one in printed_numbers(seen.masked)
        if not (sentence.kind == "title" and _is_ordinal(one))
    ]
    told = with_described(text, seen, ledger)
    ways = [told, seen] if context.runs and told is not seen else [told]
    sources = {
        one.start: next(
            filter(
                None,
                (
                    number_source(one, sentence, way, ledger, context, mean, strict=strict)
                    for way in ways
                ),
            ),
            "",
        )
        for mean, one in zip([None, *numbers], numbers, strict=False)
    }
    untraced = [one for one in numbers if not sources[one.start]]
    whole = {one.start for one in untraced if whole_reading(one, sentence, told, ledger, context)}
    if not strict:
        # a cell is of what its heads name, and what is said of several runs is of no two
        open_ones = [] if sentence.cells or whole else untraced
        sources |= joint_sources(numbers, open_ones, told, ledger, context)
    traced = [Traced(one.text, sources[one.start]) for one in numbers if sources[one.start]]
    traced += [Traced(one.kind, reference_source(one, ledger)) for _, one in marks]
    for one in untraced:
        stated = one.start in whole or _is_stated(one, sentence, seen, ledger)
        if stated and not sources[one.start]:
            read = number_read(one, sentence, told, ledger, context)
            problems.append(f"{one.text!r} is not what was measured or set ({read})")
    problems += reference_problems(marks, seen, ledger, context, kind=sentence.kind)
    problems += headed_cell_problems(marks, sentence, ledger)
    problems += exchange_problems(numbers, told, ledger, context)
    rules = has_rules(sentence.part)
    problems += statement_problems(text, seen, marks, ledger, context, rules=rules)
    return Checked(sentence, tuple(traced), tuple(dict.fromkeys(problems))), after


def _is_stated(one: Printed, sentence: Sentence, seen: Named, ledger: Ledger) -> bool:
    """Whether a number must have a source: digits, a factor, a count of seeds; not a part of a formula."""
    counted = (
        one.start in parts_of_seeds(seen.masked, ledger)
        or _COUNT_NOUN.match(seen.masked[one.end :]) is not None
        or wrong_count_of_seeds(one, seen.masked, ledger)
    )
    times = one.times and (not one.spelled or bool(seen.metrics))
    stated = not one.spelled or times or (counted and one.bound != "about")
    of_a_name = _NAME.search(seen.masked[: one.start]) and any(
        one.text in run.name.split() for run in ledger.runs
    )
    return stated and not of_a_name and not _in_formula(one, sentence, seen.masked)


_NAME = re.compile(
    r"\b(?:names?|those|one|ones|runs?)\b[^.;:,]{0,24}\b(?:ends?|ending|begins?|beginning)\s+(?:in|with)\s+$"
)
"""Before the "480" of "a name that ends in 480"."""


def _in_formula(number: Printed, sentence: Sentence, text: str) -> bool:
    """Whether a 0, 1 or 2 is a part of a formula: in a section that has them, or of an index that runs ("t = 0, 1, …")."""
    small = number.text.lstrip("-+ ") in {"0", "1", "2"}
    runs = any(one.start() < number.start < one.end() for one in _INDEX.finditer(text))
    return small and (runs or has_rules(sentence.part))


def _is_ordinal(number: Printed) -> bool:
    """A small whole number of a title: "Experiment 2", "Phase 1: …"."""
    return number.spelled or (number.text.isdigit() and number.value < 100)
