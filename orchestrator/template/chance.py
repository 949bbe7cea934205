"""How often chance alone makes a difference that counts: two runs that differ in nothing but their noise."""

from __future__ import annotations

import math

from orchestrator.template.comparisons import CLEAR


def clear_by_chance(seeds: int) -> float:
    """The share of differences over so many pairs of seeds, of normal noise alone, that exceed :data:`CLEAR` errors.

    Both tails of Student's t with ``seeds - 1`` degrees of freedom, by the finite sums of Abramowitz and Stegun,
    Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4. Raises :class:`ValueError` below two seeds.
    """
    if seeds < 2:  # one pair has no error
        raise ValueError(f"{seeds} pairs of seeds have no error")
    freedom = seeds - 1
    angle = math.atan(CLEAR / math.sqrt(freedom))
    if freedom == 1:
        return 1 - 2 * angle / math.pi
    odd = freedom % 2
    term, total = (math.cos(angle), math.cos(angle)) if odd else (1.0, 1.0)
    for k in range(2 + odd, freedom - 1, 2):
        term *= (k - 1) / k * math.cos(angle) ** 2
        total += term
    inside = math.sin(angle) * total
    return 1 - (2 / math.pi * (angle + inside) if odd else inside)
