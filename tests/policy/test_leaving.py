"""What leaves this machine is listed for each policy, and the page names each way out."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.policy.controls import leaving
from orchestrator.policy.policy import load_policy
from orchestrator.template.baseline import OUTPUT_TAIL
from tests.policy.test_policy import ROOT, SHIPPED, written

PAGE = (ROOT.parent / "docs" / "what-leaves.md").read_text("utf-8")


@pytest.mark.parametrize("name", [one for one in SHIPPED if one not in {"latex", "editor"}])
def test_each_way_out_says_what_to_whom_and_when(name: str) -> None:
    ways = leaving(load_policy(name, ROOT))
    assert all(one.what and one.to and one.when for one in ways)
    sent = next(one for one in ways if "code sends" in one.what)
    has_hosts = name == "allowlist-example"
    assert (sent.when != "never") is has_hosts
    assert ("443" in sent.to) is has_hosts


def test_the_models_and_the_feedback_are_the_policys(tmp_path: Path) -> None:
    usual, failed, *_ = leaving(load_policy("ci-cpu", ROOT))
    assert "the vendor of the model" in usual.to
    assert f"last {OUTPUT_TAIL} characters" in failed.what
    assert f"last {OUTPUT_TAIL} characters" in PAGE
    rules = 'model: {allow: ["openai/*@https://llm.corp.example/v1"], feedback: verdict}'
    policy = load_policy(written(tmp_path, f"extends: ci-cpu\n{rules}"), ROOT)
    usual, failed, *_ = leaving(policy)
    assert usual.to == failed.to == "openai/*@https://llm.corp.example/v1"
    assert "nothing that the program wrote" in failed.what


def test_the_policy_of_the_page_is_a_policy(tmp_path: Path) -> None:
    text = PAGE.split("```yaml\n# corp.yaml")[1].split("```")[0].partition("\n")[2]
    path = tmp_path / "corp.yaml"
    path.write_text(text)
    policy = load_policy(str(path), ROOT)
    assert not policy.tells_tails
    assert policy.whole.model.allow == ("openai/*@https://llm.corp.example/v1",)


@pytest.mark.program
@pytest.mark.skipif(not shutil.which("jq"), reason="there is no jq")
def test_the_command_of_the_page_shows_every_question_of_a_record(quick_run: Path) -> None:
    command = PAGE.split("```sh\n")[1].split("```")[0].replace("RUN/", f"{quick_run}/")
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    lines = [
        json.loads(line)
        for journal in quick_run.rglob("journal.jsonl")
        for line in journal.read_text("utf-8").splitlines()
    ]
    asked = [one for one in lines if one["kind"] == "asked" and one["port"] == "model"]
    assert asked
    for one in asked:
        body = one["body"]
        first = body["blob"] or body["inline"]["ask"]["messages"][0]["content"]
        assert first.rstrip("\n") in done.stdout
