"""What the host computes from runs: comparisons, what a careful reader notices, what code changed."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from orchestrator.core.model import Ask
from orchestrator.core.research import Run
from orchestrator.core.tree import Tree
from orchestrator.research.looking.code import (
    DIFFERENCE,
    code_difference,
    fitted_differences,
    same_effect,
    shortened,
    unified_difference,
)
from orchestrator.research.looking.comparison_tables import compared_cells, comparison_tables
from orchestrator.research.looking.oddities import identical, oddities
from orchestrator.research.sweep.planning import compare_sweep
from orchestrator.template.baseline import shown_output
from orchestrator.template.comparisons import Measured, compare_runs, verdict_of
from orchestrator.template.results import Dataset, Results


def run(number: int, base: int = 0) -> Run:
    return Run(
        number=number, base=base, name=f"r{number}", code=Tree(), files=Tree(), description="",
        attempts=1, seconds=1.0,
    )  # fmt: skip


def results(mean: float, error: float | None = None) -> Results:
    return Results({"line": Dataset({"loss": mean}, {} if error is None else {"loss": error})})


@pytest.mark.parametrize(
    ("difference", "error", "direction", "verdict"),
    [
        (0.0, None, "lower", "no difference of the means"),
        (-1.0, 0.4, "lower", "better"),
        (-1.0, 0.4, "higher", "worse"),
        (1.0, 0.4, "none", "different"),
        (1.0, 0.5, "higher", "within 2 errors: no difference is shown"),
        (1.0, None, "higher", "no error is known"),
        (1.0, 0.0, "higher", "no error was measured"),
    ],
)
def test_a_difference_counts_only_beyond_its_errors(
    difference: float, error: float | None, direction: str, verdict: str
) -> None:
    assert verdict_of(difference, error, direction) == verdict  # type: ignore[arg-type]  # a table


def test_a_difference_that_is_the_same_for_every_seed_counts() -> None:
    assert verdict_of(-1.0, 0.0, "lower", paired=True) == "better"


def test_independent_runs_are_compared_by_both_errors() -> None:
    known = [
        Measured(run=run(0), results=results(1.0, 0.3), values={}),
        Measured(run=run(1), results=results(2.0, 0.4), values={}),
        Measured(run=run(2, base=1), results=results(3.0), values={}),
    ]
    pairs = [(known[1], known[0]), (known[2], known[1])]
    rows = compare_runs(pairs, ["loss", "absent"], {"loss": "higher"})
    assert [(row.run, row.against) for row in rows] == [("r1", "r0"), ("r2", "r1")]
    assert (rows[0].difference, rows[0].error, rows[0].errors) == (1.0, 0.5, 2.0)
    assert (rows[1].error, rows[1].paired) == (None, False)


def test_a_difference_without_chance_counts_without_an_error() -> None:
    """And where nobody says whether there is chance, nothing is said of it."""
    known = [Measured(run=run(n), results=results(1.0 + n), values={}) for n in (0, 1)]
    (unknown,) = compare_runs([(known[1], known[0])], ["loss"], {"loss": "lower"})
    assert unknown.verdict == "no error is known"
    (exact,) = compare_runs([(known[1], known[0])], ["loss"], {"loss": "lower"}, ["line"])
    assert (exact.verdict, exact.error) == ("worse", None)
    for row, words in ((unknown, "no error known"), (exact, "worse")):
        (cell,) = compared_cells(comparison_tables([asdict(row)]))
        assert cell.verdict == words


def test_runs_that_keep_the_seeds_are_compared_seed_by_seed() -> None:
    def measured(number: int, values: tuple[float, ...]) -> Measured:
        mean = sum(values) / len(values)
        return Measured(
            run=run(number), results=results(mean, 5.0), values={"line": {"loss": values}}
        )

    one, other = measured(1, (1.1, 5.2, 9.3)), measured(0, (1.0, 5.0, 9.0))
    (row,) = compare_runs([(one, other)], ["loss"], {"loss": "lower"})
    assert row.paired
    assert (row.higher, row.lower, row.verdict) == (3, 0, "worse")
    assert row.error == pytest.approx(0.1 / 3**0.5)


def test_values_at_a_bound_are_noticed() -> None:
    row = (0.1, 2.307, 0.4, 2.30695, 1.2, 2.307, 2.307)
    (said,) = oddities({"fitted": {"log_error": row}}, results(1.0), {})
    assert said == (
        "log_error on fitted: 4 of 7 values are 2.307 or next to it, the largest: "
        "a bound may hold them there"
    )
    (said,) = oddities({"fitted": {"log_error": (0.1, 0.4, 2.5, 2.5, 2.5)}}, results(1.0), {})
    assert "3 of 5 values are 2.5, the largest" in said
    assert oddities({"fitted": {"log_error": (0.1, 0.2, 0.3, 0.4)}}, results(1.0), {}) == ()
    assert oddities({"fitted": {"at_bound": (0.0, 1.0, 0.0, 1.0)}}, results(1.0), {}) == ()
    thirds = (0.0, 1 / 3, 2 / 3, 1.0) * 5
    assert oddities({"fitted": {"coverage": thirds}}, results(1.0), {}) == ()


def test_equal_values_over_the_seeds_and_a_diverged_metric_are_noticed() -> None:
    diverged = Results({"line": Dataset({}, {}, ("loss",))})
    said = oddities({"line": {"steps": (360.0, 360.0, 360.0)}}, diverged, {})
    assert said == (
        "loss on line is not a number: the run diverged there",
        "steps on line: all 3 values are 360",
    )


def test_a_run_with_the_numbers_of_another_is_noticed() -> None:
    (said,) = oddities({}, results(1.0, 0.1), {"baseline": results(1.0, 0.1), "r1": results(2.0)})
    assert said == "every number is the same as in 'baseline': the change had no effect"
    assert not identical(results(1.0), Results({}))


def test_code_that_differs_in_comments_and_layout_has_the_same_effect() -> None:
    before = '"""Doc."""\nX = 1\n'
    assert same_effect(before, '"""Other."""\n# a comment\nX  =  1\n')
    assert not same_effect(before, '"""Doc."""\nX = 2\n')
    assert not same_effect("not python (", "not python ((")
    assert code_difference(before, '"""Doc."""\nX = 2\n', "e.py").endswith("-X = 1\n+X = 2")


CODE = """\
LIMIT = 5

def small(x):
    # one
    # two
    return x

class Kept:
    def run(self):
        # three
        a = 1

        return a
"""


def test_each_change_stands_behind_the_name_of_what_it_is_in() -> None:
    after = CODE.replace("= 5", "= 6").replace("return x", "return 2 * x").replace("a = 1", "a = 2")
    after += "\ndef added():\n    return 1\n"
    said = code_difference(CODE, after, "e.py")
    assert [row for row in said.splitlines() if row.startswith("@@")] == [
        "@@ LIMIT", "@@ small", "@@ Kept, added",
    ]  # fmt: skip
    assert code_difference(CODE, CODE, "e.py") == ""
    numbered = unified_difference(CODE, after, "e.py").splitlines()
    assert [row for row in numbered if row[0] in "+-"] == [
        row for row in said.splitlines() if row[0] in "+-"
    ], "a paper prints the same, with the numbers of lines"
    assert "@@ -1,2 +1,2 @@" in numbered
    gone = code_difference(CODE, CODE.replace("\n        return a", ""), "e.py")
    assert "@@ Kept\n" in gone
    assert "@@\n" in code_difference("import a\n", "import b\n", "e.py")
    near = code_difference(
        CODE, CODE.replace("# two", "# 2").replace("class Kept", "class Left"), "e.py"
    )
    assert "@@ small, Kept, Left\n" in near, "changes that are near each other stand together"


def test_what_has_no_room_is_left_out_by_whole_changes_that_are_named() -> None:
    after = CODE.replace("= 5", "= 6").replace("return x", "return 2 * x").replace("a = 1", "a = 2")
    said = code_difference(CODE, after, "e.py")
    cut = shortened(said, said.index("@@ small") + 5)
    assert cut.startswith(said[: said.index("@@ small")])
    assert cut.endswith("@@ small … (4 lines left out)\n@@ Kept … (4 lines left out)")
    assert "more characters)\n@@ small … (" in shortened(said, 40), "of the first a beginning"
    assert shortened("x" * 50, 10) == f"{'x' * 10}\n… (40 more characters)"
    new = code_difference("", "y = 1\n" * 40, "new.py")
    assert "+++ b/new.py" in shortened(f"{said}\n{new}", len(said) + 20), "a file is named"


def test_differences_stand_whole_where_all_have_room_together() -> None:
    """Else the longest are cut: the central run of a study is often that, and an early one."""
    rows = {"central": "x" * (DIFFERENCE - 10), "small": "y" * 100, "last": "z" * 1000}
    assert fitted_differences(rows) == rows
    rows |= {"long": "l" * DIFFERENCE}
    cut = fitted_differences(rows)
    assert (cut["small"], cut["last"]) == (rows["small"], rows["last"])
    assert len(cut["central"]) < len(rows["central"])
    assert sum(map(len, cut.values())) <= 2 * DIFFERENCE + 100
    assert fitted_differences({}) == {}


def test_the_sweep_calls_nothing_refuted_of_which_no_error_is_known() -> None:
    known = [Measured(run=run(n), results=results(1.0 + n), values={}) for n in (0, 1)]
    ask = Ask(purpose="plan.revise", messages=())
    for exact, finding in (((), "unclear"), (["line"], "as expected")):
        (row,) = compare_runs([(known[1], known[0])], ["loss"], {"loss": "lower"}, exact)
        tables = comparison_tables([asdict(row)])
        data = {"run": {"name": row.run}, "comparisons": tables, "remaining": []}
        assert f'"finding": "{finding}"' in compare_sweep(data, ask)


def test_a_progress_bar_is_shown_as_its_last_state() -> None:
    bar = "".join(f"\r{n}%|####" for n in range(100))
    assert shown_output(f"start\n{bar}\nValueError: no\n") == "start\n99%|####\nValueError: no"
