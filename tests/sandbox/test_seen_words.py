"""Words of a layer held to what was read: symbols that a formula left on a word hide nothing, and no word hides in them."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from tests.support.places import ROOT


@pytest.fixture(scope="module")
def words() -> ModuleType:
    """The container's own file, which needs nothing beside the standard library."""
    spec = importlib.util.spec_from_file_location(
        "seen_words", ROOT / "sandbox/latex/seen_words.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("word", "telling"),
    [
        ("𝜂𝜆of", False),
        ("𝑔𝑡is", False),
        ("𝜃𝑡have", True),
        ("𝑖𝑔𝑛𝑜𝑟𝑒", True),  # words in letters of formulas are words
        ("αβγδε", True),
        ("𝑥𝑦", False),
        ("accept", True),
    ],
)
def test_what_says_something_must_be_seen(words: ModuleType, word: str, telling: bool) -> None:  # noqa: FBT001 - a table
    assert words.telling(word) is telling


@pytest.mark.parametrize(
    ("word", "read", "alike"),
    [
        ("𝜃𝑡have", "6, have", True),
        ("𝜃𝑡have", "6, lost", False),
        ("𝑖𝑔𝑛𝑜𝑟𝑒", "ignore", True),
        ("𝑖𝑔𝑛𝑜𝑟𝑒", "the loss", False),
    ],
)
def test_a_word_is_what_was_read_of_its_letters(
    words: ModuleType,
    word: str,
    read: str,
    alike: bool,  # noqa: FBT001 - a table
) -> None:
    assert words.alike(word, read) is alike
