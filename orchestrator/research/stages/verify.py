"""Verify: every number in the paper resolves to a result, a setting or a reference.

Checked are the title, the abstract, every section but those about other people's work, and all
tables. The PDF's own text is compared with the source, so that no command can print a number
that the source does not show. Each number becomes a claim with its source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from orchestrator.core.errors import IdeaFailed
from orchestrator.core.research import Claim
from orchestrator.record.notes import ClaimsVerified
from orchestrator.record.ports import Ports
from orchestrator.research.paper import constants as facts
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.numbers import (
    PrintedNumber,
    Quantity,
    nearest_results,
    numbers,
    quantities_in_scope,
    resolve_number,
    runs_named,
)
from orchestrator.research.paper.prose import Sentence, sentences
from orchestrator.research.paper.quantities import from_results
from orchestrator.research.paper.tables import metric_words
from orchestrator.research.stages import paper_edit as papers
from orchestrator.research.stages.compile import compile_paper
from orchestrator.research.study import Study

_ROUNDS = 3
OTHERS_WORK = ("related work", "background")  # their numbers are other people's
FORMULAE = ("method", "experimental setup")  # whose 0, 1 and 2 are parts of formulae
_EXCERPT = 160  # characters of a sentence in a claim


@dataclass(frozen=True, slots=True)
class NumberSources:
    """What numbers may resolve to, and the names that hold a sentence to one place."""

    quantities: tuple[Quantity, ...]
    runs: frozenset[int]
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]


def verify_numbers(study: Study, ports: Ports) -> Study:
    """The study with its claims; raises :class:`IdeaFailed` where a number stays unresolved."""
    ledger = number_sources(study, ports)
    problems: list[str] = []
    for number in range(_ROUNDS + 1):
        here = ports.within(f"round_{number}")
        if problems:
            study = papers.correct_paper(study, here, "verify.fix", "verify_fix", problems)
            study = compile_paper(study, here.within("compile"))
        claims, problems = check_numbers(study, ports, ledger)
        if not problems:
            ports.note(ClaimsVerified(claims=len(claims)))
            return replace(study, claims=claims)
    raise IdeaFailed(
        f"{len(problems)} numbers in the paper resolve to nothing after {_ROUNDS} corrections",
        where=TEX,
        why="\n".join(problems[:8]),
        todo="the report lists each with its sentence; the runs and their results are kept",
    )


def number_sources(study: Study, ports: Ports) -> NumberSources:
    """Everything that a number of this study may come from."""
    manifest = study.template.manifest
    found = list(from_results(study.results, manifest.headline))
    datasets = tuple(dict.fromkeys(d for _, result in study.results for d in result.datasets))
    runs = len(study.runs)
    found += facts.from_counts(
        [("runs", runs), ("runs beside the baseline", runs - 1), ("data sets", len(datasets))]
    )
    found += facts.from_manifest(manifest, study.scale)
    for run in study.runs:
        code = run.code.get("experiment.py")
        if code is not None:
            found += facts.from_code(ports.text(code), f"run {run.number}'s experiment.py")
    metrics = tuple(dict.fromkeys(m for _, result in study.results for m in result.metrics))
    return NumberSources(tuple(found), frozenset(n for n, _ in study.results), datasets, metrics)


def check_numbers(
    study: Study, ports: Ports, ledger: NumberSources
) -> tuple[tuple[Claim, ...], list[str]]:
    """Every number as a claim, and what is wrong, in words for whoever corrects it."""
    tex = papers.paper_source(study, ports)
    years = tuple(facts.from_references(tex))
    ledger = replace(ledger, quantities=(*ledger.quantities, *years))
    claims, problems = [], []
    quoted = papers.study_runs_table(study)
    claims += _quoted(quoted, ledger) if quoted in tex else []
    for sentence in sentences(tex.replace(quoted, "")):
        made, wrong = _sentence(sentence, ledger)
        claims += made
        problems += wrong
    pages = study.paper.pages if study.paper else ()
    problems += numbers_only_on_pages(pages, tex)
    return tuple(claims), problems


def _sentence(sentence: Sentence, ledger: NumberSources) -> tuple[list[Claim], list[str]]:
    runs, text, claims = runs_named(sentence.text), sentence.text, []
    missing = sorted(runs - ledger.runs)
    problems = [f"there is no run {number}: {_where(sentence)}" for number in missing]
    fitting = quantities_in_scope(
        ledger.quantities,
        runs & ledger.runs,
        [name for name in ledger.datasets if _says(text, name)],
        [name for name in ledger.metrics if any(_says(text, form) for form in _forms(name))],
        text,
    )
    for name in ledger.metrics:
        for form in _forms(name):  # the 99 in "step val acc 99" is a name, no number
            text = _word(form).sub(" ", text)
    for number in numbers(text):
        source = resolve_number(number, fitting)
        if source is None and number.text in {"0", "1", "2"} and sentence.part.startswith(FORMULAE):
            continue
        claims.append(_claim(number, sentence, source))
        if source is None and not sentence.part.startswith(OTHERS_WORK):
            problems.append(_unresolved(number, sentence, fitting))
    return claims, problems


def _says(text: str, name: str) -> bool:
    return _word(name).search(text) is not None


def _word(name: str) -> re.Pattern[str]:
    """``name`` as a whole word, as recorded; a space in it is any white space."""
    spaced = re.escape(name).replace(r"\ ", r"\s+")
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def _forms(metric: str) -> tuple[str, ...]:
    """The ways in which a paper writes a metric's name, longest first."""
    short = metric.removesuffix("_mean")
    return (metric, metric_words(metric), short, short.replace("_", " "))


def _claim(number: PrintedNumber, sentence: Sentence, source: Quantity | None) -> Claim:
    return Claim(text=number.text, where=_where(sentence), source=source.source if source else "")


def _unresolved(number: PrintedNumber, sentence: Sentence, fitting: tuple[Quantity, ...]) -> str:
    near = "; ".join(nearest_results(number, fitting))
    return f"{number.text!r} in {_where(sentence)} resolves to nothing. Nearest: {near or 'none'}"


def _where(sentence: Sentence) -> str:
    text = sentence.text[:_EXCERPT] + ("…" if len(sentence.text) > _EXCERPT else "")
    return f"{sentence.part}: {text}"


def _quoted(table: str, ledger: NumberSources) -> list[Claim]:
    """The runs table repeats what was said of each run; its numbers are recorded as quotes."""
    return [
        replace(_claim(number, sentence, None), source="quoted from the run's description")
        if (source := resolve_number(number, ledger.quantities)) is None
        else _claim(number, sentence, source)
        for sentence in sentences(r"\begin{document}\section{Runs}" + table)
        for number in numbers(sentence.text)
    ]


def numbers_only_on_pages(pages: tuple[str, ...], tex: str) -> list[str]:
    """Numbers on the pages, before the references, that the source does not show.

    Compared are numbers with a decimal point and whole ones of three digits or more, but years;
    shorter ones are pages, sections and figures. A line that is one whole number alone is a page
    number or a line number in the margin.
    """
    text = re.sub(r"(?m)^\s*\d+\s*$", "", "\n".join(pages))
    before_references = re.split(r"\n\s*References\s*\n", text, flags=re.IGNORECASE)[0]
    known = {abs(number.value) for sentence in sentences(tex) for number in numbers(sentence.text)}
    sections = tex.count(r"\section") if r"\subsection" in tex else 0
    found = []
    for number in numbers(before_references):
        year = re.fullmatch(r"(?:1[89]|20)\d\d", number.text)
        heading = re.fullmatch(r"(\d{1,2})\.\d{1,2}", number.text)
        structural = year or (heading and int(heading[1]) <= sections)
        long = "." in number.text or abs(number.value) >= 100
        if long and abs(number.value) not in known and not structural:
            found.append(
                f"a page prints {number.text!r}, which its source does not show as a number"
            )
    return found
