"""YAML that people write is read strictly, and what is wrong is shown where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from orchestrator.core.errors import BadFile, BadTemplate
from orchestrator.core.strict_yaml import MAX_BYTES, parse, read, validated


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    memory: int
    cpus: float = 1.0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    inner: Inner
    parts: dict[str, Inner] = {}
    some: tuple[Inner, ...] = ()
    perhaps: Inner | None = None


def load(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    return validated(read(path, BadTemplate), Outer)


def refused(tmp_path: Path, text: str) -> BadTemplate:
    with pytest.raises(BadTemplate) as caught:
        load(tmp_path, text)
    return caught.value


def test_a_good_file_becomes_the_model(tmp_path: Path) -> None:
    model = load(tmp_path, "name: a\ninner: {memory: 1, cpus: 1.5}\nsome:\n  - memory: 2\n")
    assert model == Outer(name="a", inner=Inner(memory=1, cpus=1.5), some=(Inner(memory=2),))


def test_plain_words_stay_text_and_only_true_and_false_are_truth_values() -> None:
    data = parse(b"a: yes\nb: none\nc: 2020-01-01\nd: true\ne: ~\nf: '5'\ng: 1e3\n", "x").data
    assert data == {
        "a": "yes", "b": "none", "c": "2020-01-01", "d": True, "e": None, "f": "5", "g": 1000.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "where", "todo"),
    [
        ("name: a\ninner: {memroy: 1, memory: 2}\n", "a.yaml:2:9: inner.memroy", "memory"),
        ("name: a\ninner: {memory: 1}\nparts:\n  x:\n    cpu: 1\n    memory: 2\n", "a.yaml:5:5: parts.x.cpu", "cpus"),
        ("name: a\ninner: {memory: 1}\nsome:\n  - memory: 1\n    cpsu: 2\n", "a.yaml:5:5: some.0.cpsu", "cpus"),
        ("name: a\ninner: {memory: 1}\nperhaps:\n  memory: 1\n  cpuz: 2\n", "a.yaml:5:3: perhaps.cpuz", "cpus"),
        ("nam: a\nname: a\ninner: {memory: 1}\n", "a.yaml:1:1: nam", "name"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_shown_at_its_place_with_the_nearest_name(
    tmp_path: Path, text: str, where: str, todo: str
) -> None:
    error = refused(tmp_path, text)
    assert error.where == str(tmp_path / where)
    assert error.todo == f"did you mean {todo!r}?"


def test_a_wrong_value_is_shown_at_its_key(tmp_path: Path) -> None:
    error = refused(tmp_path, "name: a\ninner:\n  memory: much\n")
    assert error.where.endswith("a.yaml:3:3: inner.memory")
    assert "integer" in error.why


def test_a_missing_key_is_shown_where_it_should_stand(tmp_path: Path) -> None:
    error = refused(tmp_path, "name: a\ninner:\n  cpus: 1\n")
    assert "'memory' is missing" in error.what
    assert error.where.endswith("a.yaml:2:1: inner.memory")


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("name: a\nname: b\n", ":2:1", "stands twice"),
        ("name: &x a\n", ":1:7", "anchors"),
        ("name: *x\n", ":1:7", "anchors"),
        ("name: !!str a\n", ":1:7", "tags"),
        ("name: !env HOME\n", ":1:7", "tags"),
        ("inner: [1\nname: b\n", ":2:5", "not valid YAML"),
        ("a:\tb\n\t- c\n", ":1:3", "not valid YAML"),
        ("name: a\n---\nname: b\n", ":2:1", "not valid YAML"),
        ("1: a\n", ":1:1", "key must be a text"),
        ("? [a]\n: b\n", ":1:3", "key must be a text"),
        ("name: 0x1f\n", ":1:7", "not a plain number"),
        ("name: .inf\n", ":1:7", "not a plain number"),
        ("name: 1.0e999\n", ":1:7", "not a plain number"),
        ("name: " + "[" * 40 + "]" * 40 + "\n", ":1:", "too deep"),
        ("- a\n", ":1:1", "not a mapping"),
        ("", ":1:1", "not a mapping"),
        ("name: \x07\n", "", "not valid YAML"),
    ],
)
def test_what_makes_a_file_mean_other_than_it_says_is_refused_at_its_place(
    tmp_path: Path, text: str, place: str, what: str
) -> None:
    error = refused(tmp_path, text)
    assert f"a.yaml{place}" in error.where
    assert what in error.what


def test_a_file_too_large_or_not_text_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    assert "too large" in refused(tmp_path, "#" * (MAX_BYTES + 1)).what
    with pytest.raises(BadFile, match="not UTF-8"):
        parse(b"name: \xff", "x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"cannot read gone\.yaml"):
        read(tmp_path / "gone.yaml")


@given(st.text(max_size=60))
def test_any_text_gives_data_or_the_one_error(text: str) -> None:
    try:
        parse(text.encode("utf-8", "replace"), "x")
    except BadFile:
        return
