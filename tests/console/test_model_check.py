"""``aisci doctor --model`` and the price file, as a person meets them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.research.loopback.answers import Fail
from orchestrator.research.loopback.server import ModelServer
from tests.console.test_bad_input import begin, refused
from tests.support.places import ROOT
from tests.support.warm import warm_aisci

pytestmark = pytest.mark.program
KEY = "sk-very-secret-0123456789"


def aisci(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The command, for a user with no files of their own and no keys."""
    env = {"XDG_CONFIG_HOME": str(folder), "OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": ""}
    return warm_aisci(*words, cwd=ROOT, seconds=120, **(env | more))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    with ModelServer([f"ready, {KEY}"], tmp_path / "log.jsonl").running() as made:
        yield made


def test_a_model_that_answers_is_a_table_with_its_facts_and_the_key_is_nowhere(
    server: ModelServer, tmp_path: Path
) -> None:
    own = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
    done = aisci("doctor", "--model", "openai/gpt-4o", folder=tmp_path, **own)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert "OPENAI_API_KEY" in lines["key"]
    assert "in $2.5, out $10, cached $1.25" in lines["price"]
    assert "litellm's list" in lines["price"]
    assert "128,000 tokens" in lines["context"]
    assert "answered" in lines["one call"]
    assert server.url in lines["server"]
    assert KEY not in done.stdout + done.stderr
    assert len(server.requests()) == 1


def test_for_programs_it_is_one_object(server: ModelServer, tmp_path: Path) -> None:
    own = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
    done = aisci("doctor", "--model", "openai/mine", "--json", folder=tmp_path, **own)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["price"]["origin"] == "none"
    assert found["call"]["answered"]
    assert found["variables"] == ["OPENAI_API_KEY"]
    assert KEY not in done.stdout + done.stderr


def test_a_key_that_is_refused_is_told_and_fails(tmp_path: Path) -> None:
    refusing = ModelServer([Fail(401, f"Incorrect API key: {KEY}")], tmp_path / "log.jsonl")
    with refusing.running() as server:
        own = {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}
        done = aisci("doctor", "--model", "openai/gpt-4o", folder=tmp_path, **own)
    assert done.returncode == 1
    assert "check the key in the environment" in done.stdout
    assert KEY not in done.stdout + done.stderr


def test_without_a_key_the_facts_are_told_and_offline_is_no_failure(tmp_path: Path) -> None:
    words = ("doctor", "--model", "anthropic/claude-sonnet-4-5-20250929")
    done = aisci(*words, folder=tmp_path)
    assert done.returncode == 1
    assert "not set: ANTHROPIC_API_KEY" in done.stdout
    assert "2026-11-30" in done.stdout
    offline = aisci(*words, "--offline", folder=tmp_path)
    assert offline.returncode == 0, offline.stderr
    assert "not made" in offline.stdout


def test_a_name_that_nobody_knows_is_refused_with_a_way_to_look_one_up(tmp_path: Path) -> None:
    done = aisci("doctor", "--model", "antropic/x", folder=tmp_path)
    refused(done, 2, "did you mean 'anthropic'?", "aisci doctor --model NAME")


def test_a_price_file_lets_a_run_begin_and_a_broken_one_is_told_by_place(tmp_path: Path) -> None:
    own = {"OPENAI_API_BASE": "http://127.0.0.1:9/v1", "XDG_CONFIG_HOME": str(tmp_path)}
    file = tmp_path / "aisci" / "prices.yaml"
    unpriced = begin(tmp_path, "--model", "openai/my-own", **own)
    refused(unpriced, 2, "no price is known for openai/my-own", str(file))
    file.parent.mkdir()
    file.write_text("openai/my-own: {input: 0, output: 0}\n")
    refused(begin(tmp_path, "--model", "openai/my-own", **own), 1, "nothing answers at the server")
    file.write_text("openai/my-own: {input: -1, outptu: 0}\n")
    done = begin(tmp_path, "--model", "openai/my-own", **own)
    refused(done, 2, "2 errors", "1:17: openai/my-own.input", "did you mean 'output'?")
