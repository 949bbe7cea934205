"""Of a test with many cases that needs an engine or a program, a part by the commit; all in the campaign."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.support.sample import some

MANY = 6
"""A test with no more cases than this runs with all of them; of another one about a third is tried."""


def fewer(items: list[pytest.Item]) -> list[pytest.Item]:
    """The items that this commit leaves out; each test of which one is left out keeps :data:`MANY`."""
    cases = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if any(item.get_closest_marker(name) for name in ("engine", "program")):
            cases[item.nodeid.partition("[")[0]].append(item)
    left_out: list[pytest.Item] = []
    for name, mine in cases.items():
        if len(mine) <= MANY:
            continue
        for item in mine:
            item.add_marker("sampled")
        kept = {*some(mine, max(MANY, len(mine) // 3), name)}
        left_out += [item for item in mine if item not in kept]
    return left_out
