"""Sentences about three kept studies as people write papers, each true one beside one that is false in a plain way."""

from __future__ import annotations

import pytest

from tests.support import (
    fifth_paired_sentences,
    fourth_paired_sentences,
    misleading_sentences,
    other_paired_sentences,
    paired_references,
    paired_sentences,
    probe_study,
    third_paired_sentences,
    trial,
)

TYPED = (
    *paired_sentences.TYPED,
    *other_paired_sentences.TYPED,
    *third_paired_sentences.TYPED,
    *fourth_paired_sentences.TYPED,
    *fifth_paired_sentences.TYPED,
)
REFERRED = (
    *paired_references.REFERRED,
    *other_paired_sentences.REFERRED,
    *third_paired_sentences.REFERRED,
    *fourth_paired_sentences.REFERRED,
    *fifth_paired_sentences.REFERRED,
)
REFUSED = {
    "Run 3 forecasts worse than run 2 (6.82 versus 4.37 people per day).",
    "Weight decay is 0.5 in all runs except run 5, where it is 0.",
}
"""True, and no rule reads them: a metric that only a verb names, a setting that "it" stands for."""
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
    "With 0.950, run 3 covers fewer of the true values than run 1 with 0.942 (coverage 90).",
    r"The fluctuation on x\_minus\_y is lower in run 7 than in the baseline.",
    r"\emph{Shift eight 480} takes characters from \settingof{shift one 480}{SHIFT} places earlier.",
}
"""False, and no rule sees them: a setting that is a run's name, a product of settings, words whose runs nothing names."""

MADE_TRUE = (
    "On enwik8 the best validation loss is 0.970 in run 1; the others reach 1.013, 1.053 and 1.030.",
    "On enwik8, run 2 takes 1500 s and run 1 takes 2510 s, so every run but run 3 trains in 2600 s or less.",
    "On enwik8, run 2 trains in 2500 s or less.",
    "On enwik8, in validation loss none is worse than the 1.053 of run 2.",
    "On enwik8 the validation loss is 1.013 in the baseline and 1.030 in run 3; the former is less than 0.02 below the latter.",
    "On enwik8, run 3's validation loss of 1.030 trails the best run by less than 0.1.",
    "On enwik8, no run has a lower validation loss than run 1.",
    "On enwik8 run 3 has a validation loss of 1.030 and the baseline one of 1.013; the two differ by 1.6 standard errors.",
)
"""About the made study of ``probe_study``: once refused, and true."""
MADE_FALSE = (
    "On enwik8 the best validation loss is 0.970 in run 1; the others reach 1.013, 1.053 and 1.090.",
    "On enwik8, run 1 trains in 2500 s or less.",
    "On enwik8, in validation loss none is worse than the 1.030 of run 3.",
    "On enwik8 the validation loss is 1.013 in the baseline and 1.053 in run 2; the former is less than 0.02 below the latter.",
    "On enwik8, run 3's validation loss of 1.030 trails the best run by less than 0.05.",
    "On enwik8, no run gets below a validation loss of 1.0.",
    "On enwik8, no run has a validation loss above 1.0.",
    "On enwik8, no run has a lower validation loss than run 3.",
    r"On shakespeare\_char, no run has a validation loss above 1.45 except run 2.",
    "On enwik8 run 3 has a validation loss of 1.030 and the baseline one of 1.013; the two differ by 4.7 standard errors.",
)
"""Once passed, and false."""


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


@pytest.mark.parametrize("strict", [False, True], ids=["typed all", "could refer"])
@pytest.mark.parametrize(
    ("text", "true"), [*((t, True) for t in MADE_TRUE), *((t, False) for t in MADE_FALSE)]
)
def test_what_was_read_wrongly_once_is_read_now(text: str, true: bool, strict: bool) -> None:  # noqa: FBT001 - of pytest
    assert (probe_study.problems(text, strict=strict) == []) is true
