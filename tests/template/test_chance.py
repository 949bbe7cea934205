"""How often noise alone makes a clear difference: by the formula, by integration, by trial."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from orchestrator.template.chance import clear_by_chance
from orchestrator.template.comparisons import CLEAR, verdict_of


def by_integration(seeds: int) -> float:
    """Of Student's density between the two bounds, by Simpson's rule."""
    freedom, parts = seeds - 1, 2_000
    scale = math.gamma((freedom + 1) / 2) / (math.sqrt(freedom * math.pi) * math.gamma(freedom / 2))
    step = CLEAR / parts

    def density(t: float) -> float:
        return scale * float((1 + t * t / freedom) ** (-(freedom + 1) / 2))

    inner = sum((4 if n % 2 else 2) * density(n * step) for n in range(1, parts))
    return 1 - 2 * step / 3 * (density(0) + inner + density(CLEAR))


@pytest.mark.parametrize("seeds", [2, 3, 4, 5, 6, 7, 20, 41])
def test_chance_is_that_of_students_t(seeds: int) -> None:
    assert clear_by_chance(seeds) == pytest.approx(by_integration(seeds), abs=1e-9)


def test_noise_alone_is_called_a_difference_as_often_as_said() -> None:
    chance, trials, found = random.Random(5), 4_000, 0
    for _ in range(trials):
        apart = [chance.gauss(0, 1) for _ in range(3)]
        error = statistics.stdev(apart) / math.sqrt(3)
        found += verdict_of(statistics.fmean(apart), error, "none", paired=True) == "different"
    assert found / trials == pytest.approx(clear_by_chance(3), abs=0.02)


def test_one_seed_has_no_error() -> None:
    with pytest.raises(ValueError, match="1 pairs"):
        clear_by_chance(1)
