"""One thing changed in a finished paper is seen: a digit, a sign, a unit, a run's name, a direction."""

from __future__ import annotations

import random

import pytest

from tests.support import paper_mutations as rig
from tests.support import trial

CERTAIN = {"digit", "sign", "unit"}


@pytest.mark.parametrize("paper", rig.PAPERS)
def test_a_change_of_what_a_printed_number_shows_is_seen(paper: str, sample: random.Random) -> None:
    every = [one for one in rig.mutations(paper, sample) if one.kind in CERTAIN]
    missed = [one for one in every if not rig.is_seen(one, paper)]
    assert len(every) > 80
    assert missed == []


@pytest.mark.parametrize("paper", rig.PAPERS)
def test_another_run_or_direction_beside_a_difference_is_seen(
    paper: str, sample: random.Random
) -> None:
    """All but two of a sample: a name may stand there for another reason."""
    every = [one for one in rig.mutations(paper, sample) if one.kind not in CERTAIN]
    missed = [one for one in every if not rig.is_seen(one, paper)]
    assert len(every) > 20
    assert len(missed) <= 2, [one.after for one in missed]


@pytest.mark.parametrize("paper", rig.PAPERS)
def test_what_real_authors_wrote_is_seldom_refused(paper: str) -> None:
    said = [
        problem
        for section in rig.OWN
        for problem in rig.problems(rig.sections(paper)[section], section, trial.ledger(paper))
    ]
    assert len(said) <= 5, said
