"""The block `model`: which models, at which address; only narrowed by a child; unseen where it bounds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.policy.check import check_no_weaker
from orchestrator.policy.compare import compare, strength_of
from orchestrator.policy.controls import of_setting
from orchestrator.policy.model_rules import may_be_asked
from orchestrator.policy.policy import load_policy, lowered, policy_text
from tests.policy.test_policy import ROOT, refusal, written

OWN = "openai/*@https://llm.corp.example/v1"


@pytest.mark.parametrize(
    ("allow", "name", "server", "allowed"),
    [
        (["openai/*"], "openai/gpt-4o", "", True),
        (["openai/*"], "anthropic/claude", "", False),
        (["openai/*"], "openai/gpt-4o", "https://llm.corp.example/v1", False),
        ([OWN], "openai/llama", "https://llm.corp.example/v1", True),
        ([OWN], "openai/llama", "https://llm.corp.example/v1/", True),
        ([OWN], "openai/llama", "https://llm.corp.example", False),
        ([OWN], "openai/llama", "https://llm.corp.example.evil.org/v1", False),
        ([OWN], "openai/llama", "", False),
        (["openai/gpt-4*"], "openai/gpt-4o", "", True),
        (["openai/gpt-4"], "openai/gpt-4o", "", False),
        (["openai/*"], "gpt-4o", "", False),
        (["vertex_ai/claude@20240620"], "vertex_ai/claude@20240620", "", True),
        ([], "openai/gpt-4o", "", False),
        ("any", "openai/gpt-4o", "http://10.0.0.1", True),
    ],
)
def test_a_model_may_be_asked_exactly_if_an_entry_has_its_name_and_address(
    *, allow: list[str] | str, name: str, server: str, allowed: bool
) -> None:
    assert may_be_asked(tuple(allow) if isinstance(allow, list) else allow, name, server) is allowed


def test_a_child_may_only_narrow_which_models_and_what_they_are_told(tmp_path: Path) -> None:
    parent = f'extends: ci-cpu\nmodel: {{allow: ["openai/*", "{OWN}"], feedback: verdict}}'
    written(tmp_path, parent, "parent.yaml")
    child = 'extends: ./parent.yaml\nmodel: {allow: ["openai/gpt-4o"]}'
    model = load_policy(written(tmp_path, child), ROOT).whole.model
    assert (model.allow, model.feedback) == (("openai/gpt-4o",), "verdict")
    for wider, key in (
        ('allow: ["openai/gpt-4o", "anthropic/*"]', "model.allow"),
        ("allow: any", "model.allow"),
        ('allow: ["openai/gpt-4o@http://localhost:8000"]', "model.allow"),
        ("feedback: tails", "model.feedback"),
    ):
        text = refusal(tmp_path, f"extends: ./parent.yaml\nmodel: {{{wider}}}")
        assert f"mine.yaml:5:9: {key}" in text


def test_a_policy_without_the_block_is_weaker_than_one_with_it(tmp_path: Path) -> None:
    """Leaving the block out is no way round it; and a policy that has it is never weaker for that."""
    strict = written(tmp_path, "extends: ci-cpu\nmodel: {allow: [], feedback: verdict}")
    _, found = check_no_weaker("ci-cpu", load_policy(strict, ROOT), ROOT)
    errors = {one.place.key for one in found if one.level == "error"}
    assert errors == {"model.allow", "model.feedback"}
    assert check_no_weaker(strict, load_policy("ci-cpu", ROOT), ROOT)[1] == ()


def test_a_block_that_bounds_nothing_changes_no_hash(tmp_path: Path) -> None:
    """So neither policies nor recorded runs of before the block are others now."""
    settings = load_policy("ci-cpu", ROOT).settings
    assert "model" not in settings
    plain = load_policy(written(tmp_path, "extends: ci-cpu"), ROOT)
    said = "extends: ci-cpu\nmodel: {allow: any, feedback: tails}"
    assert load_policy(written(tmp_path, said), ROOT).hash == plain.hash
    verdict = load_policy(written(tmp_path, "extends: ci-cpu\nmodel: {feedback: verdict}"), ROOT)
    assert verdict.hash != plain.hash
    path = tmp_path / "again.yaml"
    path.write_text(policy_text(verdict, effective=True))
    assert load_policy(str(path), ROOT).hash == verdict.hash


def test_the_block_is_compared_and_lowered_as_every_other() -> None:
    policy = load_policy("ci-cpu", ROOT)
    told = lowered(policy, {"model.feedback": "verdict"})
    (found,) = compare(policy.settings, told.settings)
    assert (found.key, found.before, found.verdict) == ("model.feedback", "tails", "stronger")
    path = ("model", "allow")
    assert strength_of(path, ["a/*"], ["a/b", "a/c"]) == "stronger"
    assert strength_of(path, ["a/*", "a/b"], ["a/*"]) == "different"
    assert strength_of(path, ["a/b"], ["a/*"]) == "weaker"


def test_the_block_is_explained(tmp_path: Path) -> None:
    control = of_setting("model.allow")
    assert "Any model may be asked" in control.meaning(load_policy("ci-cpu", ROOT))
    body = f'extends: ci-cpu\nmodel: {{allow: ["{OWN}"], feedback: verdict}}'
    words = control.meaning(load_policy(written(tmp_path, body), ROOT))
    assert OWN in words
    assert "the verdict alone" in words
    none = load_policy(written(tmp_path, "extends: ci-cpu\nmodel: {allow: []}"), ROOT)
    assert "No model may be asked" in control.meaning(none)


@pytest.mark.parametrize(
    "entry",
    ["*", "openai", "openai/x@llm.corp", "openai/x@ftp://a", "openai/x@https://u:PW@a", "a b"],
)
def test_an_entry_that_names_no_model_or_no_address_is_refused_and_no_password_is_shown(
    tmp_path: Path, entry: str
) -> None:
    text = refusal(tmp_path, f'extends: ci-cpu\nmodel: {{allow: ["{entry}"]}}')
    assert "5:9: model.allow" in text
    assert "VENDOR/MODEL" in text
    assert "PW" not in text
