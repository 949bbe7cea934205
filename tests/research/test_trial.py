"""Sentences of known truth, and how many the check sees and refuses.

The bounds are what was measured, with a little room; docs/paper.md tells the rates.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.ledger import Ledger
from tests.support import trial


@pytest.mark.parametrize(
    ("kind", "author", "refused", "found"),
    [
        ("given", "could refer", 0.02, 0.95),
        ("given", "typed all", 0.02, 0.95),
        ("referred", "could refer", 0.02, 0.78),
        ("typed", "typed all", 0.26, 0.68),
    ],
)
def test_a_trial_sets_rates_are_no_worse_than_what_was_measured(
    kind: str, author: str, refused: float, found: float
) -> None:
    strict = author == "could refer"
    wrong, seen = trial.rates(trial.sentences(kind), strict=strict)
    assert wrong <= refused
    assert seen >= found


@pytest.mark.parametrize("study", trial.STUDIES)
def test_a_made_up_number_in_an_abstract_finds_no_source(study: str) -> None:
    """In a sentence that names no run: at most one in a hundred."""
    sample, ledger = random.Random(study), trial.ledger(study)
    forms: tuple[Callable[[], str], ...] = (
        lambda: f"It reaches 0.{sample.randrange(10, 100)}.",
        lambda: f"It reaches {sample.randrange(10, 100)}\\%.",
        lambda: f"Our method is {sample.randrange(11, 99) / 10} times better.",
        lambda: f"The loss falls to 0.{sample.randrange(100, 1000)}.",
        lambda: f"The error changes by 0.{sample.randrange(10, 100)}.",
    )
    texts = [form() for form in forms for _ in range(100)]
    passed = [text for text in texts if not _wrong(text, ledger)]
    assert len(passed) <= len(texts) / 100, passed


def _wrong(text: str, ledger: Ledger) -> bool:
    return any(one.problems for one in check_section(text, ledger, "abstract"))
