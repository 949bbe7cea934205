"""The appendix: every value and difference is there once, and numbers in the text lead to it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from orchestrator.research.claims.identity import target
from orchestrator.research.claims.ledger import Cell, CodeSetting, KnownRun, Ledger, with_averages
from orchestrator.research.claims.macros import rendered, with_compared
from orchestrator.research.claims.places import cell_target
from orchestrator.research.claims.quantity import Quantity
from orchestrator.research.paper.all_results import all_results
from orchestrator.research.paper.appendix import appendix
from orchestrator.research.paper.cells import printed_value
from orchestrator.research.paper.code_listing import CodeChange, appendix_code
from orchestrator.research.paper.differences_table import differences_table
from orchestrator.research.paper.settings_table import settings_table
from tests.support.made_ledger import changed, known, rows


def test_settings_are_the_constants_and_fields_with_one_value_and_what_runs_changed() -> None:
    def setting(name: str, value: float, about: str = "", *, whole: bool = True) -> CodeSetting:
        return CodeSetting(name, value, "experiment.py", about, whole)

    decay = setting("WEIGHT_DECAY", 0.5, "of AdamW")
    less = setting("WEIGHT_DECAY", 0.0, "of AdamW")
    ledger = known(runs=["baseline", "no decay", "other code"])
    ledger = Ledger(
        runs=(
            ledger.runs[0],
            KnownRun(number=1, name="no decay", changed=(less, setting("array", 3.0))),
            ledger.runs[2],
        ),
        datasets=ledger.datasets,
        metrics=ledger.metrics,
        cells=ledger.cells,
        base_settings=(
            setting("layers", 2.0),
            setting("number of seeds", 2.0, whole=False),
            setting("seeds", 1337.0, whole=False),
            decay,
            setting("GUESS", 0.5, "of a fit", whole=False),
            setting("view", 3.0, whole=False),
        ),
    )
    text = settings_table(ledger)
    assert rows(text) == [
        [r"\raggedright \texttt{layers}", "$2$", r"\raggedright "],
        [r"\raggedright \texttt{WEIGHT\_DECAY}", "$0.5$", r"\raggedright of AdamW"],
        [r"\raggedright \texttt{plus}", "3", "seeds of a run"],
        [
            r"\raggedright no decay",
            r"\multicolumn{2}{p{0.62\linewidth}}{\raggedright \texttt{WEIGHT\_DECAY} = $0$}",
        ],
        [
            r"\raggedright other code",
            r"\multicolumn{2}{p{0.62\linewidth}}{\raggedright none of these settings}",
        ],
    ]
    assert settings_table(known(runs=["baseline"], datasets=())) == ""


def test_a_constant_with_a_short_name_is_a_setting_where_a_run_changed_it() -> None:
    before, after, other = (
        CodeSetting(name, value, "experiment.py", "", whole=True)
        for name, value in (("LR", 0.5), ("LR", 0.25), ("WD", 0.1))
    )
    ledger = known(runs=["baseline", "less"], datasets=())
    runs = ledger.runs[0], KnownRun(number=1, name="less", changed=(after,))
    text = settings_table(replace(ledger, runs=runs, base_settings=(before, other)))
    assert [row[:2] for row in rows(text)] == [
        [r"\raggedright \texttt{LR}", "$0.5$"],
        [
            r"\raggedright less",
            r"\multicolumn{2}{p{0.62\linewidth}}{\raggedright \texttt{LR} = $0.25$}",
        ],
    ]


def test_the_appendix_has_every_mean_as_the_target_of_a_link() -> None:
    ledger = known(
        runs=[f"run{at}" for at in range(9)], datasets=["plus", "minus"], metrics=["loss", "size"]
    )
    ledger = Ledger(
        runs=ledger.runs,
        datasets=ledger.datasets,
        metrics=ledger.metrics,
        cells=with_averages(ledger.cells, range(9), ["loss", "size"]),
    )
    text = all_results(ledger)
    found = re.findall(r"\\hypertarget\{(.*?)\}\{(\$.*?\$)\}", text)
    assert sorted(found) == sorted(
        (cell_target(ledger, *place), printed_value(cell.mean, cell.error))
        for place, cell in ledger.cells.items()
    )
    assert len({name for name, _ in found}) == 9 * 3 * 2
    assert cell_target(ledger, 3, "minus", "size") == "m-3-1-1"


def test_the_appendix_has_the_values_of_every_seed_at_most_twelve_in_a_row() -> None:
    many = tuple(at / 64 for at in range(1, 31))
    near = tuple(value + 1e-9 for value in many)
    ledger = changed(
        known(runs=["baseline", "same", "other", "near"]),
        r0_plus_loss=Cell(1.0, 0.1, many),
        r1_plus_loss=Cell(1.0, 0.1, many),
        r2_plus_loss=Cell(2.0, 0.1, tuple(-value for value in many)),
        r3_plus_loss=Cell(1.0, 0.1, near),
    )
    seeds = rows(all_results(ledger).partition("Values of each seed")[2])
    assert [row[0] for row in seeds if row[0]] == ["baseline", "same", "other", "near"]
    printed = [cell for row in seeds for cell in row[1:] if cell.startswith("$")]
    assert [float(cell.strip("$")) for cell in printed] == pytest.approx(
        [*many, *(-value for value in many), *near], rel=5e-3
    )
    assert max(len(row) for row in seeds) <= 13
    assert ["same", r"\multicolumn{12}{c}{as the baseline}"] in seeds


def test_each_section_of_the_appendix_stands_above_its_tables_which_stay() -> None:
    text = appendix(known(), "")
    marks = re.findall(r"\\section\{.*?\}|\\begin\{table\*?\}\[.*?\]|\\nopagebreak", text)
    table = [r"\nopagebreak", r"\begin{table}[H]"]
    assert marks == [
        *(r"\section{Settings}", *table),
        *(r"\section{All Results}", *table, r"\begin{table}[H]"),
        *(r"\section{Differences between Runs}", *table),
    ]
    assert r"\section{Differences" not in appendix(known(runs=["baseline"]), "")


def test_a_difference_from_base_or_baseline_links_to_its_row_and_others_to_the_run() -> None:
    ledger = known(runs=["baseline", "less", "least", "more"], metrics=["loss", "size"])
    runs = tuple(replace(run, base=1 if run.number == 2 else 0) for run in ledger.runs)
    metrics = tuple(replace(one, headline=one.name == "loss") for one in ledger.metrics)
    ledger = replace(ledger, runs=runs, metrics=metrics)

    def link(run: int, against: int, metric: str = "loss") -> str:
        pair = Quantity(kind="diff", run=run, against=against, data="plus", metric=metric)
        return target(ledger, pair)

    text = appendix(ledger, "")
    made = set(re.findall(r"\\hypertarget\{(.*?)\}", text))
    assert link(2, 1) == link(1, 2) == "d-2-1-0-0"
    assert link(2, 0) == "d-2-0-0-0"
    assert link(3, 1) == "m-3-0-0"
    assert link(2, 1, "size") == "m-2-0-1"
    assert {link(run, other) for run in range(4) for other in range(4) if run != other} <= made
    assert ["least", "less"] in [row[:2] for row in rows(text)]


def test_a_difference_that_the_text_prints_has_its_row_which_run_whatever_its_base() -> None:
    ledger = known(runs=["baseline", "less", "least", "more"], metrics=["loss", "size"])
    metrics = tuple(replace(one, headline=one.name == "loss") for one in ledger.metrics)
    ledger = replace(ledger, metrics=metrics)
    pair = Quantity(kind="by", run=1, against=3, data="plus", metric="loss")
    assert target(ledger, pair) == "m-1-0-0"
    said = [r"lower by \by{less}{more}{plus}{loss}", r"\diff{least}{less}{plus}{size}"]
    compared = with_compared(ledger, said)
    assert compared.compared == ((3, 1),), "a metric that decides nothing has no table"
    assert target(compared, pair) == "d-3-1-0-0"
    assert ["more", "less"] in [row[:2] for row in rows(appendix(compared, ""))]
    printed, _ = rendered(said[0], compared)
    assert with_compared(ledger, [printed]).compared == ((3, 1),), (
        "the finished paper tells the same"
    )


def test_values_per_seed_are_under_the_seeds_own_numbers_where_these_are_known() -> None:
    ledger = changed(
        known(runs=["baseline", "other"]),
        r0_plus_loss=Cell(1.0, 0.1, (1.0, 2.0, 3.0)),
        r1_plus_loss=Cell(2.0, 0.1, (2.0, 3.0, 4.0)),
    )
    for seeds, told in (
        ((0, 7, 8, 9), "in the order of the seeds, 7 to 9."),
        ((1, 5, 9), "in the order of the seeds."),
        ((1, 2, 3, 7, 8, 9), "in the order of the seeds."),
    ):
        assert told in all_results(replace(ledger, seeds=frozenset(seeds)))


def test_a_row_of_differences_has_error_counts_of_seeds_and_whether_it_is_clear() -> None:
    ledger = changed(
        known(runs=["baseline", "apart", "near", "alone"]),
        r1_plus_loss=Cell(1.5, 0.1, (1.25, 1.5, 1.75)),
        r2_plus_loss=Cell(0.875, 0.1, (0.5, 0.5, 0.5)),
        r3_plus_loss=Cell(2.0, 0.25, (1.5, 2.5)),
    )
    found = rows(differences_table(ledger))
    assert [row[3:] for row in found] == [
        ["3", "3", "0", "yes"],
        ["3", "1", "1", "no"],
        ["--", "--", "--", "yes"],
    ]
    assert found[1][2].endswith(r"{$-0.12 \pm 0.14$}")
    one = {place: Cell(float(place[0]), 0.0, (1.0,)) for place in ledger.cells}
    assert rows(differences_table(replace(ledger, cells=one)))[0][2:] == [
        r"\hypertarget{d-1-0-0-0}{$+1$}", "1", "--", "--", "--",
    ]  # fmt: skip


def test_means_over_data_sets_are_in_the_appendix_of_a_paper_that_prints_one() -> None:
    ledger = known(datasets=["plus", "minus"])
    ledger = replace(ledger, cells=with_averages(ledger.cells, range(2), ["loss"]))
    assert "Means over" not in appendix(ledger, r"\measured{val-1-x-0-0}{m-1-0-0}{1}")
    text = appendix(ledger, r"\measured{val-1-x-m-0}{m-1-m-0}{1}")
    assert "Means over" in text
    assert r"\hypertarget{m-1-m-0}" in text


def test_a_long_table_that_stays_is_in_parts_of_half_a_page() -> None:
    text = appendix(known(runs=[f"run{at}" for at in range(70)]), "")
    parts = re.findall(r"\\begin\{table\}.*?\\end\{table\}", text, re.DOTALL)
    assert max(len(rows(part)) for part in parts) <= 36
    assert sum(len(rows(part)) > 0 for part in parts) == len(parts)


def test_an_appendix_of_one_seed_repeats_no_value() -> None:
    one = changed(known(), r0_plus_loss=Cell(0.5, None, (0.5,)), r1_plus_loss=Cell(1, None, (1.0,)))
    assert "Values of each seed" not in all_results(one)


def test_code_is_printed_to_the_letter() -> None:
    text = appendix_code(
        [CodeChange("less", "baseline", '[9pt]\n\tx  =  "a--b"\x1b\n' + "#" * 500)]
    )
    assert r"\mbox{}[9pt]" in text
    assert r"\mbox{}~~~~x\allowbreak{}~ =\allowbreak{}~ " in text
    assert '"a-{}-{}b"' in text
    assert "\x1b" not in text
    assert r"\#" * 25 not in text
    assert "[200 more characters]" in text


def test_a_long_difference_says_how_many_lines_it_leaves_out() -> None:
    text = appendix_code(
        [
            CodeChange("long", "baseline", "\n".join(map(str, range(75)))),
            CodeChange("none", "long", ""),
        ]
    )
    assert text.count(r"\mbox{}") == 60
    assert "15 more lines are not shown." in text
    assert "No line of the code differs." in text
    assert r"\textbf{none}, against the code of long" in text


def test_the_heading_of_a_listing_has_lines_below_it_on_its_page() -> None:
    text = appendix_code([CodeChange("long", "baseline", "\n".join(map(str, range(75))))])
    assert text.count(r"\nopagebreak") == 7
    assert re.match(r"\\par.*\\nopagebreak\n.*\n(.*\\par\\nopagebreak\n){6}", text)


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ((3, 3), r"Over 3 seeds chance alone makes 18\% of such differences clear"),
        ((6, 20), r"Over 6 seeds, the fewest here, chance alone makes 10\% of"),
        ((1, 1), ""),
    ],
)
def test_the_appendix_says_how_often_chance_makes_a_clear_difference(
    seeds: tuple[int, int], said: str
) -> None:
    ledger = known(runs=["baseline", "no decay"])
    counts = tuple((f"seeds of {data}", count) for data, count in zip("ab", seeds, strict=True))
    text = appendix(replace(ledger, counts=counts), "")
    assert "larger than twice its error" in text
    assert (said in text) if said else ("chance alone" not in text)
