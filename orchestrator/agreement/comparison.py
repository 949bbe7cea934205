"""A benchmark of a reviewer as a page: what it agrees on with people, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from orchestrator.agreement.bootstrap import DRAWS, SEED, Agreement, MetricEstimate
from orchestrator.agreement.curves import roc_plot, score_plot, threshold_plot
from orchestrator.agreement.joining import Uncounted
from orchestrator.agreement.metrics import AUC, CORRELATION, RATES, THRESHOLDS, at_threshold
from orchestrator.agreement.published import AUC_NOTE, PUBLISHED, SOURCE, PublishedRow
from orchestrator.report.html import Child, Html, data_table, el, fold, number, right
from orchestrator.report.page import contents, fact_list, page, section

_SHOWN = 1000  # papers that are left out, by name
MEANINGS = {
    "accuracy": "decisions that are people's",
    "balanced accuracy": "mean of the rates on accepted and on rejected papers; 0.5 by chance",
    "F1": "harmonic mean of precision and recall of Accept",
    "FPR": "of the papers that people rejected, the share that it accepts",
    "FNR": "of the papers that people accepted, the share that it rejects",
    AUC: "how often an accepted paper has the higher overall score than a rejected one; ties count half",
    CORRELATION: "Spearman's, of overall score and mean rating of people",
}
HOW = (
    "Accept is the positive class. Intervals are 95 %: percentile bootstrap over papers, "
    f"{DRAWS:,} draws, seed {SEED}; they hold for papers like these, not for another year or field."
)


def all_estimates(found: Agreement) -> dict[str, MetricEstimate]:
    """Metric → its estimate: of the decisions, then of the scores."""
    return {**found.decided, AUC: found.area, CORRELATION: found.correlation}


def comparison_page(title: str, found: Agreement, left_out: Sequence[Uncounted]) -> str:
    """The whole page of a benchmark named ``title``."""
    parts: list[tuple[str, str, list[Child]]] = [
        ("agreement", "Agreement", _agreement(found)),
        ("thresholds", "Thresholds", _thresholds(found)),
        ("published", "Published figures", _published(found)),
    ]
    if left_out:
        parts.append(("left", "Papers that do not count", _left_out(left_out)))
    return page(
        f"{title} against people · aisci",
        el(
            "header",
            el("p", "aisci · benchmark of a reviewer", class_="eyebrow"),
            el("h1", f"{title} against people's decisions"),
            el("p", HOW, class_="byline"),
            _facts(found, left_out),
            contents([(anchor, name) for anchor, name, _ in parts]),
        ),
        [section(anchor, name, *part) for anchor, name, part in parts],
    )


def shown_value(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def shown_interval(one: MetricEstimate) -> str:
    """``0.55 to 0.65``, and on how many draws where some had no value."""
    if one.low is None or one.high is None:
        return ""
    short = f", on {one.draws:,} draws" if one.draws < DRAWS else ""
    return f"{one.low:.2f} to {one.high:.2f}{short}"


def _facts(found: Agreement, left_out: Sequence[Uncounted]) -> Html:
    said = found.confusion
    decided = said.tp + said.fp + said.tn + said.fn
    accepts = f"{(said.tp + said.fp) / decided:.0%}" if decided else "–"
    balanced, curve = found.decided["balanced accuracy"], found.area
    return fact_list(
        ("papers", found.papers, f"{len(left_out)} do not count" if left_out else ""),
        ("people accepted", f"{found.accepted / found.papers:.0%}", f"{found.accepted} papers"),
        ("it accepts", accepts, f"{said.tp + said.fp} papers"),
        ("balanced accuracy", shown_value(balanced.value), shown_interval(balanced)),
        ("AUC", shown_value(curve.value), shown_interval(curve)),
    )


def _agreement(found: Agreement) -> list[Child]:
    heads: list[Child] = ["metric", right("value"), right("95 % interval"), right("papers")]
    rows = [
        [
            el("td", name, el("small", MEANINGS[name]), class_="metric"),
            number(shown_value(one.value)),
            number(shown_interval(one)),
            number(one.papers),
        ]
        for name, one in all_estimates(found).items()
    ]
    said = found.confusion
    crossed: list[list[Child]] = [
        ["people accepted", number(said.tp), number(said.fn)],
        ["people rejected", number(said.fp), number(said.tn)],
    ]
    rejected = found.papers - found.accepted
    base = (
        f"Who rejects every paper has accuracy {rejected / found.papers:.2f} here, FPR 0 and FNR 1."
    )
    roc = (
        "By the overall score: each number is the score from which a paper counts as accepted. "
        "Hollow: published figures, of other papers for people."
    )
    figures = (
        el("figure", roc_plot(found), el("figcaption", roc)),
        el("figure", score_plot(found), el("figcaption", "Papers by the score that it gave.")),
    )
    return [
        data_table(heads, rows),
        data_table(("", right("it accepts"), right("it rejects")), crossed),
        el("p", base, class_="small quiet"),
        el("div", figures, class_="figures"),
    ]


def _thresholds(found: Agreement) -> list[Child]:
    if found.suggested is None:
        return [el("p", "No review has an overall score.")]
    how = (
        "The overall score alone, taken as Accept from a threshold on, whatever the reviewer decided. "
        f"At {found.suggested} or more it accepts the share nearest to people's. That threshold is "
        "chosen on these same papers; its intervals take it as given."
    )
    heads: list[Child] = [right("threshold"), right("it accepts"), *map(right, RATES)]
    rows = []
    for t in THRESHOLDS:
        at = at_threshold(found.scores, t)
        cells = [
            number([shown_value(one.value), el("small", shown_interval(one))])
            for one in found.thresholds[t].values()
        ]
        name = el("strong", t) if t == found.suggested else t
        rows.append([number(name), number(at.tp + at.fp), *cells])
    figures = [
        el("figure", threshold_plot(found, names), el("figcaption", words))
        for names, words in (
            (RATES[:3], "Agreement, with 95 % intervals; dashed: the share nearest to people's."),
            (
                RATES[3:],
                "Errors: papers accepted against people, and papers rejected against them.",
            ),
        )
    ]
    return [el("p", how), el("div", figures, class_="figures"), data_table(heads, rows)]


def _published(found: Agreement) -> list[Child]:
    heads: list[Child] = [
        "reviewer",
        *map(right, ("balanced accuracy", "accuracy", "F1", "AUC", "FPR", "FNR")),
    ]
    own = {name: one.value for name, one in all_estimates(found).items()}
    names = ("balanced accuracy", "accuracy", "F1", AUC, "FPR", "FNR")
    rows: list[list[Child]] = [
        [el("strong", "this reviewer, here"), *(number(shown_value(own[name])) for name in names)]
    ]
    rows += [[row.name, *map(number, _figures(row))] for row in PUBLISHED]
    return [el("p", SOURCE, ". ", AUC_NOTE, class_="small quiet"), data_table(heads, rows)]


def _figures(row: PublishedRow) -> tuple[str, ...]:
    values = (row.balanced, row.accuracy, row.f1, row.auc, row.fpr, row.fnr)
    return tuple(f"{value:.2f}" for value in values)


def _left_out(left_out: Sequence[Uncounted]) -> list[Child]:
    counts = Counter(one.why for one in left_out)
    rows = [(one.paper_id, one.why, one.detail) for one in left_out[:_SHOWN]]
    more = len(left_out) - len(rows)
    return [
        el("ul", [el("li", f"{count}: {why}") for why, count in counts.items()]),
        fold("Each of them", data_table(("paper", "why", ""), rows),
             el("p", f"and {more} more") if more > 0 else None),
    ]  # fmt: skip
