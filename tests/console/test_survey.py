"""``aisci survey``, as a person meets it: what it refuses, where it stops, what it prints."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.console.test_bad_input import refused
from tests.support.warm import warm_aisci as aisci

SERVER = "http://127.0.0.1:1/v1"  # nobody answers there, and nobody is asked


def survey(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    """The command, on a machine without a library of its own, with a key."""
    key = "sk-" + "t" * 24
    return aisci(
        "survey",
        *words,
        XDG_DATA_HOME=str(data / "data"),
        OPENAI_API_BASE=SERVER,
        OPENAI_API_KEY=key,
    )


@pytest.mark.program
def test_a_wrong_request_starts_nothing(tmp_path: Path) -> None:
    folder = ("--results", str(tmp_path))
    refused(survey("grok", *folder, data=tmp_path), 2, "8 to 300 characters")
    refused(
        survey("grokking and decay", "--engine", "foo", *folder, data=tmp_path),
        2,
        "no engine is named 'foo'",
    )
    dear = ("--model", "openai/unheard-of", "--max-usd", "1")
    refused(survey("grokking and decay", *dear, *folder, data=tmp_path), 2, "price")
    assert not [*tmp_path.iterdir()]


@pytest.mark.engine
def test_a_spent_budget_says_how_to_go_on(tmp_path: Path) -> None:
    poor = (
        "--model",
        "openai/any",
        "--price",
        "1,4",
        "--max-usd",
        "0.0001",
        "--results",
        str(tmp_path),
    )
    refused(survey("grokking and decay", *poor, data=tmp_path), 1, "--max-usd", "goes on")


@pytest.mark.engine
def test_a_survey_prints_where_it_is_and_what_it_rests_on(tmp_path: Path) -> None:
    words = ("grokking and weight decay", "--papers", "6", "--results", str(tmp_path))
    done = survey(*words, data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "records found: " in done.stdout
    said = json.loads(survey(*words, "--json", data=tmp_path).stdout)
    assert Path(said["pdf"]).read_bytes().startswith(b"%PDF")
    assert str(said["pdf"]) in done.stdout
    assert said["papers"] == 6
    assert (said["left_out"], said["misfits"], said["usd"]) == (0, [], 0.0)
