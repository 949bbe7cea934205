"""Exceptions with an approver and a last day: recorded as written, refused when over, announced before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.api import policies
from orchestrator.api.policies import held_below, usable_policy
from orchestrator.core.errors import BadPolicy
from orchestrator.core.host import Machine
from orchestrator.policy import check as checks
from orchestrator.policy.check import check, check_expiry, check_no_weaker
from orchestrator.policy.policy import load_policy, policy_text
from tests.policy.test_policy import ROOT, refusal, written

TODAY = datetime.now(UTC).date()
BODY = (
    "extends: ci-cpu\nidea: {{wall: 121m}}\nexceeds:\n"
    "  idea.wall: {{reason: the long study of spring, approver: A. Person, until: {}}}\n"
)


def granted(folder: Path, until: date | str) -> str:
    return written(folder, BODY.format(until))


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    large = Machine(cpus=64, memory=2**40, disk=2**44, gpus=8, gpu_memory=2**37)
    monkeypatch.setattr(policies, "this_machine", lambda _folder=None: large)


def test_an_exception_with_approver_and_last_day_is_hashed_shown_and_read_again(
    tmp_path: Path,
) -> None:
    policy = load_policy(granted(tmp_path, "2099-03-01"), ROOT)
    assert policy.settings["exceeds"]["idea.wall"] == {
        "reason": "the long study of spring",
        "approver": "A. Person",
        "until": "2099-03-01",
    }
    path = tmp_path / "again.yaml"
    path.write_text(policy_text(policy, effective=True))
    assert load_policy(str(path), ROOT).hash == policy.hash
    _, found = check_no_weaker(granted(tmp_path, "2099-03-01"), load_policy("base", ROOT), ROOT)
    assert {one.level for one in found} <= {"note"}
    _, found = check_no_weaker(granted(tmp_path, "2099-03-01"), load_policy("ci-cpu", ROOT), ROOT)
    (said,) = (one for one in found if one.level == "exceeds")
    assert said.reason == "the long study of spring (approved by A. Person, until 2099-03-01)"


def test_on_its_last_day_an_exception_holds_and_on_the_next_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = granted(tmp_path, TODAY)
    assert check(load_policy(name, ROOT)) == ()
    usable_policy(name, tmp_path)
    monkeypatch.setattr(checks, "_today", lambda: TODAY + timedelta(days=1))
    (found,) = check(load_policy(name, ROOT))
    assert (found.level, found.rule, found.place.key) == ("error", "expired", "exceeds.idea.wall")
    assert found.place.line == 7
    with pytest.raises(BadPolicy, match="is over"):
        usable_policy(name, tmp_path)


def test_a_run_that_continues_under_an_exception_that_is_over_is_refused(tmp_path: Path) -> None:
    """`resume` asks this of the recorded policy: it does not read the file again."""
    policy = load_policy(granted(tmp_path, TODAY - timedelta(days=1)), ROOT)
    with pytest.raises(BadPolicy, match="this exception is over") as caught:
        held_below(policy, "or continue with --fork")
    assert caught.value.todo.endswith("or continue with --fork")


def test_a_child_has_the_last_day_of_its_parents_exception(tmp_path: Path) -> None:
    granted(tmp_path, TODAY - timedelta(days=1))
    (tmp_path / "mine.yaml").rename(tmp_path / "parent.yaml")
    (found,) = check(load_policy(written(tmp_path, "extends: ./parent.yaml"), ROOT))
    assert (found.rule, found.place.key) == ("expired", "exceeds.idea.wall")


def test_what_ends_soon_is_an_error_where_it_is_asked_for(tmp_path: Path) -> None:
    name = granted(tmp_path, TODAY + timedelta(days=20))
    assert check_expiry(name, ROOT, 10 * 86400) == ()
    (found,) = check_expiry(name, ROOT, 30 * 86400)
    assert (found.level, found.rule) == ("error", "expires-soon")
    assert "within 30d" in found.what
    plain = "extends: ci-cpu\nidea: {wall: 121m}\nexceeds: {idea.wall: a study that takes long}"
    assert check_expiry(written(tmp_path, plain), ROOT, 30 * 86400) == ()


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        ("reason: a b c d e f g h i, approver: A. Person", "'until' is missing"),
        ("reason: the long study of spring, until: 2099-03-01", "'approver' is missing"),
        ("reason: ., approver: A. Person, until: 2099-03-01", "no reason that a reviewer"),
        ("reason: the long study of spring, approver: A. Person, until: 1 March", "is not a day"),
        ("reason: the long study of spring, approver: A. Person, until: 2099-02-30", "no calendar"),
        (
            "reason: the long study of spring, approver: A. Person, till: 2099-03-01",
            "unknown key 'till'",
        ),
    ],
)
def test_an_exception_that_lacks_a_part_is_refused_at_its_place(
    tmp_path: Path, inside: str, says: str
) -> None:
    body = f"extends: ci-cpu\nidea: {{wall: 121m}}\nexceeds: {{idea.wall: {{{inside}}}}}"
    text = refusal(tmp_path, body)
    assert says in text
    assert "mine.yaml" in text
    assert "6:" in text.partition("mine.yaml")[2]
