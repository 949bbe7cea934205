"""What a run left as ``final_info.json`` becomes finite numbers, or one clear error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import BadResults
from orchestrator.template.results import (
    BARE,
    MAX_RESULT_BYTES,
    Dataset,
    Results,
    parse_final_info,
    per_seed,
)


def parsed(value: object) -> Results:
    return parse_final_info(json.dumps(value).encode())


def test_the_usual_form_is_read_with_errors_under_the_names_of_their_means() -> None:
    results = parsed(
        {
            "x_plus_y": {
                "means": {"final_val_loss_mean": 0.5, "steps": 3},
                "stderrs": {"final_val_loss_stderr": 0.1, "steps_stderr": 0},
                "final_info_dict": {"final_val_loss": [0.4, 0.6]},
            }
        }
    )
    means = {"final_val_loss_mean": 0.5, "steps": 3.0}
    assert results == Results(
        {"x_plus_y": Dataset(means, {"final_val_loss_mean": 0.1, "steps": 0.0})}
    )
    assert results.metrics == ("final_val_loss_mean", "steps")


def test_a_bare_number_as_means_is_a_metric_called_value() -> None:
    assert parsed({"antonyms": {"means": 0.83}}) == Results({"antonyms": Dataset({BARE: 0.83})})


def test_nested_means_get_dotted_names_and_what_is_no_number_is_listed() -> None:
    results = parsed({"mol": {"means": {"md": {"energy": 1, "unit": "eV"}, "ok": True, "n": None}}})
    assert results.datasets["mol"].means == {"md.energy": 1.0}
    assert results.ignored == ("mol.means.md.unit", "mol.means.ok", "mol.means.n")


def test_a_standard_error_without_its_mean_is_listed_not_used() -> None:
    results = parsed({"d": {"means": {"a": 1}, "stderrs": {"b_stderr": 1}}})
    assert results.datasets["d"].stderrs == {}
    assert results.ignored == ("d.stderrs.b_stderr",)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            b'{"d": {"means": {"a": 1}}, "e": ' + b"9" * 31 + b"}",
            "an integer of 31 digits is no result, at e",
        ),
        (b'{"d": {"means": {"a": 1, "a": 1}}}', "'a' occurs twice"),
        (b'{"d": {"means": {"a": ' + b"9" * 5000 + b"}}}", "5000 digits"),
        (b'{"d": {"means": {"a.b": 1, "a": {"b": 2}}}}', "one name once nesting is undone"),
        (b'{"d": {"means": {"a\\u001b[2J": 1}}}', "is no name"),
        (b'{"d": {"means": {"a\\ud800": 1}}}', "is no name"),
        (b'{"d": {"means": {"' + b"a" * 500 + b'": 1}}}', "is no name"),
        (b'{"d": {"means": {"a": 1}, "stderrs": {"a": -1}}}', "negative"),
        (b'{"d": {"final_loss": 1}}', "has no 'means'"),
        (b'{"d": {"means": {}}}', "hold no number"),
        (b'{"d": 1}', "has no 'means'"),
        (b"[1]", "no mapping of data sets"),
        (b"{}", "no mapping of data sets"),
        (b"", "no JSON at line 1"),
        (b'{"d": {"means": {"a": 1}}', "no JSON at line 1"),
        (b'\xff{"d": 1}', "not UTF-8 at byte 0"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a":' * 12 + b"1" + b"}" * 12, "has no 'means'"),
        (b'{"d": {"means": ' + b'{"a":' * 12 + b"1" + b"}" * 14, "nested too deep"),
        (b" " * (MAX_RESULT_BYTES + 1), "over"),
    ],
)
def test_what_is_no_result_is_refused_with_its_reason(data: bytes, why: str) -> None:
    with pytest.raises(BadResults) as caught:
        parse_final_info(data)
    assert why in caught.value.why
    assert caught.value.todo
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize("sets", [1, 2, 100])
def test_too_many_entries_are_refused_however_they_are_spread(sets: int) -> None:
    each = {f"m{i}": 0 for i in range(5001 // sets + 1)}
    with pytest.raises(BadResults, match=r"over 5000"):
        parsed({f"d{n}": {"means": each} for n in range(sets)})


@given(st.binary(max_size=200))
def test_any_bytes_give_results_or_the_one_error(data: bytes) -> None:
    try:
        results = parse_final_info(data)
    except BadResults:
        return
    assert results.datasets


@given(
    st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
        st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
    )
)
def test_finite_numbers_come_back_exactly(means: dict[str, float]) -> None:
    assert parsed({"d": {"means": means}}).datasets["d"].means == means


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999"])
def test_a_metric_that_is_not_finite_has_diverged_and_the_others_count(text: str) -> None:
    data = f"""{{"d": {{"means": {{"a": {text}, "b": 1}}, "stderrs": {{"b": {text}}},
    "final_info_dict": {{"a": [1, {text}], "b": [1, 2]}}}}}}""".encode()
    known = parse_final_info(data).datasets["d"]
    assert (known.means, known.stderrs, known.diverged) == ({"b": 1.0}, {}, ("a",))
    assert per_seed(data) == {"d": {"b": (1.0, 2.0)}}


def test_one_seed_has_no_standard_error() -> None:
    data = b"""{"d": {"means": {"a_mean": 1, "b_mean": 1}, "stderrs": {"a_stderr": 0, "b_stderr": 0},
    "final_info_dict": {"a": [1], "b": [1, 1]}}}"""
    assert parse_final_info(data).datasets["d"].stderrs == {"b_mean": 0.0}
