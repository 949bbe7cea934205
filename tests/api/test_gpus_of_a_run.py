"""The GPUs that a run was given are looked for before it starts."""

from __future__ import annotations

import pytest

from orchestrator.api.parallel import require_gpus
from orchestrator.core.errors import UserError
from orchestrator.core.files import shipped_root
from orchestrator.policy.policy import load_policy
from tests.sandbox.test_gpus import TWO, ScriptedNvml

SHIPPED = shipped_root() / "policies"


def test_every_gpu_is_the_default_also_where_there_is_none() -> None:
    require_gpus("all", load_policy("ci-cpu", SHIPPED), ScriptedNvml(()))


def test_gpus_for_jobs_that_get_none_are_refused() -> None:
    with pytest.raises(UserError, match="no GPU") as caught:
        require_gpus("1", load_policy("ci-cpu", SHIPPED), ScriptedNvml(TWO))
    assert "ci-cpu" in caught.value.where


@pytest.mark.parametrize(("asked", "here"), [("2", True), ("device=1", True), ("3", False)])
def test_a_gpu_that_is_not_here_is_named_before_anything_starts(asked: str, here: bool) -> None:  # noqa: FBT001 - a table's column
    policy = load_policy("default", SHIPPED)
    if here:
        require_gpus(asked, policy, ScriptedNvml(TWO))
    else:
        with pytest.raises(UserError, match="no such GPU"):
            require_gpus(asked, policy, ScriptedNvml(TWO))
