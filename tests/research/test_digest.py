"""Curves that a run left reach the model as numbers, at a few places, whatever the file holds."""

from __future__ import annotations

import json

from orchestrator.research.looking.digest import curves_in


def test_lists_of_one_length_are_a_curve_per_seed_shown_as_their_mean_at_eight_places() -> None:
    losses = {"loss": [[1.0] * 20, [3.0] * 20], "accuracy": [[0.0] * 20, [1.0] * 20]}
    curves = {"task": {"step": list(range(20)), **losses, "seeds": [1, 2]}}
    steps, alike = curves_in(json.dumps(curves).encode())
    places = [0, 3, 5, 8, 11, 14, 16, 19]
    assert alike == {
        "lists": 2,
        "points": 20,
        "at": places,
        "means": {"task.loss": [2.0] * 8, "task.accuracy": [0.5] * 8},
    }
    assert steps["means"] == {"task.step": places}


def test_a_curve_that_diverges_says_so_and_other_files_have_none() -> None:
    (one,) = curves_in(b'{"x": [1, 2, NaN, Infinity]}')
    assert one["means"]["x"] == [1.0, 2.0, "nan", "inf"]
    assert curves_in(b"no json") == []
    assert curves_in(b'{"a": ["b", "c", "d", "e"], "f": [true, true, true, true]}') == []
    assert curves_in(json.dumps([[1, 2, 3, 4], [1, 2, 3, 4, 5]]).encode()) == []


def test_at_most_so_many_curves_of_a_file_are_shown() -> None:
    many = {f"c{n}": [1.0, 2.0, 3.0, 4.0] for n in range(40)}
    (one,) = curves_in(json.dumps(many).encode())
    assert len(one["means"]) == 24
