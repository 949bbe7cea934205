"""Sentences of typed papers by kind: true ones hold and false ones that differ in one thing are seen."""

from __future__ import annotations

import random

import pytest

from tests.support import generated_probes as generated
from tests.support import more_probes as more
from tests.support import probe_study as study
from tests.support import probes

AUTHORS = ("typed all", "could refer")


@pytest.mark.parametrize("kind", probes.TRUE)
@pytest.mark.parametrize("author", AUTHORS)
def test_true_sentences_of_a_kind_hold(kind: str, author: str) -> None:
    strict = author == AUTHORS[1]
    refused = [
        (text, said) for text in probes.TRUE[kind] if (said := study.problems(text, strict=strict))
    ]
    assert refused == []


@pytest.mark.parametrize("kind", probes.FALSE)
@pytest.mark.parametrize("author", AUTHORS)
def test_false_sentences_of_a_kind_are_seen(kind: str, author: str) -> None:
    strict = author == AUTHORS[1]
    passed = [text for text in probes.FALSE[kind] if not study.problems(text, strict=strict)]
    assert passed == []


def test_the_same_in_other_words() -> None:
    refused = [(text, said) for text in more.OTHER_TRUE if (said := study.problems(text))]
    passed = [text for text in more.OTHER_FALSE if not study.problems(text)]
    assert refused == []
    assert passed == []


def test_every_kind_has_true_and_false_sentences() -> None:
    assert set(probes.TRUE) == set(probes.FALSE)
    assert sum(map(len, probes.TRUE.values())) > 90
    assert sum(map(len, probes.FALSE.values())) > 90


@pytest.mark.parametrize("name", generated.STUDIES)
def test_sentences_made_of_a_kept_studys_own_values_are_told_apart(
    name: str, sample: random.Random
) -> None:
    """Each is made true from the record, and false by one exchange."""
    rows = list(generated.sentences_of(name, sample))
    assert len(rows) > 40
    wrong = [
        (row.kind, row.true, row.text)
        for row in sample.sample(rows, min(len(rows), 80))
        if bool(generated.problems(row, strict=sample.random() < 0.5)) is row.true
    ]
    assert wrong == []


def test_many_words_between_two_numbers_of_a_change_are_read_at_once() -> None:
    """A pattern that tried every way to part the words would never end."""
    words = "considerable improvements " * 40
    assert (
        study.problems(f"On enwik8, the loss goes from 1.01 {words}and 0.97 in run 1.") is not None
    )
