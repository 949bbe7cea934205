"""Every number of a paper, and where it comes from.

Each is resolved within its sentence: to a result of the runs, data sets and metrics that the sentence
names, to a setting, a count or a reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from orchestrator.core.research import Claim
from orchestrator.record.ports import Ports
from orchestrator.research.looking.run_facts import seed_values
from orchestrator.research.paper import quantities as facts
from orchestrator.research.paper.numbers import (
    PrintedNumber,
    Quantity,
    nearest_results,
    numbers,
    quantities_in_scope,
    resolve_number,
    resolve_pair,
    runs_named,
)
from orchestrator.research.paper.prose import Sentence, sentences
from orchestrator.research.paper.tables import metric_words, runs_table
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import paper_edit as papers
from orchestrator.research.stages.comparing import comparison_rows

OTHERS_WORK = ("related work", "background")  # numbers of other authors
FORMULAE = ("method", "experimental setup")  # sections whose 0, 1 and 2 are parts of formulae
_EXCERPT = 160  # characters of a sentence in a claim


@dataclass(frozen=True, slots=True)
class NumberSources:
    """The quantities of a study, and the names that restrict a sentence to some of them; ``names`` are
    those of its runs.
    """

    quantities: tuple[Quantity, ...]
    runs: frozenset[int]
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]
    names: tuple[str, ...] = ()


def number_sources(study: Study, ports: Ports) -> NumberSources:
    """The sources of every number of this study."""
    manifest = study.template.manifest
    quantities = list(facts.from_results(study.results, study.headline))
    datasets = tuple(dict.fromkeys(d for _, result in study.results for d in result.datasets))
    runs = len(study.runs)
    quantities += facts.from_comparisons(comparison_rows(study, ports.blobs), study.runs)
    seeds = {
        f"seeds of {dataset}": max(map(len, metrics.values()))
        for dataset, metrics in seed_values(study.runs[0], ports.blobs).items()
        if metrics
    }
    quantities += facts.from_counts(
        seeds | {"runs": runs, "runs beside the baseline": runs - 1, "data sets": len(datasets)}
    )
    quantities += facts.from_manifest(manifest, study.scale)
    quantities += facts.from_names(study.runs)
    for run in study.runs:
        code = run.code.get("experiment.py")
        if code is not None:
            quantities += facts.from_code(ports.text(code), f"run {run.number}'s experiment.py")
    metrics = tuple(dict.fromkeys(m for _, result in study.results for m in result.metrics))
    return NumberSources(
        tuple(quantities),
        frozenset(n for n, _ in study.results),
        datasets,
        metrics,
        tuple(run.name for run in study.runs),
    )


def check_numbers(
    study: Study, ports: Ports, sources: NumberSources
) -> tuple[tuple[Claim, ...], list[str]]:
    """Every number as a claim, and the problems as texts for a model."""
    tex = papers.paper_source(study, ports)
    years = tuple(facts.from_references(tex))
    sources = replace(sources, quantities=(*sources.quantities, *years))
    claims, problems = [], []
    text = tex
    for quoted in (runs_table(study.runs), papers.study_results_table(study)):
        if quoted in text:  # the program's own: its numbers need no author
            claims += _quoted(quoted, sources)
            text = text.replace(quoted, "")
    for sentence in sentences(text):
        made, wrong = _sentence(sentence, sources)
        claims += made
        problems += wrong
    pages = study.paper.pages if study.paper else ()
    problems += numbers_only_on_pages(pages, tex)
    return tuple(claims), problems


def _sentence(sentence: Sentence, sources: NumberSources) -> tuple[list[Claim], list[str]]:
    runs, text, claims = runs_named(sentence.text), sentence.text, []
    missing = sorted(runs - sources.runs)
    named = [name for name in sources.datasets if _mentions(text, name)]
    problems = [f"there is no run {number}: {_where(sentence)}" for number in missing]
    fitting = quantities_in_scope(
        sources.quantities,
        runs & sources.runs,
        named,
        [name for name in sources.metrics if any(_mentions(text, form) for form in _forms(name))],
        text,
    )
    # The 99 in "step val acc 99" is part of a name, and so is the 480 in the run "480 updates".
    for form in (*(form for name in sources.metrics for form in _forms(name)), *sources.names):
        text = _word(form).sub(" ", text)
    printed = list(numbers(text))
    in_scope = quantities_in_scope(sources.quantities, runs & sources.runs, named, (), text)
    pairs = _pairs(text, printed, in_scope)
    for at, number in enumerate(printed):
        source = resolve_number(number, fitting) or pairs.get(at)
        if source is None and number.text in {"0", "1", "2"} and sentence.part.startswith(FORMULAE):
            continue
        claims.append(_claim(number, sentence, source))
        if source is None and not sentence.part.startswith(OTHERS_WORK):
            near = "; ".join(nearest_results(number, fitting)) or "none"
            place = f"{number.text!r} in {_where(sentence)}"
            problems.append(f"{place} resolves to nothing. Nearest: {near}")
    return claims, problems


def _pairs(
    text: str, printed: list[PrintedNumber], quantities: tuple[Quantity, ...]
) -> dict[int, Quantity]:
    """The sources of numbers that stand as "mean ± error", by their place among the numbers."""
    found: dict[int, Quantity] = {}
    for place, (mean, error) in enumerate(pairwise(printed)):
        both = rf"{re.escape(mean.text)}\s*(?:\+-|±)\s*{re.escape(error.text)}"
        if re.search(both, text) and (pair := resolve_pair(mean, error, quantities)):
            found[place], found[place + 1] = pair
    return found


def _mentions(text: str, name: str) -> bool:
    return _word(name).search(text) is not None


def _word(name: str) -> re.Pattern[str]:
    """A pattern for ``name`` as a whole word; a space in it matches any white space."""
    spaced = re.escape(name).replace(r"\ ", r"\s+")
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)


def _forms(metric: str) -> tuple[str, ...]:
    """The forms of a metric's name in a paper, longest first."""
    short = metric.removesuffix("_mean")
    return (metric, metric_words(metric), short, short.replace("_", " "))


def _claim(
    number: PrintedNumber, sentence: Sentence, source: Quantity | None, without: str = ""
) -> Claim:
    where = _where(sentence)
    return Claim(text=number.text, where=where, source=source.source if source else without)


def _where(sentence: Sentence) -> str:
    text = sentence.text[:_EXCERPT] + ("…" if len(sentence.text) > _EXCERPT else "")
    return f"{sentence.part}: {text}"


def _quoted(table: str, sources: NumberSources) -> list[Claim]:
    """The claims of a table that the program made: of results, or of the runs' descriptions."""
    said = "from the program's own table"
    return [
        _claim(number, sentence, resolve_number(number, sources.quantities), said)
        for sentence in sentences(r"\begin{document}\section{Runs}" + table)
        for number in numbers(sentence.text)
    ]


def numbers_only_on_pages(pages: tuple[str, ...], tex: str) -> list[str]:
    """Problems: numbers on the pages, before the references, that the source does not contain."""
    # A line with only an integer is a page number, or a line number in the margin.
    text = re.sub(r"(?m)^\s*\d+\s*$", "", "\n".join(pages))
    before_references = re.split(r"\n\s*References\s*\n", text, flags=re.IGNORECASE)[0]
    known = {abs(number.value) for sentence in sentences(tex) for number in numbers(sentence.text)}
    # Years and short integers are skipped: they also number pages, sections and figures.
    sections = tex.count(r"\section") if r"\subsection" in tex else 0
    problems = []
    for number in numbers(before_references):
        year = re.fullmatch(r"(?:1[89]|20)\d\d", number.text)
        heading = re.fullmatch(r"(\d{1,2})\.\d{1,2}", number.text)
        structural = year or (heading and int(heading[1]) <= sections)
        long = "." in number.text or abs(number.value) >= 100
        if long and abs(number.value) not in known and not structural:
            problems.append(
                f"a page prints {number.text!r}, which its source does not show as a number"
            )
    return problems
