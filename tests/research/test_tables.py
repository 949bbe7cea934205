"""The tables of a paper: nothing measured is lost, nothing hostile acts, everything fits its page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest

from orchestrator.core.research import Run
from orchestrator.core.tree import Tree
from orchestrator.research.claims.ledger import (
    Cell,
    CodeSetting,
    KnownMetric,
    Ledger,
)
from orchestrator.research.paper import tables
from orchestrator.research.paper.appendix import appendix
from orchestrator.research.paper.cells import printed_setting, printed_value
from orchestrator.research.paper.code_listing import CodeChange, appendix_code
from orchestrator.research.paper.floats import PAGE, SMALLEST, shares, spaced
from orchestrator.research.paper.results_tables import results_tables
from tests.support.made_ledger import SEEDS, changed, known, rows

HOSTILE = r"\end{document} 50% $x_1$ & #~^ {q \input{/etc/passwd}"


def captions(texts: Iterable[str]) -> list[str]:
    return re.findall(r"\\caption\{(.*)\}", "\n".join(texts))


def test_a_row_is_a_run_by_its_name_with_its_value_and_error() -> None:
    (text,) = results_tables(known())
    assert rows(text) == [
        ["baseline", r"$1.00 \pm 0.12$"],
        ["less decay", r"$2.00 \pm 0.12$"],
    ]
    assert "run 1" not in text
    assert r"loss~$\downarrow$" in text
    assert "(nats)" in text
    assert captions([text]) == [
        r"Results on \texttt{plus}: mean $\pm$ standard error over 3 seeds. Arrows point to the better side."
    ]


@pytest.mark.parametrize("count", [1, 4, 5, 9, 23])
def test_every_declared_metric_is_in_a_table(count: int) -> None:
    ledger = known(metrics=[f"metric{at}" for at in range(count)])
    texts = results_tables(ledger)
    for at in range(count):
        heads = [text for text in texts if re.search(rf"metric{at}\b", text.split(r"\midrule")[0])]
        assert len(heads) == 1
    values = {cell for text in texts for row in rows(text) for cell in row[1:]}
    assert values == {printed_value(cell.mean, cell.error) for cell in ledger.cells.values()}


def test_a_narrow_table_takes_a_column_and_a_wide_one_the_page() -> None:
    (narrow,) = results_tables(known())
    (wide,) = results_tables(known(metrics=[f"metric{at}" for at in range(5)]))
    assert narrow.startswith(r"\begin{table}[")
    assert wide.startswith(r"\begin{table*}[")


def test_no_table_is_shrunk_below_its_smallest_size() -> None:
    parts = shares([100.0] * 9, fixed=120.0)
    assert [range(9)[part] for part in parts] == [range(3), range(3, 6), range(6, 9)]
    assert all(120 + 100 * len(range(9)[part]) <= PAGE / SMALLEST for part in parts)
    assert len(shares([9 * PAGE, 10.0], fixed=120.0)) == 2, "a column too wide has its own table"


def test_all_rows_of_a_long_table_are_there_on_pages_with_the_same_heading() -> None:
    ledger = known(runs=[f"run{at}" for at in range(130)], datasets=["plus", "minus"])
    texts = results_tables(ledger)
    found = [row[0].removeprefix(r"\quad ") for text in texts for row in rows(text)]
    assert found == ["baseline", *(f"run{at}" for at in range(1, 130))] * 2
    assert max(len(rows(text)) for text in texts) <= 46
    assert len(captions(texts)) == 1
    assert all(r"Table~\ref{tab:results} (continued)" in text for text in texts[1:])
    assert len({text.split(r"\toprule")[1].split(r"\midrule")[0] for text in texts}) == 1
    assert r"\texttt{plus} (continued)" in texts[1]


def test_what_equals_the_baseline_in_every_run_is_a_sentence_with_its_value() -> None:
    same = Cell(4.5, 0.25, SEEDS)
    ledger = changed(
        known(datasets=["plus", "minus"], metrics=["loss", "size"]),
        r0_plus_size=same,
        r1_plus_size=same,
        r0_minus_size=same,
        r1_minus_size=same,
        r0_minus_loss=same,
        r1_minus_loss=same,
    )
    (text,) = results_tables(ledger)
    assert [row[0] for row in rows(text)] == ["baseline", "less decay"]
    assert (
        r"Equal in every run, and left out: size $4.50 \pm 0.25$ on \texttt{plus}, $4.50 \pm 0.25$ "
        r"on \texttt{minus}; loss $4.50 \pm 0.25$ on \texttt{minus}." in text
    )


def test_what_is_equal_only_as_printed_stays() -> None:
    ledger = changed(
        known(metrics=["loss", "size"]),
        r0_plus_loss=Cell(4.5, 0.25, SEEDS),
        r1_plus_loss=Cell(4.5001, 0.25, SEEDS),
    )
    (text,) = results_tables(ledger)
    assert [len(row) for row in rows(text)] == [3, 3]
    assert "left out" not in text


def test_a_study_that_declares_no_headline_shows_its_first_metrics() -> None:
    ledger = known(metrics=[f"metric{at}" for at in range(6)])
    plain = tuple(KnownMetric(name=one.name) for one in ledger.metrics)
    (text,) = results_tables(
        Ledger(runs=ledger.runs, datasets=ledger.datasets, metrics=plain, cells=ledger.cells)
    )
    assert re.findall(r"metric\d", text) == ["metric0", "metric1", "metric2", "metric3"]
    assert "Arrows" not in text


def test_a_study_whose_runs_are_all_equal_and_one_of_one_run_show_one_row() -> None:
    ledger = changed(known(), r1_plus_loss=known().cells[0, "plus", "loss"])
    (text,) = results_tables(ledger)
    assert len(rows(text)) == 1
    assert r"left out: \textit{less decay} (as the baseline)" in text
    assert [len(rows(text)) for text in results_tables(known(runs=["baseline"]))] == [1]


def test_the_table_of_what_decides_comes_first_and_its_column_too() -> None:
    ledger = known(datasets=["solved", "fitted"], metrics=["peak", "size", "error"])
    kept = {
        place: cell
        for place, cell in ledger.cells.items()
        if (place[1] == "solved") == (place[2] == "peak")
    }
    places = {"error": 0, "peak": 1, "size": 2}
    metrics = tuple(replace(one, place=places[one.name]) for one in ledger.metrics)
    first, second = results_tables(replace(ledger, metrics=metrics, cells=kept))
    assert r"\texttt{fitted}" in first
    assert first.index("{error") < first.index("{size")
    assert "{peak" in second


def test_a_run_that_equals_an_earlier_one_in_a_whole_table_is_named_in_its_caption() -> None:
    ledger = known(runs=["baseline", "same", "other", "copy"], metrics=["loss", "size"])
    copies = {
        (run, "plus", metric): ledger.cells[first, "plus", metric]
        for run, first in ((1, 0), (3, 2))
        for metric in ("loss", "size")
    }
    (text,) = results_tables(replace(ledger, cells={**ledger.cells, **copies}))
    assert [row[0] for row in rows(text)] == ["baseline", "other"]
    assert (
        r"Equal to another run, and left out: \textit{same} (as the baseline); "
        r"\textit{copy} (as \textit{other})." in captions([text])[0]
    )


def test_a_caption_does_not_name_more_equal_runs_than_it_has_room_for() -> None:
    ledger = known(runs=["baseline", *(f"run number {at}" for at in range(150)), "other"])
    last = {(151, "plus", "loss"): Cell(9.0, 0.125)}
    same = dict.fromkeys(ledger.cells, ledger.cells[0, "plus", "loss"])
    texts = results_tables(replace(ledger, cells={**same, **last}))
    assert sum(len(rows(text)) for text in texts) == 152
    assert "left out" not in captions(texts)[0]


def test_a_run_that_equals_an_earlier_one_on_one_data_set_repeats_no_value_there() -> None:
    ledger = known(["baseline", "same", "other"], datasets=["plus", "minus"])
    ledger = changed(ledger, r1_plus_loss=ledger.cells[0, "plus", "loss"])
    (text,) = results_tables(ledger)
    assert rows(text)[1][1:] == [r"\multicolumn{1}{c}{as the baseline}"]
    assert rows(text)[4][1:] == [r"$2.12 \pm 0.12$"]


def test_one_seed_is_said_and_has_no_error() -> None:
    one, other = Cell(0.5, 0.0, (0.5,)), Cell(0.75, 0.0, (0.75,))
    ledger = changed(known(datasets=["plus", "minus"]), r0_minus_loss=one, r1_minus_loss=other)
    (text,) = results_tables(ledger)
    assert r"over 3 seeds (\texttt{plus}); one seed (\texttt{minus})." in text
    assert r"\texttt{minus} (one seed)" in text
    assert [row[1] for row in rows(text)[2:]] == ["$0.5000$", "$0.7500$"]
    (alone,) = results_tables(changed(known(), r0_plus_loss=one, r1_plus_loss=other))
    assert captions([alone]) == [
        r"Results on \texttt{plus}: one seed. Arrows point to the better side."
    ]


def test_the_caption_speaks_of_errors_only_where_there_are_some() -> None:
    ledger = changed(
        known(direction="none"),
        r0_plus_loss=Cell(0.5, None, SEEDS),
        r1_plus_loss=Cell(1.0, None, (*SEEDS, 1.0)),
    )
    assert captions(results_tables(ledger)) == [
        r"Results on \texttt{plus}: mean over 3 to 4 seeds."
    ]


def test_data_sets_that_share_no_metric_have_tables_of_their_own() -> None:
    ledger = known(datasets=["solved", "fitted"], metrics=["peak", "error"])
    kept = {
        place: cell
        for place, cell in ledger.cells.items()
        if place[1:] in {("solved", "peak"), ("fitted", "error")}
    }
    texts = results_tables(
        Ledger(runs=ledger.runs, datasets=ledger.datasets, metrics=ledger.metrics, cells=kept)
    )
    assert [re.findall(r"label\{(.*?)\}", text) for text in texts] == [
        ["tab:results"],
        ["tab:results-2"],
    ]
    assert "--" not in "".join(texts)


def test_a_value_that_a_run_lacks_is_a_dash_in_its_row() -> None:
    ledger = known(metrics=["loss", "steps"])
    kept = {place: cell for place, cell in ledger.cells.items() if place != (1, "plus", "steps")}
    (text,) = results_tables(
        Ledger(runs=ledger.runs, datasets=ledger.datasets, metrics=ledger.metrics, cells=kept)
    )
    assert rows(text)[1] == ["less decay", r"$2.00 \pm 0.12$", "--"]


@pytest.mark.parametrize(
    ("mean", "error", "shown"),
    [
        (1e300, None, r"$1.0 \times 10^{300}$"),
        (1e-12, None, r"$1.0 \times 10^{-12}$"),
        (-1.23456e-7, None, r"$-1.235 \times 10^{-7}$"),
        (1e300, 3e298, r"$(1.000 \pm 0.030) \times 10^{300}$"),
        (2e-12, 1e-12, r"$(2.0 \pm 1.0) \times 10^{-12}$"),
        (0.5, 1e-12, r"$0.5 \pm 1.0 \times 10^{-12}$"),
        (1e300, 1e-300, r"$1.0 \times 10^{300} \pm 1.0 \times 10^{-300}$"),
        (5e-324, 5e-324, r"$(4.9 \pm 4.9) \times 10^{-324}$"),
        (0.0, 0.0, "$0$"),
        (10_700_000, None, "$10700000$"),
        (0.72345, 0.0791, r"$0.723 \pm 0.079$"),
        (float("nan"), None, "diverged"),
    ],
)
def test_a_value_has_few_digits(mean: float, error: float | None, shown: str) -> None:
    assert printed_value(mean, error) == shown


def test_a_setting_has_every_digit_of_the_code() -> None:
    values = [0.001, 1337.0, 0.123456789, 1.5e-6, -3.0]
    assert [printed_setting(value) for value in values] == [
        "$0.001$",
        "$1337$",
        "$0.123456789$",
        r"$1.5 \times 10^{-6}$",
        "$-3$",
    ]


def bare(text: str) -> str:
    """``text`` without the commands of the program's own tables."""
    kept = re.sub(r"\\(?:begin|end)\{(?:table\*?|tabular)\}", "", text)
    return re.sub(r"\\[{}$&#_%\\]|\\[a-zA-Z]+", "", kept)


def test_names_units_and_comments_from_a_study_only_print() -> None:
    ledger = known(runs=["baseline", HOSTILE], datasets=[HOSTILE], metrics=[HOSTILE])
    evil = CodeSetting("WIDTH", 3.0, "experiment.py", HOSTILE, whole=True)
    ledger = Ledger(
        runs=ledger.runs,
        datasets=ledger.datasets,
        metrics=(KnownMetric(name=HOSTILE, unit=HOSTILE, headline=True),),
        cells=ledger.cells,
        base_settings=(evil,),
    )
    run = Run(number=1, code=Tree(), files=Tree(), description=HOSTILE, attempts=1, seconds=1, name=HOSTILE)  # fmt: skip
    texts = [*results_tables(ledger), appendix(ledger, "")]
    for text in [
        *texts,
        tables.runs_table([run]),
        appendix_code([CodeChange(HOSTILE, HOSTILE, HOSTILE)]),
    ]:
        assert r"\textbackslash{}end" in text
        assert r"\end{document}" not in text
        assert r"\input" not in text
        assert not re.search(r"(?<!\\)#", text)
        assert not re.search(r"(?<!\\)%(?!\n)", text), "a comment hides the rest of its line"
        assert bare(text).count("{") == bare(text).count("}")


@pytest.mark.parametrize("name", ["[9pt] lower", "* better"])
def test_no_name_is_an_argument_of_the_row_above(name: str) -> None:
    (text,) = results_tables(known(runs=["baseline", name]))
    assert f"\n{{}}{name} &" in text


def test_a_long_word_may_break() -> None:
    (text,) = results_tables(known(runs=["baseline", "W" * 100]))
    assert "W" * 11 not in text
    assert r"\begin{tabular}{p{" in text


def test_the_table_of_runs_has_each_run_by_name_on_as_many_floats_as_they_need() -> None:
    runs = [
        Run(number=n, code=Tree(), files=Tree(), description=f"It tests {n}. " + "words " * 40,
            attempts=1, seconds=1, name=f"name{n}")
        for n in range(40)
    ]  # fmt: skip
    text = tables.runs_table(runs)
    for n in range(1, 40):
        assert text.count(rf"\raggedright name{n} & \raggedright It tests {n}. ") == 1
    assert r"\raggedright baseline &" in text
    assert text.count(r"\label{tab:runs}") == 1
    assert text.count(r"Table~\ref{tab:runs} (continued)") > 2


def test_floats_do_not_wait_in_numbers_that_latex_cannot_keep() -> None:
    texts = spaced(["x"] * 20)
    assert [at for at, text in enumerate(texts) if r"\clearpage" in text] == [7, 15]
