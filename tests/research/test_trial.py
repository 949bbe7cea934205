"""Sentences of known truth, and how many the check sees and refuses.

The bounds are what was measured, with a little room; docs/paper.md tells the rates.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.claims.macros import rendered
from orchestrator.research.claims.settings import settings_in
from orchestrator.research.prompts import data_blocks
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


def test_with_a_reader_every_false_sentence_is_found_and_few_true_ones_are_doubted() -> None:
    """The reader is a language model; its answers to these requests are kept. A typed paper of a folder is judged by
    its reader, who sees what the program cannot trace.
    """
    for kind, strict in (("referred", True), ("typed", False)):
        rows, doubts = trial.sentences(kind), trial.doubted(kind)
        by_reader = trial.shares([(row["true"], at in doubts) for at, row in enumerate(rows)])
        either = trial.shares(
            [
                (row["true"], at in doubts or bool(problems))
                for at, row in enumerate(rows)
                for problems in [trial.problems(row, strict=strict)]
            ]
        )
        refused, found = either if strict else by_reader
        assert refused <= (0.02 if strict else 0.05)
        assert found >= 0.99


def test_a_reader_is_asked_with_the_results_the_code_and_each_sentence_of_a_set() -> None:
    for name, places in trial.batches("typed").items():
        rows = trial.sentences("typed")
        asked = trial.reader_request(name.split("-")[1], [rows[at] for at in places[:3]])
        text = "\n".join(one.content for one in asked.messages)
        blocks = data_blocks(text)
        assert sum(map(len, blocks["sentences"].values())) == 3
        assert {"results", "comparisons", "values_per_seed", "differences"} <= set(blocks)
        assert "experiment.py" in text


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


NANO = "python_docs}{full_test_loss"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("In seed 1341 the loss of shift one 480 is higher.", ""),
        ("In seed 1399 the loss of shift one 480 is higher.", "'1399' is not what was measured"),
        (r"Counts of triples reach \mean{baseline}{python_docs}{trigram_loss}.", ""),
        (r"The test loss of shift one triples that of baseline.", "no factor between these runs"),
        (
            (
                rf"Baseline, with \mean{{baseline}}{{{NANO}}}, and shift one, with \mean{{shift one}}{{{NANO}}}, both stay "
                r"above the bigram loss of \mean{baseline}{python_docs}{bigram_loss}."
            ),
            "",
        ),
        (
            (
                rf"The full test loss of baseline of \mean{{baseline}}{{{NANO}}} stays below the bigram loss of "
                r"\mean{baseline}{python_docs}{bigram_loss}."
            ),
            "'below' is not so beside bigram_loss",
        ),
        (
            (
                rf"The full test loss of shift eight 480 (\diff{{shift eight 480}}{{baseline 480}}{{{NANO}}}) and of shift "
                rf"eight at MLP 480 (\diff{{shift eight at MLP 480}}{{baseline 480}}{{{NANO}}}) shows no clear difference to "
                "that of baseline 480."
            ),
            "",
        ),
        (
            rf"The full test loss is lower than that of shift eight 480 by \by{{shift eight 480}}{{baseline 480}}{{{NANO}}}.",
            "names another run than its number",
        ),
    ],
)
def test_what_an_author_was_refused_though_it_was_true_passes_and_its_opposite_does_not(
    text: str, wrong: str
) -> None:
    found = check_section(text, trial.ledger("nanoGPT_lite"), "results")
    said = [problem for one in found for problem in one.problems]
    assert any(wrong in problem for problem in said) if wrong else said == []


def test_a_constant_and_a_field_that_differ_in_capitals_alone_are_two_settings() -> None:
    ledger = trial.ledger("nanoGPT_lite")
    printed = [
        rendered(rf"\setting{{{name}}}", ledger, plain=True)[0] for name in ("DROPOUT", "dropout")
    ]
    assert printed == ["0.2", "0.25"]


def test_a_grid_is_no_factor_and_a_call_that_draws_names_no_number() -> None:
    found = settings_in(
        "import numpy as np\nSIDE = 24\ndef draw():\n    return np.random.default_rng(64)\n", "a.py", "smoke",
        frozenset({"smoke"}),
    )  # fmt: skip
    assert [one.name for one in found if one.value == 64] == [""]
    ledger = replace(trial.ledger("nanoGPT_lite"), settings=found, base_settings=found)
    for text in ("Maps have 24 x 24 cells.", "Maps have 24 × 24 cells."):
        assert [one.problems for one in check_section(text, ledger, "setup")] == [()], text


def test_the_default_of_an_option_is_a_number_of_that_option() -> None:
    """Else "whose default is 0.5", said of a constant, is held to the default of any option."""
    found = settings_in(
        "LR = 0.5\np.add_argument('--seed', default=7)\nmost = max(rows, default=3)\n", "a.py",
        "smoke", frozenset({"smoke"}),
    )  # fmt: skip
    assert [(one.name, one.value) for one in found] == [("LR", 0.5), ("seed", 7), ("most", 3)]
    ledger = replace(trial.ledger("nanoGPT_lite"), settings=found, base_settings=found)
    text = "The setting is the constant LR, whose default is {}."
    held = [check_section(text.format(n), ledger, "setup")[0].problems for n in ("0.5", "0.6")]
    assert [bool(one) for one in held] == [False, True]


def test_what_counts_or_sums_from_zero_is_no_setting() -> None:
    code = "STEPS = 0\nwidth = 0\nrate = 0.5\ndone = 0\nwhile done < 3:\n    done += 1\n    rate = rate / 2\n"
    found = settings_in(code, "experiment.py", "full", frozenset({"full"}))
    assert {one.name for one in found if one.whole} == {"STEPS", "width", "rate"}
