"""`aisci compare` answers first: the best of either run in each headline metric, and in one line who is better."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.api.headlines import MetricKey, headline_rows
from orchestrator.console.headlines import drawn_headlines
from orchestrator.report.measured import MeanError

DIRECTIONS = {"loss": "lower", "acc": "higher", "steps": "none"}
BASE: dict[MetricKey, MeanError] = {
    ("", "baseline", "d", "loss"): (2.0, 0.1),
    ("", "baseline", "d", "acc"): (0.5, 0.01),
}
A = BASE | {
    ("idea a", "run 1", "d", "loss"): (1.9, 0.1),
    ("idea a", "run 2", "d", "loss"): (1.5, 0.1),
    ("idea a", "run 1", "d", "acc"): (0.9, 0.01),
    ("idea a", "run 1", "d", "steps"): (7.0, 0.0),
}
B = BASE | {
    ("idea b", "run 1", "d", "loss"): (1.0, 0.1),
    ("idea b", "run 1", "d", "acc"): (0.895, 0.01),
}
SIDES = ("t/20260101_000000", "t/20260102_000000")


def said(first: Mapping[MetricKey, MeanError], second: Mapping[MetricKey, MeanError]) -> list[str]:
    rows = list(headline_rows(first, second, DIRECTIONS))
    return [line.plain for line in drawn_headlines(rows, SIDES, 80)]


def test_runs_of_different_ideas_are_compared_by_their_best_values() -> None:
    loss, acc = headline_rows(A, B, DIRECTIONS)
    assert (loss.first, loss.second, loss.better) == ((1.5, 0.1), (1.0, 0.1), "second")
    assert (acc.first, acc.second, acc.better) == ((0.9, 0.01), (0.895, 0.01), "")
    assert loss.baseline == (2.0, 0.1)


def test_the_table_fits_80_columns_and_ends_with_the_answer() -> None:
    lines = said(A, B)
    assert lines[:2] == ["A: t/20260101_000000", "B: t/20260102_000000"]
    assert max(map(len, lines)) <= 80
    (row,) = (line for line in lines if line.startswith("d loss"))
    assert row.split() == [
        "d",
        "loss",
        "↓",
        "2",
        "±",
        "0.1",
        "1.5",
        "±",
        "0.1",
        "1",
        "±",
        "0.1",
        "B",
        "better",
    ]
    assert lines[-1].startswith("B is better in 1 of 2 by more than the standard errors")


def test_a_value_without_an_error_gives_no_verdict() -> None:
    bare = B | {
        ("idea b", "run 1", "d", "loss"): (1.0, None),
        ("idea b", "run 1", "d", "acc"): (1, None),
    }
    assert [row.better for row in headline_rows(A, bare, DIRECTIONS)] == [None, None]
    assert said(A, bare)[-1].startswith("no headline metric has a best value with")


def test_runs_that_measured_nothing_are_told_so() -> None:
    words = "no headline metric was measured (`headline: true` in template.yaml makes a metric one)"
    assert " ".join(said({}, {})).endswith(words)


def test_different_baselines_are_marked() -> None:
    other = B | {("", "baseline", "d", "loss"): (2.5, 0.1)}
    assert any(line.startswith("* the two runs measured different") for line in said(A, other))
