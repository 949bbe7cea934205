"""Sentences about three kept studies as people write papers, each true one beside one that is false in a plain way."""

from __future__ import annotations

import pytest

from tests.support import (
    fourth_paired_sentences,
    misleading_sentences,
    other_paired_sentences,
    paired_references,
    paired_sentences,
    third_paired_sentences,
    trial,
)

TYPED = (
    *paired_sentences.TYPED,
    *other_paired_sentences.TYPED,
    *third_paired_sentences.TYPED,
    *fourth_paired_sentences.TYPED,
)
REFERRED = (
    *paired_references.REFERRED,
    *other_paired_sentences.REFERRED,
    *third_paired_sentences.REFERRED,
    *fourth_paired_sentences.REFERRED,
)
REFUSED = {"Run 3 forecasts worse than run 2 (6.82 versus 4.37 people per day)."}
"""True, and no rule reads them: a metric that only a verb names."""
MISSED = {
    r"The baseline makes 540 updates with a batch of 128 pairs and a weight decay of 0.5.",
    "The batch has 16 windows of 64 characters.",
    r"On x\_minus\_y dropping weight decay (run 5) makes the final held-out loss far better: 7.910 instead of 0.266.",
    "In all runs but one the parameter error is below 0.25.",
    "The full test loss of run 2 is below 2, that of run 3 above.",
    "In forecast error run 2 (4.37) and run 5 (4.86) stand out from the other runs, which lie above 8.",
    "Doubling the updates more than triples the context gain, from 0.115 to 0.242.",
    r"On \texttt{x\_minus\_y} removing weight decay adds \by{540 no decay}{540 updates}{x_minus_y}{final_val_acc} of final held-out accuracy.",
    r"The shift by eight lowers the full test loss clearly: \emph{shift eight 480} is at \mean{shift eight 480}{python_docs}{full_test_loss}, \emph{baseline 480} at \mean{baseline 480}{python_docs}{full_test_loss}.",
}
"""False, and no rule sees them: a setting that is a run's name, a product of settings, words whose runs nothing names."""


def wrong(study: str, text: str, *, strict: bool) -> list[str]:
    row = {"study": study, "section": "Results", "text": text}
    return trial.problems(row, strict=strict)


@pytest.mark.parametrize(("study", "kind", "true", "false"), TYPED)
def test_a_typed_sentence_holds_if_it_is_true_and_is_seen_if_not(
    study: str, kind: str, true: str, false: str
) -> None:
    assert bool(wrong(study, true, strict=False)) == (true in REFUSED), kind
    assert bool(wrong(study, false, strict=False)) == (false not in MISSED), kind


@pytest.mark.parametrize(("study", "kind", "true", "false"), REFERRED)
def test_a_sentence_with_its_numbers_by_reference_holds_if_it_is_true_and_is_seen_if_not(
    study: str, kind: str, true: str, false: str
) -> None:
    assert wrong(study, true, strict=True) == [], kind
    assert bool(wrong(study, false, strict=True)) == (false not in MISSED), kind


@pytest.mark.parametrize(("study", "text"), misleading_sentences.TRUE)
def test_a_true_sentence_holds_that_has_the_words_of_a_rule_in_another_sense(
    study: str, text: str
) -> None:
    assert wrong(study, text, strict=False) == []
