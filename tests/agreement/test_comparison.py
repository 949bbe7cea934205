"""The page of a benchmark: its plots, and that nothing in it acts."""

from __future__ import annotations

import re

import pytest

from orchestrator.agreement.bootstrap import measure
from orchestrator.agreement.comparison import comparison_page
from orchestrator.agreement.joining import Case, Uncounted
from tests.report.test_report import ALLOWED, HOSTILE, Tags

DRAWN = {"polyline", "text"}
MANY = [
    Case(accepted=n % 3 == 0, accepts=n % 2 == 0, overall=n % 19 / 2 + 1, rating=n % 7 + 1.0)
    for n in range(60)
]
ONE = [Case(accepted=True, accepts=True)]
ONE_CLASS = [Case(accepted=False, overall=3.0), Case(accepted=False, overall=3.0)]


@pytest.mark.parametrize(
    ("cases", "curves"), [(MANY, 6), (ONE, 1), (ONE_CLASS, 6)], ids=["many", "one", "one class"]
)
def test_a_page_has_its_plots_and_nothing_in_it_acts(cases: list[Case], curves: int) -> None:
    left = [Uncounted(HOSTILE, HOSTILE, HOSTILE)]
    page = comparison_page(HOSTILE, measure(cases, draws=20), left)
    tags = Tags(page)
    assert tags.open == []
    for tag, attributes in tags.found:
        assert tag in ALLOWED | DRAWN
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    points = [
        dict(attributes)["points"] or "" for tag, attributes in tags.found if tag == "polyline"
    ]
    assert len(points) == curves
    assert all(re.fullmatch(r"(-?[\d.]+,-?[\d.]+ ?)*", one) for one in points)


def test_the_page_says_how_many_papers_do_not_count_and_why() -> None:
    left = [Uncounted("p1", "not reviewed"), Uncounted("p2", "not reviewed")]
    page = comparison_page("mine", measure(MANY, draws=5), left)
    assert "2 do not count" in page
    assert "<li>2: not reviewed</li>" in page
    assert "undefined" not in page
    assert "undefined" in comparison_page("mine", measure(ONE, draws=5), ())
