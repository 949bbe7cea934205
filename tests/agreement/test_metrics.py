"""Metrics of agreement: by hand, by their definitions, and against published rows."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.agreement import metrics
from orchestrator.agreement.bootstrap import measure, quantile
from orchestrator.agreement.joining import Case
from orchestrator.agreement.metrics import Confusion
from orchestrator.agreement.published import AT_SIX, ONE, PublishedRow


def case(
    accepted: int, accepts: int | None, overall: float | None, rating: float | None = None
) -> Case:
    said = None if accepts is None else bool(accepts)
    return Case(accepted=bool(accepted), accepts=said, overall=overall, rating=rating)


TABLE = [
    case(1, 1, 8, 7.0),
    case(1, 1, 6, 6.0),
    case(1, 0, 5, 6.5),
    case(0, 1, 6, 5.0),
    case(0, 0, 5, 4.0),
    case(0, 0, 3, 3.0),
    case(0, 0, 3, 4.0),
    case(0, 0, 2, 1.0),
]


def test_a_small_table_has_the_metrics_computed_by_hand() -> None:
    """2 of 3 accepted papers found, 1 of 5 rejected ones accepted. Of the 15 pairs of an accepted and
    a rejected paper 8 wins all 5, 6 wins 4 and ties one, 5 wins 3 and ties one: (5 + 4.5 + 3.5) / 15.
    """
    found = measure(TABLE, draws=50)
    assert found.confusion == Confusion(tp=2, fp=1, tn=4, fn=1)
    assert {name: one.value for name, one in found.decided.items()} == pytest.approx({
        "accuracy": 6 / 8,
        "balanced accuracy": (2 / 3 + 4 / 5) / 2,
        "F1": 4 / 6,
        "FPR": 1 / 5,
        "FNR": 1 / 3,
    })  # fmt: skip
    assert found.area.value == pytest.approx(13 / 15)
    assert found.thresholds[6]["accuracy"].value == pytest.approx(6 / 8)
    assert found.thresholds[5]["FPR"].value == pytest.approx(2 / 5)
    assert (found.papers, found.accepted) == (8, 3)


def test_at_the_suggested_threshold_as_many_are_accepted_as_people_accept() -> None:
    """3 of 8 papers score 6 or more; of equally near thresholds the higher is taken."""
    assert measure(TABLE, draws=1).suggested == 6
    assert (
        measure([case(1, 1, 2), case(0, 0, 2), case(0, 0, 2), case(1, 1, 2)], draws=1).suggested
        == 10
    )


def test_always_reject_has_the_rates_of_the_published_row() -> None:
    said = Confusion(tp=0, fp=0, tn=59, fn=41).rates()
    assert said == {"accuracy": 0.59, "balanced accuracy": 0.5, "F1": 0.0, "FPR": 0.0, "FNR": 1.0}


@pytest.mark.parametrize("row", [ONE, AT_SIX], ids=lambda row: row.name)
def test_some_counts_of_the_published_set_give_each_figure_of_a_published_row(
    row: PublishedRow,
) -> None:
    """Of its 500 papers 184 were accepted. A metric of another definition would have no such counts."""
    names = {
        "accuracy": row.accuracy, "balanced accuracy": row.balanced, "F1": row.f1, "FPR": row.fpr,
        "FNR": row.fnr,
    }  # fmt: skip
    matching = [
        (fp, fn)
        for fp, fn in itertools.product(range(317), range(185))
        for rates in [Confusion(tp=184 - fn, fp=fp, tn=316 - fp, fn=fn).rates()]
        if all(abs((rates[name] or 0.0) - value) <= 0.0050001 for name, value in names.items())
    ]
    assert matching
    assert row.auc == row.balanced, "the area under the curve of a decision"


def test_a_metric_without_a_denominator_is_undefined_and_fills_no_interval() -> None:
    found = measure([case(1, 1, 6), case(1, 0, 5), case(1, None, None)], draws=20)
    assert (found.decided["FPR"].value, found.decided["FPR"].draws) == (None, 0)
    assert (found.area.value, found.correlation.value) == (None, None)
    assert (found.decided["FNR"].papers, found.thresholds[6]["FNR"].papers) == (2, 2)
    assert measure([case(1, 1, None), case(0, 0, None)], draws=5).suggested is None


_SCORES = st.lists(
    st.tuples(st.booleans(), st.integers(1, 10), st.integers(1, 10)), min_size=2, max_size=12
)


@given(_SCORES)
def test_the_area_is_the_share_of_pairs_in_the_right_order(
    rows: list[tuple[bool, int, int]],
) -> None:
    cases = Counter(case(yes, None, score) for yes, score, _ in rows)
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for (yes, a, _), (no, b, _) in itertools.product(rows, rows)
        if yes and not no
    ]
    expected = sum(pairs) / len(pairs) if pairs else None
    assert metrics.area(metrics.by_score(cases)) == (
        None if expected is None else pytest.approx(expected)
    )


@given(_SCORES)
def test_the_rank_correlation_is_that_of_mean_ranks(rows: list[tuple[bool, int, int]]) -> None:
    cases = Counter(case(1, None, score, rating) for _, score, rating in rows)

    def ranks(values: list[int]) -> list[float]:
        return [
            sum(other < one for other in values) + (sum(other == one for other in values) + 1) / 2
            for one in values
        ]

    x, y = ranks([score for _, score, _ in rows]), ranks([rating for *_, rating in rows])
    middle = (len(rows) + 1) / 2
    both = sum((a - middle) * (b - middle) for a, b in zip(x, y, strict=True))
    size = (sum((a - middle) ** 2 for a in x) * sum((b - middle) ** 2 for b in y)) ** 0.5
    expected = None if size == 0 else pytest.approx(both / size, abs=1e-9)
    assert metrics.rank_correlation(cases) == expected


def test_intervals_are_the_same_each_time_and_narrow_with_more_papers() -> None:
    few, many = measure(TABLE * 4, draws=400), measure(TABLE * 40, draws=400)
    assert measure(TABLE * 4, draws=400) == few
    assert measure(TABLE * 4, draws=400, seed=1) != few

    def width(name: str) -> float:
        one, other = few.decided[name], many.decided[name]
        assert one.low is not None
        assert one.high is not None
        assert one.value is not None
        assert one.low < one.value < one.high
        return ((other.high or 0) - (other.low or 0)) / (one.high - one.low)

    for name in metrics.RATES:
        assert 0.2 < width(name) < 0.5, "about one over the root of ten"


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of 200 samples of 100 papers with a true accuracy of 0.7, near 95 % of intervals hold it."""
    chance = random.Random(5)
    held = 0
    for _ in range(200):
        papers = [case(1, int(chance.random() < 0.7), None) for _ in range(100)]
        one = measure(papers, draws=200, seed=chance.randrange(10**6)).decided["accuracy"]
        held += (one.low or 0) <= 0.7 <= (one.high or 0)
    assert 178 <= held <= 199


def test_a_quantile_lies_between_the_two_nearest_values() -> None:
    assert [quantile([0.0, 1.0, 4.0], share) for share in (0, 0.25, 0.75, 1)] == [0, 0.5, 2.5, 4]
    assert quantile([3.0], 0.975) == 3.0
