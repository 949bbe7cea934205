"""Twenty searches for a paper's references: what they add to a study of seven runs."""

from __future__ import annotations

import pytest

from tests.support import estimate_bench as bench
from tests.support import many_searches as many


@pytest.mark.program
def test_a_study_of_seven_runs_with_twenty_searches_takes_less_than_740_thousand_prompt_tokens() -> (
    None
):
    use, searches = many.searched_study("nanoGPT_lite")
    took = bench.tokens_of(use)
    assert len(searches) == len(set(searches)) == many.SEARCHES - many.TITLES
    assert took["sent"] <= 740_000
    assert took["repeated"] / took["sent"] >= 0.58
    rows = took["requests, sent, repeated, answered"]
    requests, sent, repeated, _ = rows["cite.draft"]
    assert requests == 3, "eight searches at once, then two, then none"
    assert sent <= 60_000
    assert repeated >= 0.55 * sent, "each round repeats the whole one before it"
    assert rows["cite.pick"][2] >= 0.95 * rows["writeup.queries"][1], "it goes on where they began"
