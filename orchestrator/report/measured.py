"""The results: each run against the baseline, with direction and standard errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from orchestrator.report.html import Child, Html, data_table, el, number, right, text
from orchestrator.report.imported import NOT_MEASURED
from orchestrator.report.reading import IdeaFacts
from orchestrator.template.comparisons import Measured, compare_runs, seed_values
from orchestrator.template.manifest import Metric
from orchestrator.template.results import Dataset

WIDTH, STEP = 150, 9  # of a row's little chart, in CSS pixels
_MOST_TIMES = 10  # the baseline: a larger change is not told in percent
MeanError = tuple[float, float | None]


def measured_section(facts: IdeaFacts) -> list[Child]:
    """One table per data set; nothing without results."""
    if not facts.results:
        return []
    datasets = dict.fromkeys(name for _, r in facts.results for name in r.datasets)
    how = (
        "Mean ± standard error, as computed by the experiment, from each run's final_info.json. "
        "A change has the colour of the direction that the template declares. It is grey where it is no "
        "larger than two of its errors: of the differences seed by seed where both runs have the same seeds, "
        "else √(s₀² + s²)."
    )
    if facts.imported is not None:
        how = f"{NOT_MEASURED} {how}"
    if facts.results[0][0] != 0:
        how += " The baseline is unknown, so there is no comparison."
    tables = [_dataset(facts, name) for name in datasets]
    return [el("p", how, class_="small quiet"), _runs(facts), *tables]


def _runs(facts: IdeaFacts) -> Html:
    rows = [
        (
            "Baseline" if run.number == 0 else f"Run {run.number}",
            run.description,
            number(str(run.attempts) if run.attempts else "–"),
            number(f"{run.seconds:.1f} s" if run.seconds else "–"),
        )
        for run in facts.runs
    ]
    return data_table(("", "description", right("attempts"), right("time")), rows)


def _dataset(facts: IdeaFacts, name: str) -> Html:
    by_run = {n: r.datasets[name] for n, r in facts.results if name in r.datasets}
    metrics = list(dict.fromkeys(m for d in by_run.values() for m in d.means))
    headline = facts.manifest.headline if facts.manifest else ()
    # Headline metrics first, then the other declared ones in their order, then undeclared ones.
    declared = facts.metrics
    known = [*headline, *declared, *metrics]
    metrics.sort(key=known.index)
    heads: list[Child] = ["metric", *([""] if len(by_run) > 1 else [])]
    heads += [right("baseline" if run == 0 else f"run {run}") for run in by_run]
    changes = verdicts(facts, name, metrics)
    rows = [_row(metric, by_run, declared.get(metric), changes) for metric in metrics]
    return el("div", el("h3", name), data_table(heads, rows))


def verdicts(facts: IdeaFacts, dataset: str, metrics: Iterable[str]) -> dict[tuple[int, str], str]:
    """Of each run against the baseline on one data set, by run and metric: as the study itself compares them."""
    blobs, results = facts.journal.blobs, dict(facts.results)
    known = [
        Measured(run=run, results=results[run.number], values=seed_values(run, blobs))
        for run in facts.runs
        if run.number in results
    ]
    base = next((one for one in known if one.run.number == 0), None)
    if base is None:
        return {}
    directions = {metric: about.direction for metric, about in facts.metrics.items()}
    exact = facts.manifest.exact if facts.manifest else ()
    return {
        (one.run.number, row.metric): row.verdict
        for one in known
        if one is not base
        for row in compare_runs([(one, base)], metrics, directions, exact)
        if row.dataset == dataset
    }


def _row(
    metric: str,
    by_run: dict[int, Dataset],
    about: Metric | None,
    changes: Mapping[tuple[int, str], str],
) -> list[Child]:
    values = {run: mean_error(data, metric) for run, data in by_run.items()}
    base = values.get(0)
    cells: list[Child] = [_name(metric, about)]
    cells += [el("td", _chart(values))] if len(by_run) > 1 else []
    return cells + [
        number(mean_text(value) if value else "–")
        if run == 0 or base is None
        else against(base, value, changes.get((run, metric), ""))
        for run, value in values.items()
    ]


def _name(metric: str, about: Metric | None) -> Html:
    arrow = {"lower": " ↓ lower is better", "higher": " ↑ higher is better"}
    small = ""
    if about is not None:
        unit = f"in {about.unit}" if about.unit else ""
        small = "; ".join(filter(None, (arrow.get(about.direction, "").strip(), unit)))
    return el("td", metric, el("small", small) if small else None, class_="metric")


def mean_error(data: Dataset, metric: str) -> MeanError | None:
    """A mean with its standard error, None where it is not known."""
    mean = data.means.get(metric)
    return None if mean is None else (mean, data.stderrs.get(metric))


def mean_text(value: MeanError) -> str:
    """``0.52 ± 0.01``."""
    mean, error = value
    return f"{mean:.4g}" + (f" ± {error:.2g}" if error is not None else "")


def against(base: MeanError, value: MeanError | None, verdict: str) -> Html:
    """A cell with a value, and its change from the baseline in the colour of the better side, by its verdict."""
    if value is None:
        return number("–")
    change = value[0] - base[0]
    look = verdict if verdict in {"better", "worse"} else ""
    unclear = {"within": ", within two errors", "no error": ", no error known"}
    more = next((words for start, words in unclear.items() if verdict.startswith(start)), "")
    arrow = "↑" if change > 0 else "↓"
    # Of a value below 0, or that comes near it, a share says nothing.
    told = min(base[0], value[0]) > 0 and abs(change) <= _MOST_TIMES * base[0]
    share = f" ({change / base[0]:+.1%})" if told else ""
    note = f"{arrow} {change:+.3g}{share}{more}"
    note = note.replace("-", "−") if change else "no change"
    small = el("small", note, class_=look or None)
    return number([text(mean_text(value)), small], class_="within" if more and change else "")


def is_within(base: MeanError, value: MeanError) -> bool:
    """Whether a change is no larger than its standard error; False if an error is unknown."""
    if base[1] is None or value[1] is None:
        return False
    return abs(value[0] - base[0]) <= math.hypot(base[1], value[1])


def _chart(values: dict[int, MeanError | None]) -> Html | None:
    """One dot per run on a common axis, the baseline hollow, with bars of one standard error."""
    known = {run: value for run, value in values.items() if value is not None}
    low = min((mean - (error or 0.0) for mean, error in known.values()), default=0.0)
    high = max((mean + (error or 0.0) for mean, error in known.values()), default=0.0)
    if not high > low or not math.isfinite(high - low):
        return None

    def at(x: float) -> float:
        return round(6 + (WIDTH - 12) * (x - low) / (high - low), 1)

    marks: list[Child] = []
    for place, (run, (mean, error)) in enumerate(known.items()):
        y = 6 + STEP * place
        marks.append(el("line", x1=6, x2=WIDTH - 6, y1=y, y2=y, class_="axis"))
        if error:
            look = "err" if run else "berr"
            marks.append(
                el("line", x1=at(mean - error), x2=at(mean + error), y1=y, y2=y, class_=look)
            )
        marks.append(el("circle", cx=at(mean), cy=y, r=3, class_="dot" if run else "base"))
    height = STEP * len(known) + 3
    return el("svg", marks, width=WIDTH, height=height, role="img", aria_label="runs side by side")
