"""A look into a file that a run left is bounded, and shows what stands at the named place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.research.looking.contents import look_into

CURVES = {"fitted": [{"cases": list(range(1000)), "seed": 7}], "names": ["a", "b"], "bad": [1, 2]}


def look(at: str, value: Any = CURVES, path: str = "curves.json") -> dict[str, Any]:
    return look_into(path, json.dumps(value).encode(), at)


def test_a_place_in_json_is_shown_by_its_kind() -> None:
    assert look("")["keys"] == {
        "fitted": "a list of 1",
        "names": "a list of 2",
        "bad": "a list of 2 numbers",
    }
    assert look("fitted", CURVES | {"fitted": [{"cases": [0] * 1000, "seed": 7}]})["first"] == [
        "an object with the keys cases, seed"
    ]
    assert look("fitted.0.seed") == {"value": "7"}
    assert look("names") == {"length": 2, "whole": "['a', 'b']"}
    assert look("", [[0.5, 0.25], [1.0, 2.0]])["whole"] == "[[0.5, 0.25], [1.0, 2.0]]"


def test_a_long_list_is_shown_evenly_with_its_ends_and_range() -> None:
    seen = look("fitted.0.cases")
    assert (seen["length"], seen["lowest"], seen["highest"]) == (1000, 0, 999)
    assert len(seen["values"]) <= 61
    assert (seen["values"][0], seen["values"][-1]) == (0, 999)


def test_numbers_that_are_not_finite_are_counted() -> None:
    seen = look_into("a.json", b'{"x": [1.0, NaN, Infinity]}', "x")
    assert (seen["not_finite"], seen["lowest"], seen["highest"]) == (2, 1.0, 1.0)
    assert seen["values"] == [1.0, "nan", "inf"]


@pytest.mark.parametrize(
    "at", ["no", "fitted.1", "fitted.cases", "fitted.-1", "fitted.0.cases.0.x"]
)
def test_a_place_that_is_not_there_is_said_with_what_is(at: str) -> None:
    assert "is not there; here is" in look(at)["trouble"]


def test_a_table_shows_its_columns_and_one_column_its_values() -> None:
    data = b"step,loss,note\n1,0.5,a\n2,0.25,b\n"
    assert look_into("log.csv", data, "") == {
        "columns": ["step", "loss", "note"],
        "rows": 2,
        "first": [["1", "0.5", "a"], ["2", "0.25", "b"]],
    }
    assert look_into("log.csv", data, "loss")["values"] == [0.5, 0.25]
    assert look_into("log.csv", data, "note")["first"] == ["a", "b"]
    assert look_into("log.tsv", data.replace(b",", b"\t"), "step")["highest"] == 2
    assert "no column 'x'" in look_into("log.csv", data, "x")["trouble"]


def test_what_cannot_be_read_is_a_trouble_and_other_text_shows_its_end() -> None:
    assert "trouble" in look_into("a.json", b"{", "")
    assert "trouble" in look_into("a.json", b"[" * 100_000, "")
    assert look_into("log.txt", b"x" * 9000 + b"end", "")["end"].endswith("xend")
    assert len(look_into("log.txt", b"x" * 9000, "")["end"]) == 1500
