"""``--batch-reviews`` before a run: refused where the reviewer takes no batches, half price in the estimate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.api.batch_reviews import require_batches
from orchestrator.api.estimate import estimate_run
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.console.review_groups import review_rules
from orchestrator.core.errors import UserError
from orchestrator.record.pins import ReviewPin
from tests.support import run_rig as rig

BATCH = ReviewPin(reviews=5, batch="keep")
TAKES, NOT = "openai/gpt-6.1-sol", "gemini/gemini-3.8-flash"


def wanted(folder: Path, model: str, **changes: object) -> RunRequest:
    request = RunRequest(template=rig.QUICK, scale="smoke", policy=rig.POLICY, model=model,
                         results=folder, reviewing=BATCH)  # fmt: skip
    return replace(request, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "roles"),
    [(TAKES, ()), ("anthropic/claude-opus-5-5", ()), (NOT, (("reviewing", TAKES),))],
)
def test_the_model_that_reviews_counts(
    tmp_path: Path, model: str, roles: tuple[tuple[str, str], ...]
) -> None:
    require_batches(prepare(wanted(tmp_path, model, roles=roles), to_start=False).setup)


@pytest.mark.parametrize(
    ("model", "changes", "says"),
    [
        (NOT, {}, "takes no batches that aisci knows"),
        ("builtin/sweep", {}, "takes no batches that aisci knows"),
        ("openai/mine", {}, "takes no batches that aisci knows"),
        (TAKES, {"roles": (("reviewing", NOT),)}, "takes no batches that aisci knows"),
        (TAKES, {"roles": (("fallback", NOT),)}, "no model can stand behind it"),
        (TAKES, {"leave_out": "review"}, "leaves its reviews out"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_started(
    tmp_path: Path, model: str, changes: dict[str, object], says: str
) -> None:
    setup = prepare(wanted(tmp_path, model, **changes), to_start=False).setup
    with pytest.raises(UserError, match=says):
        require_batches(setup)
    require_batches(replace(setup, reviewing=ReviewPin()))


def test_an_estimate_halves_what_goes_out_in_batches_and_nothing_else(tmp_path: Path) -> None:
    def dollars(rules: ReviewPin) -> dict[str, float]:
        found = estimate_run(wanted(tmp_path, TAKES, reviewing=rules))
        return {one.stage: one.usd or 0.0 for one in found.stages}

    plain, batched = dollars(replace(BATCH, batch="")), dollars(BATCH)
    assert plain["review"] / 2 < batched["review"] < 0.6 * plain["review"], "the chair is no part"
    assert {name: usd for name, usd in plain.items() if name != "review"} == {
        name: usd for name, usd in batched.items() if name != "review"
    }


def test_the_option_says_what_becomes_of_a_batch_when_the_run_is_stopped() -> None:
    def rules(batch: str) -> ReviewPin:
        return review_rules(3, 1, 6.0, 0, examples=True, batch=batch)

    assert [rules(one).batch for one in ("", "keep", "cancel")] == ["", "keep", "cancel"]
    with pytest.raises(UserError) as refused:
        rules("yes")
    assert refused.value.todo == "write keep (resume collects it) or cancel"
