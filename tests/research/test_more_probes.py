"""Distances of runs, counts of runs, lists that are numbered by hand, metrics named by formulae, and papers whose
sections are not ours: true sentences hold, and false ones that differ in one thing are seen.
"""

from __future__ import annotations

import pytest

from tests.support import (
    compared_probes,
    formula_probes,
    import_probes,
    other_compared_probes,
    other_formula_probes,
    other_import_probes,
)
from tests.support import probe_study as study

AUTHORS = ("typed all", "could refer")
WAYS = ("folder", "study")
_COMPARED = {"first": compared_probes, "other": other_compared_probes}
_FORMULAE = {"first": formula_probes, "other": other_formula_probes}
_PAPERS = {"first": import_probes, "other": other_import_probes}


@pytest.mark.parametrize("author", AUTHORS)
@pytest.mark.parametrize(
    ("wording", "kind"), [(name, kind) for name, one in _COMPARED.items() for kind in one.TRUE]
)
def test_what_is_said_of_several_runs_holds_if_it_is_true_and_is_seen_if_not(
    wording: str, kind: str, author: str
) -> None:
    probes, strict = _COMPARED[wording], author == AUTHORS[1]
    refused = [
        (text, said) for text in probes.TRUE[kind] if (said := study.problems(text, strict=strict))
    ]
    passed = [text for text in probes.FALSE[kind] if not study.problems(text, strict=strict)]
    assert refused == []
    assert passed == []


@pytest.mark.parametrize("author", AUTHORS)
@pytest.mark.parametrize("name", formula_probes.TRUE)
@pytest.mark.parametrize("wording", _FORMULAE)
def test_a_symbol_names_the_metric_that_it_stands_for(wording: str, name: str, author: str) -> None:
    probes, strict = _FORMULAE[wording], author == AUTHORS[1]
    refused = [
        (text, said)
        for text in probes.TRUE[name]
        if (said := formula_probes.problems(name, text, strict=strict))
    ]
    passed = [
        text
        for text in probes.FALSE[name]
        if not formula_probes.problems(name, text, strict=strict)
    ]
    assert refused == []
    assert passed == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", import_probes.TRUE)
@pytest.mark.parametrize("wording", _PAPERS)
def test_a_strangers_paper_is_read_under_every_heading_and_with_what_it_says_of_errors(
    wording: str, kind: str, way: str
) -> None:
    probes = _PAPERS[wording]
    refused = [
        (tex, said) for tex in probes.TRUE[kind] if (said := import_probes.problems(tex)[way])
    ]
    passed = [tex for tex in probes.FALSE[kind] if not import_probes.problems(tex)[way]]
    assert refused == []
    assert passed == []


@pytest.mark.parametrize("author", AUTHORS)
def test_true_sentences_with_the_same_words_in_another_sense_hold(author: str) -> None:
    strict = author == AUTHORS[1]
    refused = [
        (text, said)
        for text in other_compared_probes.MISLEADING
        if (said := study.problems(text, strict=strict))
    ]
    assert refused == []
    assert len(other_compared_probes.MISLEADING) > 30


def test_how_a_sentence_about_several_runs_was_read_is_told() -> None:
    said = [
        study.problems("On enwik8, run 1 and run 2 differ by less than 0.05 in validation loss."),
        study.problems("Only one run gets above an accuracy of 70\\% on enwik8."),
    ]
    assert "difference between any two of run 1 (run 1), run 2 (run 2): below" in said[0][0]
    assert "only 1 of 4 runs: above 70%; data set: enwik8; metric: val_acc_mean" in said[1][0]
