"""A part of many checks of one kind: chosen by the commit in ``make test``, all in the campaign.

Samples so differ from commit to commit, and repeat within one. Tests that take one are marked
``sampled``; ``make campaign`` sets ``AISCI_TEST_FULL=1`` and runs them with nothing left out.
``make samples`` sets it to ``samples``: every item of each list, and random trials as in ``make test``.
"""

from __future__ import annotations

import functools
import os
import random
import subprocess
from collections.abc import Sequence
from typing import TypeVar

from tests.support.places import ROOT

Item = TypeVar("Item")
FULL = os.environ.get("AISCI_TEST_FULL") == "1"
EVERY_ITEM = FULL or os.environ.get("AISCI_TEST_FULL") == "samples"


@functools.cache
def commit() -> str:
    """The checked-out commit, or a fixed word outside a checkout."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "no commit"


def some(of: Sequence[Item], count: int, salt: str = "") -> list[Item]:
    """``count`` of them, in their own order; all in ``make samples`` and the campaign."""
    if EVERY_ITEM or count >= len(of):
        return list(of)
    chosen = random.Random(f"{commit()} {salt}").sample(range(len(of)), count)
    return [of[place] for place in sorted(chosen)]


def examples(count: int) -> int:
    """How many examples hypothesis tries where ``make test`` is content with ``count``."""
    return 20 * count if FULL else count
