"""YAML that people write is read strictly, and what is wrong is shown where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.core.errors import BadFile, BadTemplate
from orchestrator.core.strict_yaml import MAX_BYTES, parse, read, validated
from orchestrator.template.fields import FilePath, FiniteNumber, KnobValue, Setting, SettingValue


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
    assert error.what == "inner.memory: must be a whole number, not 'much'"


def test_a_missing_key_is_shown_where_it_should_stand(tmp_path: Path) -> None:
    error = refused(tmp_path, "name: a\ninner:\n  cpus: 1\n")
    assert "'memory' is missing" in error.what
    assert error.where.endswith("a.yaml:2:1: inner.memory")


class Scale(BaseModel):
    model_config = ConfigDict(extra="forbid")

    env: dict[Setting, SettingValue] = {}
    minutes: Annotated[FiniteNumber, Field(gt=0, le=600)]
    direction: Literal["lower", "higher", "none"] = "none"
    files: Annotated[tuple[FilePath, ...], Field(min_length=1)] = ("a",)
    seeds: Annotated[tuple[int, ...], Field(max_length=2)] | dict[str, tuple[int, ...]] = ()
    values: tuple[KnobValue, ...] = ()
    title: Annotated[str, Field(min_length=1, max_length=5)] = "a"
    quick: Annotated[bool, Field(strict=True)] = False


@pytest.mark.parametrize(
    ("line", "place", "what", "todo"),
    [
        ("env: {EPOCHS: '3'}", "2:7: env.EPOCHS", "variables begin with AISCI_: EPOCHS",
         "rename it to AISCI_EPOCHS, also where the experiment reads it"),
        ("env: {AISCI_EPOCHS: 3}", "2:7: env.AISCI_EPOCHS",
         "env.AISCI_EPOCHS: must be text, not 3", "put the value in quotes"),
        ("direction: lowr", "2:1: direction",
         "direction: 'lowr' is not one of: lower, higher, none", "did you mean 'lower'?"),
        ("files: []", "2:1: files", "files: has 0 entries; 1 or more are needed", "add an entry"),
        ("files: a.py", "2:1: files", "files: must be a list, not 'a.py'", "write it as `[A, B]`"),
        ("files: [/etc]", "2:9: files.0",
         "files.0: is not the path of a file below the template's folder: '/etc'",
         "write a relative path of letters, digits, `_`, `.` and `-`, such as data/train.csv"),
        ("seeds: [1, 2, 3]", "2:1: seeds", "seeds: has more than 2 entries", "remove entries"),
        ("seeds: {a: [1.5]}", "2:13: seeds.a.0", "seeds.a.0: must be a whole number, not 1.5",
         "write a number without a decimal point and without quotes"),
        ("seeds: x", "2:1: seeds", "seeds: must be a list or a mapping of keys to values, not 'x'",
         "write it as `[A, B]`, or write it as `{KEY: VALUE}`, or each key on a line of its own below"),
        ("values: [true]", "2:10: values.0", "values.0: must be a number, not true",
         "write a number, without quotes"),
        ("title: ''", "2:1: title", "title: must not be empty", "write a text, or remove the key"),
        ("title: a long one", "2:1: title", "title: is longer than 5 characters", "shorten it"),
        ("quick: 1", "2:1: quick", "quick: must be true or false, not 1",
         "write `true` or `false`, without quotes"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_explained_in_plain_words(
    tmp_path: Path, line: str, place: str, what: str, todo: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"minutes: 1\n{line}\n")
    with pytest.raises(BadTemplate) as caught:
        validated(read(path, BadTemplate), Scale)
    error = caught.value
    assert (error.where, error.what, error.todo) == (f"{path}:{place}", what, todo)


def test_a_misspelt_key_is_one_error_and_not_also_a_missing_one(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("minuts: 5\n")
    with pytest.raises(BadTemplate) as caught:
        validated(read(path, BadTemplate), Scale)
    assert str(caught.value) == (
        f"unknown key 'minuts'\n  where: {path}:1:1: minuts\n  do:    did you mean 'minutes'?"
    )


def test_several_errors_are_all_shown_in_full_in_the_order_of_the_file(tmp_path: Path) -> None:
    error = refused(tmp_path, "nam: a\ninner: {memory: much, cpus: x}\nsome: 3\n")
    assert str(error) == (
        "the file has 4 errors\n"
        f"  where: {tmp_path}/a.yaml\n"
        "  why:   1:1: unknown key 'nam'; did you mean 'name'?\n"
        "2:9: inner.memory: must be a whole number, not 'much'; "
        "write a number without a decimal point and without quotes\n"
        "2:23: inner.cpus: must be a number, not 'x'; write a number, without quotes\n"
        "3:1: some: must be a list, not 3; write it as `[A, B]`\n"
        "  do:    correct each of these lines"
    )
    assert [one.where for one in error.problems] == [
        f"{tmp_path}/a.yaml:{place}"
        for place in ("1:1: nam", "2:9: inner.memory", "2:23: inner.cpus", "3:1: some")
    ]


def test_more_errors_than_fit_on_a_screen_are_counted(tmp_path: Path) -> None:
    keys = "".join(f"k{number}: 1\n" for number in range(20))
    error = refused(tmp_path, f"name: a\ninner: {{memory: 1}}\n{keys}")
    rows = error.why.splitlines()
    assert len(rows) == 13
    assert rows[-1] == "and 8 more"
    assert len(error.problems) == 20


def test_a_key_of_a_hostile_file_adds_no_line_to_the_list(tmp_path: Path) -> None:
    error = refused(tmp_path, 'name: a\ninner: {memory: 1}\n"x\\n9:9: forged": 1\nb: 2\n')
    assert len(error.why.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("name: a\nname: b\n", ":2:1", "occurs twice"),
        ("name: &x a\n", ":1:7", "anchors"),
        ("name: *x\n", ":1:7", "anchors"),
        ("name: !!str a\n", ":1:7", "tags"),
        ("name: !env HOME\n", ":1:7", "tags"),
        ("inner: [1\nname: b\n", ":2:5", "not valid YAML"),
        ("a:\tb\n\t- c\n", ":1:3", "not valid YAML"),
        ("name: a\n---\nname: b\n", ":2:1", "not valid YAML"),
        ("1: a\n", ":1:1", "key must be text"),
        ("? [a]\n: b\n", ":1:3", "key must be text"),
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
