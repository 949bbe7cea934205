"""Sentences that studies wrote and the check once read wrongly: the true ones pass, their opposites do not."""

from __future__ import annotations

import statistics

import pytest

from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.ledger import Cell, Ledger
from orchestrator.research.claims.macros import rendered
from tests.support import made_ledger as made

_KNOWN = made.known(
    ("baseline", "loose guess", "best of five"),
    ("fitted", "outbreaks"),
    ("forecast_error", "parameter_error", "other_minimum"),
)
LEDGER = Ledger(
    runs=_KNOWN.runs,
    datasets=_KNOWN.datasets,
    metrics=_KNOWN.metrics,
    cells=_KNOWN.cells,
    counts=(("data sets", 2),),
)
"""Each run's means are higher than those of the runs before it."""
BY = r"\by{loose guess}{baseline}{fitted}{forecast_error}"
AHEAD = r"It does not have the problem: other minimum is \mean{baseline}{fitted}{other_minimum} in baseline, and "


def problems(text: str, part: str = "results") -> list[str]:
    return [one for row in check_section(text, LEDGER, part) for one in row.problems]


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (
            f"{AHEAD}the forecast error of best of five is higher than that of loose guess.",
            f"{AHEAD}the forecast error of best of five is lower than that of loose guess.",
        ),
        (
            "Best of five frees the three parameters and its forecast error is higher than that of loose guess.",
            "Best of five frees the three parameters and its forecast error is lower than that of loose guess.",
        ),
        (
            f"Its forecast error is higher than that of baseline by {BY}, and its fits were not changed.",
            f"Its forecast error is lower than that of baseline by {BY}, and its fits were not changed.",
        ),
        (
            "Two data sets look at it: fitted and outbreaks.",
            "Three data sets look at it: fitted and outbreaks.",
        ),
        (
            "The mean of other minimum is given for best of five: the share of seeds in which another search finds a lower cost.",
            "The other minimum of best of five is lower than that of baseline.",
        ),
    ],
)
def test_a_true_sentence_passes_and_its_opposite_does_not(true: str, false: str) -> None:
    assert problems(true) == []
    assert problems(false) != []


@pytest.mark.parametrize(
    "text",
    [
        "The comparison is repeated with ten times as many first people, whose other minimum is not known.",
        "Where fits are searched for five times, other minimum is the share of seeds that differ.",
        "With fifty first people it does not lower the forecast error.",
        r"The forecast error of best of five is \val{best of five}{fitted}{forecast_error}, and a control shows that smaller steps have a part in it.",
        r"We call $t = 0, 1, \dots$ a place, and $i=1,\ldots,n$ a run.",
        "The forecast error of best of five stays above that of counts of character triples.",
    ],
)
def test_what_is_said_of_settings_is_not_read_as_a_result(text: str) -> None:
    assert problems(text) == []


def test_points_of_a_search_are_a_formula_where_the_method_is_told() -> None:
    text = "From the first guess, the points are (0,0,0), (1,-1,-1) and (-1,1,-1)."
    assert problems(text, "method") == []


SEEDS = ((1.0, 2.0, 3.0, 4.0, 9.0), (2.0, 4.0, 7.0, 8.0, 9.0), (5.0, 4.0, 3.0, 2.0, 0.0))
CORRELATED = Ledger(
    runs=LEDGER.runs,
    datasets=LEDGER.datasets,
    metrics=LEDGER.metrics,
    cells={
        **LEDGER.cells,
        **{
            (1, "fitted", metric.name): Cell(statistics.fmean(row), 0.1, row)
            for metric, row in zip(LEDGER.metrics, SEEDS, strict=True)
        },
    },
)
CORRELATION = r"\correlation{loose guess}{fitted}{forecast_error}"


def test_a_median_and_a_correlation_over_seeds_are_printed_by_reference() -> None:
    text = (
        rf"\median{{loose guess}}{{fitted}}{{forecast_error}} and {CORRELATION}{{parameter_error}}"
    )
    made_text, problems_ = rendered(text, CORRELATED)
    assert problems_ == ()
    assert "{$3$~nats}" in made_text
    r = statistics.correlation(SEEDS[0], SEEDS[1])
    assert f"{{${r:.2f}$}}" in made_text
    assert [row.problems for row in check_section(made_text, CORRELATED, "results")] == [()]
    forged = made_text.replace(f"{r:.2f}", "0.99")
    assert any(row.problems for row in check_section(forged, CORRELATED, "results"))


@pytest.mark.parametrize(
    ("other", "word"), [("parameter_error", "rises"), ("other_minimum", "falls")]
)
def test_a_word_of_direction_beside_a_correlation_has_its_sign(other: str, word: str) -> None:
    against = {"rises": "falls", "falls": "rises"}[word]
    for verb, right in ((word, True), (against, False)):
        text = (
            f"In loose guess the forecast error {verb} with the other ({CORRELATION}{{{other}}})."
        )
        wrong = [one for row in check_section(text, CORRELATED, "results") for one in row.problems]
        assert (wrong == []) == right, wrong


def test_too_few_seeds_have_no_correlation() -> None:
    _, said = rendered(f"{CORRELATION}{{parameter_error}}", LEDGER)
    assert "no values for the same 5 seeds" in said[0]


def test_the_share_that_a_metric_is_named_after_is_what_it_may_lie_nearer_to() -> None:
    known = made.known(("baseline", "free"), ("fitted",), ("coverage_90",))

    def wrong(text: str) -> list[str]:
        return [one for row in check_section(text, known, "results") for one in row.problems]

    assert (
        wrong("The coverage 90 of free on fitted lies nearer to 0.9 than that of baseline.") == []
    )
    assert (
        wrong("The coverage 90 of free on fitted lies nearer to 0.7 than that of baseline.") != []
    )
    assert wrong("The coverage 90 of free on fitted is 0.9.") != []


def test_a_mean_triples_only_where_it_does() -> None:
    assert problems("The forecast error triples in loose guess.") != []
    assert problems("The loss is $L = 3.5$ in loose guess.") != []


def test_the_lowest_value_is_that_of_the_run_that_has_it() -> None:
    low, middle, _ = (LEDGER.cells[run, "fitted", "forecast_error"].mean for run in LEDGER.numbers)
    for value, right in ((low, True), (middle, False)):
        found = problems(f"On fitted, the lowest forecast error is {value:g}.")
        assert any(one.startswith("'lowest'") for one in found) is not right, found
