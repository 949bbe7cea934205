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


@pytest.mark.parametrize(
    "command",
    [
        r"\textcolor{blue}{%s}", r"\textcolor[rgb]{0.1,0.2,0.3}{%s}", r"\colorbox{gray!20}{%s}", r"\href{http://x.org/7.5}{%s}",
        r"\scalebox{0.9}{%s}", r"\scalebox{0.9}[0.8]{%s}", r"\resizebox{0.5\textwidth}{!}{%s}", r"\rotatebox[origin=c]{3.5}{%s}",
        r"\fcolorbox{red}{gray!33}{%s}", r"\raisebox{1.5pt}[0pt]{%s}", r"\makebox[3.5cm][l]{%s}", r"\parbox[t]{3.5cm}{%s}",
        r"\framebox{%s}", r"\hyperref[sec:1]{%s}", r"\hyperlink{a.1}{%s}", r"\adjustbox{width=7.5cm}{%s}", r"\mbox{%s}",
        r"\textcolor{blue}{\textbf{%s}}", r"{\color{gray!25}%s}",
    ],
)  # fmt: skip
def test_the_printed_argument_of_a_command_is_text(command: str) -> None:
    for said in ("On enwik8, run 1 reaches a validation loss of 1.%s.",):
        passes_and_refuses(command % (said % "05"), command % (said % "15"))
    said = "On enwik8, run 1 reaches a validation loss of {}."
    passes_and_refuses(said.format(command % "1.05"), said.format(command % "1.15"))


def table(rows: str, caption: str = "Results on enwik8.", columns: str = "lrr") -> str:
    return rf"\begin{{table}}\caption{{{caption}}}\begin{{tabular}}{{{columns}}}{rows}\end{{tabular}}\end{{table}}"


@pytest.mark.parametrize(
    "cell",
    [
        r"run 1 & \cellcolor{gray!20}1.%s \\", r"run 1 & \cellcolor[HTML]{C0C0C0} 1.%s \\", r"\rowcolor{gray!20} run 1 & 1.%s \\",
        r"\rowcolor[gray]{0.9}run 1 & 1.%s \\", r"run 1 & \multicolumn{1}{c}{1.%s} \\", r"\multirow{2}{*}[2.5pt]{run 1} & 1.%s \\",
    ],
)  # fmt: skip
def test_the_colour_of_a_cell_is_no_part_of_its_number(cell: str) -> None:
    head = r"Run & Val loss \\ \midrule Baseline & 1.10 \\ "
    passes_and_refuses(table(head + cell % "05"), table(head + cell % "15"))
