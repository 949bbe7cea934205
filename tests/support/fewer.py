"""Of a test with many cases that needs an engine or a program, a part by the commit; all in the campaign.

A class marked ``sampled`` is such a test, and each test in it a case: the contract of a second
implementation of a port, which the first one's class holds in full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest

from tests.support.sample import some

MANY = 3
"""A test with no more cases than this runs with all of them; of another one about a quarter is tried."""


def fewer(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The items that this commit leaves out; each test of which one is left out keeps :data:`MANY`."""
    cases = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if any(item.get_closest_marker(name) for name in ("engine", "program")):
            cases[_test_of(item)].append(item)
    left_out: list[pytest.Item] = []
    for name, mine in cases.items():
        if len(mine) <= MANY:
            continue
        for item in mine:
            item.add_marker("sampled")
        kept = {*some(mine, max(MANY, len(mine) // 4), name)}
        left_out += [item for item in mine if item not in kept]
    return left_out


def _test_of(item: pytest.Item) -> str:
    """What the item is a case of: its class where that is marked, else its function."""
    function = item.nodeid.partition("[")[0]
    marks = getattr(getattr(item, "cls", None), "pytestmark", ())
    if any(mark.name == "sampled" for mark in marks):
        return function.rpartition("::")[0]
    return function


def asked(request: pytest.FixtureRequest, argument: str) -> set[object]:
    """What a fixture's tests have for one of their arguments, of those that run: it makes no more."""
    calls = (
        item.callspec.params
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
        if request.fixturename in item.fixturenames and hasattr(item, "callspec")
    )
    return {params[argument] for params in calls if argument in params}


def named(word: str) -> bool:
    """Whether an argument of pytest names one case: of a test, or of a class."""
    return "[" in word or word.count("::") > 1
