"""Evidence compares what was asked with what is, and says why a job ended."""

from __future__ import annotations

import pytest

from orchestrator.core.job import Verdict
from orchestrator.record.attestation import (
    flatten_settings,
    mismatches,
    same_keys,
    suspected,
    verdict,
)


def test_settings_that_the_engine_took_otherwise_are_named_with_both_values() -> None:
    asked = flatten_settings({"HostConfig": {"Memory": 100, "CapDrop": ["ALL"], "Init": True}})
    have = {"HostConfig": {"Memory": 200, "CapDrop": ["ALL"], "Init": True, "CpuShares": 7}}
    inspected = flatten_settings(
        same_keys({"HostConfig": {"Memory": 0, "CapDrop": 0, "Init": 0}}, have)
    )
    assert mismatches(asked, inspected) == ("HostConfig.Memory: asked '100', the engine has '200'",)


def test_a_setting_that_the_engine_does_not_report_is_a_mismatch() -> None:
    asked = flatten_settings({"HostConfig": {"PidsLimit": 5}})
    assert (
        mismatches(asked, flatten_settings(same_keys({"HostConfig": {"PidsLimit": 5}}, {}))) != ()
    )


def test_pairs_are_the_same_whatever_the_order_of_keys() -> None:
    assert flatten_settings({"b": {"y": 1, "x": None}, "a": [2, {"k": True}]}) == (
        ("a", "2, k=True"),
        ("b.x", ""),
        ("b.y", "1"),
    )


@pytest.mark.parametrize(
    ("killed", "exit_code", "hit", "why"),
    [
        (Verdict.TIMED_OUT, 0, ("memory",), Verdict.TIMED_OUT),
        (Verdict.LOG_FLOOD, 137, ("memory", "storage: bytes"), Verdict.LOG_FLOOD),
        (None, 137, ("memory", "pids", "storage: bytes"), Verdict.OUT_OF_MEMORY),
        (None, 1, ("pids", "storage: inodes"), Verdict.OUT_OF_STORAGE),
        (None, 1, ("pids",), Verdict.OUT_OF_PIDS),
        (None, 1, (), Verdict.FAILED),
        (None, None, (), Verdict.FAILED),
        (None, 0, ("memory", "pids", "storage: tmp"), Verdict.FINISHED),
        (None, 0, (), Verdict.FINISHED),
    ],
)
def test_the_order_of_reasons(
    killed: Verdict | None, exit_code: int | None, hit: tuple[str, ...], why: Verdict
) -> None:
    assert verdict(killed, exit_code, hit) is why


def test_words_only_raise_a_suspicion_and_none_where_it_was_measured() -> None:
    words = "OSError: [Errno 28] No space left on device\nCUDA out of memory"
    assert suspected(words, ()) == ("gpu memory", "storage")
    assert suspected(words, ("storage: bytes",)) == ("gpu memory",)
    assert suspected("all is well", ()) == ()
