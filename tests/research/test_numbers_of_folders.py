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


DISPLAYS = (
    r"\[ %s \]", r"\begin{equation} %s \label{eq:1} \end{equation}", r"\begin{align*} %s \end{align*}", "\n\\begin{align}\n%s\n\\end{align}\n",
    r"\begin{equation*}\begin{aligned} %s \end{aligned}\end{equation*}", r"\begin{eqnarray} %s \end{eqnarray}", r"\begin{gather} L = \frac{1}{N} \sum_i l_i, \\ %s \end{gather}",
    r"$$ %s $$",
)  # fmt: skip
STATED = (
    (r"\text{validation loss} &= 1.05", r"\text{validation loss} &= 1.15"),
    (r"\mathrm{loss}_{\text{val}} = \mathbf{1.05} \pm 0.01.", r"\mathrm{loss}_{\text{val}} = \mathbf{1.15} \pm 0.01."),
    (r"\text{time} = 2500\,\text{s}", r"\text{time} = 2600\,\text{s}"),
    (r"\text{accuracy} = 74\%", r"\text{accuracy} = 84\%"),
    (r"L \approx 1.05", r"L \approx 1.15"),
)  # fmt: skip


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize(("true", "false"), STATED)
def test_a_result_in_a_displayed_formula_is_held_to_the_record(
    display: str, true: str, false: str
) -> None:
    if display.startswith("$$") and ("&" in true or "mathrm" in true):
        true, false = r"\text{validation loss} = 1.05", r"\text{validation loss} = 1.15"
    said = "On enwik8, run 1 has a validation loss as follows: %s and this is all."
    if "validation" not in true and "L" not in true:
        said = "On enwik8, run 1 gives %s and this is all."
    passes_and_refuses(said % (display % true), said % (display % false))


def test_an_array_in_a_display_is_a_table() -> None:
    rows = r"On enwik8, the validation loss is \[ \begin{array}{lr} \text{baseline} & 1.10 \\ \text{run 1} & 1.%s \end{array} \]"
    passes_and_refuses(rows % "05", rows % "15")


@pytest.mark.parametrize(
    "formula",
    [
        r"L = 0.7 L_1 + 0.3 L_2", r"\mathcal{L}_{\text{total}} = 0.7 \mathcal{L}_{\text{ce}} + 0.3 \cdot \|w\|^2",
        r"\theta_{t+1} = \theta_t - 0.35 \nabla f(\theta_t)", r"\frac{1}{N} \sum_{i=1}^{N} (x_i - 3.7)^2", r"m_t = 0.93 m_{t-1} + (1 - 0.93) g_t",
        r"y = \begin{cases} 1 & \text{if } p > 0.35 \\ 0 & \text{otherwise} \end{cases}", r"A = \begin{pmatrix} 0.93 & 0.07 \\ 0.35 & 0.65 \end{pmatrix}",
        r"p(x) = \frac{1}{\sqrt{2\pi}} e^{-0.57 x^2}, \quad t = 0, 1, \dots, T", r"\text{score} = 0.7 \times \text{recall}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("heading", ["Method", "Results", "Theory"])
def test_a_displayed_formula_over_variables_is_no_result(formula: str, heading: str) -> None:
    assert problems(rf"We use \[ {formula} \] here.", heading=heading) == []


def test_a_setting_in_a_displayed_formula_of_the_method_is_no_result() -> None:
    assert problems(r"We set \[ \gamma = 0.37. \]", heading="Method") == []
    assert problems(r"Run 1 has \[ \text{validation loss} = 1.15. \]", heading="Method") != []


@pytest.mark.parametrize(
    "hidden",
    [r"\iffalse %s\fi", r"\iffalse a \ifx b %s \fi c %s \else\fi", "\\iffalse\n%s\n\n\\fi"],
)
def test_what_is_never_printed_is_not_checked(hidden: str) -> None:
    false = "On enwik8, run 1 has a validation loss of 1.15."
    said = "On enwik8, run 1 has a validation loss of 1.05."
    assert problems(f"{hidden.replace('%s', false)} {said}") == []
    assert problems(f"{hidden.replace('%s', said)} {false}") != []


@pytest.mark.parametrize(
    "shown",
    [
        r"\iffalse x \else %s \fi", r"\iffalse x \fi %s \fi", r"\iffalse %s", r"\iffalse a \iff b \fi %s \fi", r"\iffalsely %s \fi",
        r"\verb|\iffalse| %s \fi", r"\iffalse \iftoggle{a} \fi %s \fi",
    ],
)  # fmt: skip
def test_what_is_printed_beside_a_false_condition_is_checked(shown: str) -> None:
    said = "On enwik8, run 1 has a validation loss of 1.%s."
    passes_and_refuses(shown % (said % "05"), shown % (said % "15"))


@pytest.mark.parametrize("dash", ["--", "-", "---", "$-$", "–", "\\textendash"])
def test_a_dash_in_a_cell_is_no_sign_of_the_next_number(dash: str) -> None:
    rows = r"Run & Train loss & Val loss \\ Baseline & %s & $1.10$ \\ run 1 & %s & %s \\"
    passes_and_refuses(table(rows % (dash, dash, "1.05")), table(rows % (dash, dash, "1.15")))
    assert problems(table(rows % (dash, dash, "$-1.05$"))) != []
    assert problems(table(rows % (dash, dash, "-1.05"))) != []


def test_a_dash_in_a_sentence_is_no_sign_of_the_next_number() -> None:
    said = "On enwik8, the validation loss of run 1 --- %s --- is the lowest."
    passes_and_refuses(said % "1.05", said % "1.15")


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("improves accuracy by 8 percentage points", "improves accuracy by 10 percentage points"),
        ("improves accuracy by 8 points", "improves accuracy by 10 points"),
        (r"improves accuracy by 10\%", r"improves accuracy by 20\%"),
        (r"has an accuracy of 88\%", r"has an accuracy of 90\%"),
        (r"has an accuracy of about 90\%", r"has an accuracy of about 70\%"),
        ("raises accuracy by 8-point steps, by 8 points", "raises accuracy by 10-point steps"),
    ],
)
def test_points_and_percentages_are_printed_to_the_last_digit(true: str, false: str) -> None:
    passes_and_refuses(f"On text, run 1 {true}.", f"On text, run 1 {false}.")


@pytest.mark.parametrize("error", ["0", "0.0", "0.00"])
def test_an_error_that_is_zero_is_printed_as_zero(error: str) -> None:
    cells = {**LEDGER.cells, (1, "enwik8", "val_loss_mean"): Cell(1.05, 0.0, (1.05, 1.05, 1.05))}
    ledger = Ledger(runs=LEDGER.runs, datasets=LEDGER.datasets, metrics=LEDGER.metrics, cells=cells)
    for said in (
        rf"On enwik8, run 1 has a validation loss of $1.05 \pm {error}$.",
        table(rf"Run & Val loss \\ run 1 & $1.05 \pm {error}$ \\"),
    ):
        assert problems(said, ledger) == []
        assert problems(said.replace(error + "$", "0.2$"), ledger) != []


@pytest.mark.parametrize(
    "form",
    [r"$%s \pm 0.6$\%%", r"$(%s\pm0.6)\%%$", r"$%s\%% \pm 0.6\%%$", r"\SI{%s}{\percent}", r"\qty[mode=text]{%s}{\percent}", r"\SI{%s \pm 0.6}{\percent}"],
)  # fmt: skip
def test_a_percentage_with_its_error_is_one(form: str) -> None:
    said = "On text, run 1 reaches an accuracy of %s."
    passes_and_refuses(said % (form % "88.0"), said % (form % "98.0"))


def test_the_error_of_a_percentage_is_checked() -> None:
    said = r"On text, run 1 reaches an accuracy of $(88.0 \pm %s)\%%$."
    passes_and_refuses(said % "0.6", said % "1.6")
    said = r"On enwik8, run 1 reaches a validation loss of $1.05_{\pm %s}$."
    passes_and_refuses(said % "0.01", said % "0.04")


@pytest.mark.parametrize(
    "head",
    [r"Run & Val loss & Val accuracy (\%) \\ \midrule", r"& Loss & \multicolumn{1}{c}{Accuracy} \\ \cmidrule{2-3} Run & & [\%] \\"],
)  # fmt: skip
def test_a_column_headed_percent_has_percentages(head: str) -> None:
    rows = head + r" Baseline & 1.10 & 70.0 \\ run 1 & 1.05 & @ \\"
    for cell in ("74.0", r"$\mathbf{74.0}$", r"$74.0 \pm 0.6$", r"74\%"):
        passes_and_refuses(
            table(rows.replace("@", cell)), table(rows.replace("@", cell.replace("74", "79")))
        )
    assert problems(table(rows.replace("@", "0.74"))) != []


def test_a_metric_that_was_recorded_in_percent_is_printed_with_its_sign() -> None:
    metric = KnownMetric(name="accuracy")
    ledger = Ledger(
        runs=LEDGER.runs[:1],
        datasets=("text",),
        metrics=(metric,),
        cells={(0, "text", "accuracy"): Cell(88.0, 0.6)},
    )
    rows = r"Run & Accuracy (\%%) \\ baseline & $%s \pm 0.6$ \\"
    assert problems(table(rows % "88.0"), ledger) == []
    assert problems(table(rows % "98.0"), ledger) != []


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("takes 2400 seconds", "takes 2400 minutes"),
        (r"takes $2400 \pm 6$ s", r"takes $2400 \pm 6$ ms"),
        ("has a training time of 2400 s", "has a training time of 2400 hours"),
        ("takes 40 minutes", "takes 40 seconds"),
        ("takes 40 min", "takes 44 min"),
        ("takes 0.67 hours", "takes 0.67 minutes"),
        ("has a validation loss of 1.10", "has a validation loss of 1.10 s"),
    ],
)
def test_a_time_has_the_unit_in_which_it_was_recorded_or_is_converted(
    true: str, false: str
) -> None:
    passes_and_refuses(f"The baseline {true} on enwik8.", f"The baseline {false} on enwik8.")
