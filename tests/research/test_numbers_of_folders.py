"""Numbers as people's papers print them: the true form passes, its false sibling is refused."""

from __future__ import annotations

import pytest

from orchestrator.research.claims.check import check_source
from orchestrator.research.claims.ledger import Cell, KnownMetric, KnownRun, Ledger
from orchestrator.research.paper.latex import BEGIN, END

_MEANS = {
    ("enwik8", "val_loss_mean"): (1.10, 1.05, 1.20),
    ("enwik8", "val_acc_mean"): (0.70, 0.74, 0.65),
    ("enwik8", "train_time_sec_mean"): (2400, 2500, 1200),
    ("text", "val_loss_mean"): (1.52, 1.40, 1.60),
    ("text", "val_acc_mean"): (0.80, 0.88, 0.76),
    ("text", "train_time_sec_mean"): (1200, 1300, 600),
}
_ERRORS = {"val_loss_mean": 0.0115, "val_acc_mean": 0.0058, "train_time_sec_mean": 5.77}
_METRICS = tuple(
    KnownMetric(name=name, share=name == "val_acc_mean")
    for name in ("val_loss_mean", "val_acc_mean", "train_time_sec_mean")
)
LEDGER = Ledger(
    runs=tuple(KnownRun(number=n, name=f"run {n}" if n else "baseline") for n in range(3)),
    datasets=("text", "enwik8"),
    metrics=_METRICS,
    cells={
        (run, data, metric): Cell(mean, _ERRORS[metric])
        for (data, metric), means in _MEANS.items()
        for run, mean in enumerate(means)
    },
)
"""What a folder of results says whose template declares nothing."""


def problems(text: str, ledger: Ledger = LEDGER, heading: str = "Results") -> list[str]:
    tex = rf"{BEGIN}\section{{{heading}}}{text}{END}"
    rows = check_source(tex, ledger, strict=False)
    return [one for row in rows for one in row.problems]


def passes_and_refuses(true: str, false: str) -> None:
    assert problems(true) == []
    assert problems(false) != []


@pytest.mark.parametrize(
    "number", ["$10^{308}$", "1e400", "$-10^{400}$", "1e99999999999999999999", "9.9e307"]
)
@pytest.mark.parametrize(
    "sentence", ["The space has {} points.", "Of {} tasks, one per seed, we say it is about {}."]
)
def test_a_number_too_large_for_arithmetic_is_not_carried(number: str, sentence: str) -> None:
    said = " ".join(problems(sentence.format(number, number)))
    assert "is not what was measured or set" in said


def test_a_number_too_small_for_arithmetic_is_not_carried_either() -> None:
    passes_and_refuses(
        "Run 1 has a validation loss of 1.05 on enwik8.",
        "Run 1 has a validation loss of 1e-99999999999999999999 on enwik8.",
    )
