"""Flat TOML: values with their lines, and errors that tell a place and nothing of the content."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.errors import BadFile
from orchestrator.core.strict_toml import read_flat_toml


def test_each_value_has_the_line_of_its_key(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('# model = "no"\n\nmodel = "x"  # a model\n  "max_usd" = 2.5\nfast = true\n')
    found = read_flat_toml(path)
    assert {key: (one.value, one.place.line) for key, one in found.items()} == {
        "model": ("x", 3),
        "max_usd": (2.5, 4),
        "fast": (True, 5),
    }


def test_no_file_is_no_value(tmp_path: Path) -> None:
    assert read_flat_toml(tmp_path / "none.toml") == {}
    (tmp_path / "file").touch()
    assert read_flat_toml(tmp_path / "file" / "none.toml") == {}


def test_tables_lists_dates_and_texts_over_lines_are_no_values(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('a = [1]\nb = """x\ny"""\nc = 2026-01-01\n[d]\ne = 1\n')
    assert {key: one.value for key, one in read_flat_toml(path).items()} == dict.fromkeys("abcd")


@pytest.mark.parametrize(
    "text", ["model = sk-secret-12345678\n", "model = 'x\n", "= 1\n", "a=1\na=2\n"]
)
def test_what_is_no_toml_is_told_with_its_line_and_without_its_text(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(BadFile, match="not valid TOML") as caught:
        read_flat_toml(path)
    assert caught.value.where.startswith(str(path))
    assert "secret" not in f"{caught.value}{caught.value.why}{caught.value.todo}"


def test_a_file_of_other_bytes_or_of_many_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for data, words in ((b"a = '\xff'", "not UTF-8"), (b"#" * 70_000, "too large")):
        path.write_bytes(data)
        with pytest.raises(BadFile, match=words):
            read_flat_toml(path)
