"""Numbers in a paper: each resolves to something recorded, and a wrong one does not."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.research.paper import quantities as facts
from orchestrator.research.paper.numbers import (
    Quantity,
    format_error,
    format_mean,
    nearest_results,
    numbers,
    quantities_in_scope,
    resolve_number,
    resolve_pair,
    runs_named,
)
from orchestrator.research.paper.prose import visible_text
from orchestrator.research.paper.quantities import from_comparisons, from_results
from orchestrator.template.manifest import Manifest
from orchestrator.template.results import Dataset, Results


def one(text: str, quantities: tuple[Quantity, ...]) -> str | None:
    (number,) = numbers(text)
    found = resolve_number(number, quantities)
    return found.source if found else None


def two_runs() -> tuple[Quantity, ...]:
    base = Results({"a": Dataset({"loss": 0.5123, "acc": 0.913}, {"loss": 0.0123, "acc": 0.004})})
    mine = Results({"a": Dataset({"loss": 0.4098, "acc": 0.9525}, {"loss": 0.0101, "acc": 0.002})})
    return from_results([(0, base), (1, mine)], ("loss", "acc"))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("0.5123", "run 0, a, loss: mean"),
        ("0.512", "run 0, a, loss: mean"),
        ("0.51", "run 0, a, loss: mean"),
        ("0.012", "run 0, a, loss: standard error"),
        ("95.3%", "run 1, a, acc: mean"),
        ("lower by 0.1025", "run 1 against run 0, a, loss: difference"),
        ("-0.1025", "run 1 against run 0, a, loss: difference"),
        ("a fall of 20%", "run 1 against run 0, a, loss: percent change"),
        ("by 20.0 percent", "run 1 against run 0, a, loss: percent change"),
        ("0.80 times", "run 1 against run 0, a, loss: ratio"),
    ],
)
def test_a_printed_form_of_a_result_resolves_to_it(text: str, source: str) -> None:
    assert one(text, two_runs()) == source


@pytest.mark.parametrize(
    "text", ["0.5133", "0.522", "0.6", "0.5", "96.3%", "21%", "0.1035", "17", "1"]
)
def test_a_wrong_or_too_coarse_number_resolves_to_nothing(text: str) -> None:
    assert one(text, two_runs()) is None


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e3))
def test_what_the_program_prints_resolves_to_what_it_printed(mean: float, error: float) -> None:
    quantities = from_results([(0, Results({"a": Dataset({"m": mean}, {"m": error})}))], ())
    assert one(format_error(error), quantities) is not None
    digits = format_mean(mean, error)
    if sum(c.isdigit() for c in digits.lstrip("0.")) >= 2:
        assert one(digits, quantities) is not None


def test_numbers_are_read_as_a_reader_reads_them() -> None:
    text = "S5 and run_1, GPT-2: 3.5k steps, -0.25, 1e-3, 97 %, 2-layer, .5 and v2.0"
    assert [n.value for n in numbers(text)] == [2.0, 3500.0, -0.25, 1e-3, 97.0, 2.0, 0.5]


def test_runs_are_names_and_not_counted() -> None:
    text = "Runs 1, 2 and 3 beat the baseline, run 4 does not: 0.5"
    assert runs_named(text) == {1, 2, 3, 4}
    assert [n.text for n in numbers(text)] == ["0.5"]
    assert runs_named("Runs 1 to 4 agree") == {1, 2, 3, 4}


def test_a_sentence_about_the_baseline_alone_is_held_to_it() -> None:
    assert runs_named("The baseline reaches 0.4.") == {0}
    assert runs_named("All runs beat the baseline: 0.4.") == frozenset()
    assert runs_named("The loss is lower than in the baseline.") == frozenset()


def test_a_sentence_is_held_to_the_run_and_data_set_that_it_names() -> None:
    quantities = two_runs()
    assert one("0.4098", quantities_in_scope(quantities, frozenset({0}))) is None
    assert one("0.4098", quantities_in_scope(quantities, frozenset({1}), ["a"])) is not None
    assert one("0.4098", quantities_in_scope(quantities, frozenset({1}), ["b"])) is None
    assert one("0.4098", quantities_in_scope(quantities, metrics=["acc"])) is None


def test_few_random_numbers_find_a_partner_by_chance() -> None:
    """With five runs and a named run and data set, at most one in eight three-digit numbers."""
    sample = random.Random(7)
    rows = [
        (n, Results({d: Dataset({"loss": sample.random(), "acc": sample.random()}) for d in "ab"}))
        for n in range(6)
    ]
    held = quantities_in_scope(from_results(rows, ("loss", "acc")), frozenset({2}), ["a"])
    tried = [f"0.{sample.randrange(100, 1000)}" for _ in range(400)]
    assert sum(one(text, held) is not None for text in tried) < 50


def test_the_nearest_results_are_named_for_whoever_mends_a_number() -> None:
    (number,) = numbers("0.52")
    assert nearest_results(number, two_runs())[0] == "0.5123 (run 0, a, loss: mean)"


def test_fixed_numbers_come_from_the_manifest_and_the_code() -> None:
    code = 'RATE = 0.001  # step\n@dataclass\nclass A:\n    x: int = 7\nS = Scale(width=128, seeds=(11, 12, 13), name="x9")\n'
    found = tuple(facts.from_code(code, "experiment.py"))
    assert one("128", found) == "experiment.py: width"
    assert one("0.001", found) == "experiment.py: RATE"
    assert one("3", found) == "experiment.py: how many seeds"
    assert one("7", found) == "experiment.py: x"
    assert one("9", found) is None
    assert one("127", found) is None


def test_fixed_numbers_must_be_exact() -> None:
    manifest = Manifest.model_validate(
        {
            "version": 1,
            "name": "t",
            "title": "t",
            "description": "modulo 97",
            "editable": ["experiment.py"],
            "knobs": {
                "decay": {
                    "file": "experiment.py",
                    "constant": "DECAY",
                    "default": 0.5,
                    "values": [0.5, 1.25],
                    "description": "x",
                }
            },
            "scales": {"smoke": {"minutes": 1, "description": "360 updates"}},
        }
    )
    found = tuple(facts.from_manifest(manifest, "smoke"))
    assert one("97", found) is not None
    assert one("1.25", found) is not None
    assert one("360", found) is not None
    assert one("1.3", found) is None
    assert one("96", found) is None


@pytest.mark.parametrize("text", ["1e400", "9e-400", "9" * 5000, "0." + "3" * 5000, "-1e999999999"])
def test_absurd_numbers_resolve_to_nothing(text: str) -> None:
    assert one(text, two_runs()) is None


@pytest.mark.parametrize(
    "text", ["1" * 20_000, "1" + " " * 20_000, "10^" + " " * 20_000, "-" * 20_000, "{" * 20_000]
)
def test_a_page_of_one_character_is_read_to_its_end(text: str) -> None:
    """Text is a model's: a pattern that tries every way to split it would not end for hours."""
    assert len(visible_text(text)) <= 2 * len(text)


def test_a_run_may_be_named_at_the_end_of_a_sentence() -> None:
    assert runs_named("The loss is 0.21 in run 1.") == {1}
    assert runs_named("It falls from run 1 to run 2.") == {1, 2}
    assert runs_named("after run 1.5 epochs") == frozenset()


def test_what_the_host_compared_may_be_printed() -> None:
    runs = [SimpleNamespace(name="baseline", number=0), SimpleNamespace(name="a", number=1)]
    row: dict[str, object] = {"run": "a", "against": "baseline"}
    row |= {"dataset": "line", "metric": "loss"}
    row |= {"difference": -0.76, "error": 0.35, "errors": 2.17, "higher": 22, "lower": None}
    found = from_comparisons([row], runs)  # type: ignore[arg-type]  # only these fields are read
    assert [one.value for one in found] == [-0.76, 0.35, 2.17, 22.0]
    assert {one.runs for one in found} == {frozenset({0, 1})}


# --- within a sentence --------------------------------------------------------------------

RUNS = {0: (0.854, 0.024), 2: (1.758, 0.076)}
QUANTITIES = tuple(
    Quantity(
        value=value,
        source=f"run {run}, task, loss: {kind}",
        runs=frozenset({run}),
        dataset="task",
        metric="loss",
    )
    for run, values in RUNS.items()
    for kind, value in zip(("mean", "standard error"), values, strict=True)
)


def scoped(text: str, *more: Quantity, metrics: tuple[str, ...] = ()) -> tuple[Quantity, ...]:
    return quantities_in_scope((*QUANTITIES, *more), runs_named(text), ["task"], metrics, text)


def test_the_baselines_value_is_no_other_runs() -> None:
    (number,) = numbers("a loss of 0.854")
    assert resolve_number(number, scoped("On task, run 2 reaches a loss of 0.854.")) is None
    beside = scoped("On task, run 2 is above the baseline, whose loss is 0.854.")
    assert resolve_number(number, beside) is QUANTITIES[0]
    difference = replace(
        QUANTITIES[2], value=0.904, source="run 2 - run 0", kind="derived", runs=frozenset({0, 2})
    )
    (number,) = numbers("by 0.904")
    assert (
        resolve_number(number, scoped("On task, run 2 rises by 0.904.", difference)) is difference
    )


def test_a_mean_with_its_error_needs_no_metrics_name_and_one_of_another_metric_is_none() -> None:
    mean, error, wrong = numbers("1.758 and 0.076 and 0.075")
    wide = scoped("On task, run 2 has 1.758 ± 0.076.", metrics=())
    assert resolve_pair(mean, error, wide) == (QUANTITIES[2], QUANTITIES[3])
    assert resolve_pair(mean, wrong, wide) is None


def test_a_setting_is_named_by_all_words_of_its_name() -> None:
    setting = Quantity(value=14.0, source="experiment.py", kind="fixed", name="LATENT_DAYS")
    (number,) = numbers("14 days")
    said = "On task, run 2 keeps the mean latent time of 14 days and loses by loss."
    assert resolve_number(number, scoped(said, setting, metrics=("loss",))) is setting
    other = "On task, run 2 needs 14 days and loses by loss."
    assert resolve_number(number, scoped(other, setting, metrics=("loss",))) is None
