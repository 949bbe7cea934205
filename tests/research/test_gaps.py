"""Two metrics of one run beside each other: printed by reference, told to whoever plans and writes, held to words."""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.research import DeclaredMetric, Plan, Run
from orchestrator.core.tree import Tree
from orchestrator.research.claims.check import check_section
from orchestrator.research.claims.ledger import Cell, Ledger
from orchestrator.research.claims.macros import rendered
from orchestrator.research.paper.cells import printed_value
from orchestrator.research.prompts import from_table
from orchestrator.research.stages.gaps import gap_table
from tests.support import made_ledger as made
from tests.support import paper_rig as rig
from tests.support import trial

SEEDS = {
    "raw_loss": (2.0, 4.0, 7.0, 8.0, 9.0),
    "loss": (1.0, 2.0, 3.0, 4.0, 8.0),
    "other_loss": (9.0, 4.0, 3.0, 9.0, 4.0),
}
_KNOWN = made.known(("baseline", "free"), ("fitted",), tuple(SEEDS))
LEDGER = Ledger(
    runs=_KNOWN.runs,
    datasets=_KNOWN.datasets,
    metrics=_KNOWN.metrics,
    cells={
        **_KNOWN.cells,
        **{
            (1, "fitted", name): Cell(statistics.fmean(row), 0.1, row)
            for name, row in SEEDS.items()
        },
    },
)
GAP = r"\gap{free}{fitted}{raw_loss}"
APART = [one - other for one, other in zip(SEEDS["raw_loss"], SEEDS["loss"], strict=True)]


def wrong(text: str) -> list[str]:
    return [one for row in check_section(text, LEDGER, "results") for one in row.problems]


def test_a_gap_is_printed_with_the_error_of_its_pairs_of_seeds() -> None:
    text, said = rendered(f"{GAP}{{loss}}", LEDGER)
    assert said == ()
    mean, error = statistics.fmean(APART), statistics.stdev(APART) / len(APART) ** 0.5
    assert f"$+{mean:.2f} \\pm {error:.2f}$" in text
    sentence = f"In free the raw loss is above the loss by {text}."
    assert wrong(sentence) == []
    assert wrong(sentence.replace(f"{error:.2f}", "0.10")) != [], "its digits are the record's"
    turned, _ = rendered(r"\gap{free}{fitted}{loss}{raw_loss}", LEDGER)
    assert f"$-{mean:.1f}" in turned


@pytest.mark.parametrize(
    ("other", "true", "false"),
    [
        ("loss", "is clearly above", "shows no clear difference from"),
        ("other_loss", "shows no clear difference from", "is clearly above"),
    ],
)
def test_words_beside_a_gap_are_held_to_it(other: str, true: str, false: str) -> None:
    words = other.replace("_", " ")
    for said, right in ((true, True), (false, False)):
        text = f"In free the raw loss {said} the {words} ({GAP}{{{other}}})."
        assert (wrong(text) == []) == right, text


def test_a_gap_needs_the_same_seeds_and_one_unit() -> None:
    place = 1, "fitted", "loss"
    one_seed = replace(LEDGER, cells={**LEDGER.cells, place: Cell(1.0, None, (1.0,))})
    _, said = rendered(f"{GAP}{{loss}}", one_seed)
    assert "no values for the same seeds" in said[0]
    metrics = tuple(
        replace(one, unit="days") if one.name == "loss" else one for one in LEDGER.metrics
    )
    _, said = rendered(f"{GAP}{{loss}}", replace(LEDGER, metrics=metrics))
    assert "raw_loss and loss are not of one unit" in said[0]


def test_a_gap_may_be_to_the_other_metric_of_another_run() -> None:
    place = 0, "fitted", "loss"
    both = replace(LEDGER, cells={**LEDGER.cells, place: Cell(2.0, 0.1, (3.0, 1.0, 2.0, 2.0, 2.0))})
    text, said = rendered(f"{GAP}{{loss of baseline}}", both)
    assert said == ()
    assert "$+4.0 \\pm 1.4$" in text
    rows = check_section(
        f"The raw loss of free less the loss of baseline is {text}.", both, "results"
    )
    assert [row.problems for row in rows] == [()]
    assert "there is no run 'absent'" in rendered(f"{GAP}{{loss of absent}}", both)[1][0]
    forged = text.replace("gap-1-0-", "gap-1-7-")
    assert any(row.problems for row in check_section(forged, both, "results"))


def test_a_clause_that_names_both_metrics_is_held_to_the_gap_of_its_sentence() -> None:
    """And not to the difference of the run from the baseline, which is clear here."""
    text = (
        "That the raw loss and the other loss of free {}, with a difference of {}, is no evidence."
    )
    gap = f"{GAP}{{other_loss}}"
    assert wrong(text.format("agree", gap)) == []
    assert wrong(text.format("agree", f"{GAP}{{loss}}")) != []


def test_a_difference_that_rounds_to_zero_has_no_sign() -> None:
    assert printed_value(-1e-9, 0.002) == "$0.0000 \\pm 0.0020$"
    row = (1.0, 2.0, 3.0, 4.0, 8.0 + 5e-7)
    near = replace(
        LEDGER,
        cells={**LEDGER.cells, (1, "fitted", "raw_loss"): Cell(3.6, 0.1, (2.0, 1.0, *row[2:]))},
    )
    assert "{$0.00 " in rendered(f"{GAP}{{loss}}", near)[0]


def declared(name: str, unit: str) -> DeclaredMetric:
    return DeclaredMetric(name=name, direction="lower", unit=unit, description="d", headline=False)


def test_a_metric_that_the_study_added_stands_beside_the_one_that_it_is_a_kind_of(
    tmp_path: Path,
) -> None:
    """Not beside what is measured in another unit, and not where a metric is that difference already."""
    here = rig.ports(tmp_path)
    study = rig.study(here.blobs)
    loss = study.metrics["final_val_loss_mean"]
    added = [declared("raw_final_val_loss", loss.unit), declared("late_final_val_loss", loss.unit)]
    added.append(declared("odd_final_val_loss", "furlongs"))
    study = replace(study, plan=Plan(runs=(), metrics=tuple(added)))
    rows = {
        "final_val_loss": SEEDS["loss"],
        "raw_final_val_loss": SEEDS["raw_loss"],
        "late_final_val_loss": SEEDS["other_loss"],
        "odd_final_val_loss": SEEDS["other_loss"],
        "late_less_whole": [a - b for a, b in zip(SEEDS["other_loss"], SEEDS["loss"], strict=True)],
    }
    info = {"line": {"final_info_dict": rows, "means": {}, "stderrs": {}}}
    kept = here.blobs.put(json.dumps(info).encode())
    runs = [
        Run(
            number=number, base=0, name=name, code=Tree(), description="", attempts=1, seconds=1.0,
            files=Tree.of({f"run_{number}/final_info.json": kept}),
        )
        for number, name in ((0, "baseline"), (3, "three"))
    ]  # fmt: skip
    study = replace(study, runs=(runs[0],))
    run = runs[1]
    row, across, *more = from_table(gap_table(study, here.blobs, (run,)))
    assert across["pair"] == "final_val_loss_mean less raw_final_val_loss of baseline"
    assert across["three"][0] == pytest.approx(-statistics.fmean(APART), rel=1e-3)
    assert [one["pair"] for one in more] == []
    assert row["pair"] == "raw_final_val_loss less final_val_loss_mean"
    difference, error, higher, lower = row["three"]
    assert difference == pytest.approx(statistics.fmean(APART), rel=1e-3)
    assert error == pytest.approx(statistics.stdev(APART) / len(APART) ** 0.5, rel=1e-3)
    assert (higher, lower) == (5, 0)
    assert gap_table(replace(study, plan=Plan(runs=())), here.blobs, (run,)) == {}


SECTION = (trial.SENTENCES / "section_with_gaps.tex").read_text()
"""A results section that a language model wrote which had seen nothing but the request for it."""
TURNED = (
    ("lower by", "higher by"), ("lower than", "higher than"),
    ("higher than", "lower than"), ("no clear difference", "a clear difference"),
)  # fmt: skip


def test_a_section_with_gaps_that_a_language_model_wrote_passes_whole() -> None:
    known = trial.ledger("grokking")
    assert rendered(SECTION, known)[1] == ()
    rows = check_section(SECTION, known, "results")
    assert len(rows) > 50
    assert [one.problems for one in rows if one.problems] == []


@pytest.mark.parametrize("words", TURNED, ids=lambda words: words[0])
def test_each_of_its_comparisons_turned_round_is_seen(words: tuple[str, str]) -> None:
    known, tried = trial.ledger("grokking"), 0
    for paragraph in SECTION.split("\n\n"):
        for match in re.finditer(words[0], paragraph):
            turned = paragraph[: match.start()] + words[1] + paragraph[match.end() :]
            assert any(one.problems for one in check_section(turned, known, "results")), turned
            tried += 1
    assert tried
