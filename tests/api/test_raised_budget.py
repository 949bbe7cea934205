"""Another budget for a run that continues: the recorded policy, up to what its file allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.raised_budget import with_budget, with_less
from orchestrator.core.errors import UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import load_policy, lowered
from orchestrator.research.pins import pins_of
from orchestrator.research.run_spec import RunSpec
from tests.support import run_rig as rig

LOW = {"run.budget.usd": 0.5, "idea.budget.usd": 0.5}


def begun(folder: Path) -> RunSpec:
    """A run that was started with a budget of half a dollar."""
    made = rig.setup(folder)
    return replace(made, policy=lowered(made.policy, LOW))


def test_a_budget_is_raised_up_to_what_the_policys_file_allows(tmp_path: Path) -> None:
    spec = begun(tmp_path)
    whole = rig.setup(tmp_path).policy
    most = whole.run.usd
    raised = with_budget(spec, pins_of(spec, Tree()), most, tmp_path)
    assert raised.policy.run.usd == most
    assert raised.policy.idea.usd == whole.idea.usd, "an idea gets no more than its policy says"
    between = with_budget(spec, pins_of(spec, Tree()), 1.0, tmp_path)
    assert (between.policy.run.usd, between.policy.idea.usd) == (1.0, 1.0)
    assert replace(between, policy=spec.policy, proof=spec.proof) == spec, "nothing else changes"
    with pytest.raises(UserError, match="US dollars a run") as refused:
        with_budget(spec, pins_of(spec, Tree()), most + 1, tmp_path)
    assert "--fork --policy" in refused.value.todo


def test_gpu_time_is_raised_like_dollars_and_leaves_them_as_they_are(tmp_path: Path) -> None:
    whole = rig.setup(tmp_path)
    low = with_less(whole.policy, 0.5, 60.0)
    assert (low.run.gpu_time, low.idea.gpu_time) == (60.0, 0.0), "the policy gives an idea no GPU"
    spec = replace(whole, policy=low)
    raised = with_budget(spec, pins_of(spec, Tree()), None, tmp_path, 7200.0)
    assert (raised.policy.run.gpu_time, raised.policy.run.usd) == (7200.0, 0.5)
    more_money = with_budget(spec, pins_of(spec, Tree()), 1.0, tmp_path)
    assert (more_money.policy.run.gpu_time, more_money.policy.run.usd) == (60.0, 1.0)


def test_an_idea_gets_no_more_gpu_time_than_the_run() -> None:
    policy = load_policy("default", shipped_root() / "policies")
    less = with_less(policy, None, 3600.0)
    assert (less.run.gpu_time, less.idea.gpu_time) == (3600.0, 3600.0)
    assert with_less(policy, None, 1e6).idea.gpu_time == policy.idea.gpu_time
    with pytest.raises(UserError, match=r"run\.gpu_time"):
        with_less(less, None, 7200.0)


def test_a_policy_that_was_changed_since_is_not_taken_in_with_a_budget(tmp_path: Path) -> None:
    spec = begun(tmp_path)
    other = replace(spec, policy=lowered(spec.policy, {"idea.budget.requests": 5}))
    with pytest.raises(UserError, match="was changed since the run began") as refused:
        with_budget(other, pins_of(other, Tree()), 1.0, tmp_path)
    assert "--fork" in refused.value.todo
