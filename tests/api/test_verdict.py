"""The last lines of `aisci doctor`: which policy a run takes, what larger ones lack, what to do next."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.api.readiness import READINESS
from orchestrator.api.verdict import machine_verdict
from orchestrator.console.doctor import verdict_lines
from orchestrator.machine.doctor import Check

FITS = Check(
    group=READINESS, name="ci-cpu", state="ok", found="can run here", basis="tested", todo=""
)
SMALL = replace(
    FITS, name="default", state="refused", found="memory: 32GiB; this machine has 23GiB"
)
MIDDLE = replace(SMALL, name="workstation", found="cpus: 4 CPUs; this machine has 2")
OTHER = replace(FITS, name="strict")


def test_the_largest_policy_that_fits_is_named_with_what_larger_ones_lack() -> None:
    assert verdict_lines(machine_verdict([OTHER, FITS, SMALL, MIDDLE])) == [
        "verdict: runs here take the policy ci-cpu",
        "         larger: default: memory: 32GiB; this machine has 23GiB",
        "         larger: workstation: cpus: 4 CPUs; this machine has 2",
        "next:    aisci run grokking --scale smoke",
    ]


def test_where_none_fits_the_remedy_of_the_smallest_is_next() -> None:
    none = replace(FITS, state="refused", found="an image is missing", todo="`aisci images build`")
    verdict = machine_verdict([none, SMALL, MIDDLE])
    assert (verdict.policy, verdict.next) == ("", "`aisci images build`")
    assert [name for name, _ in verdict.missing] == ["default", "workstation", "ci-cpu"]


def test_a_check_that_failed_comes_before_any_run() -> None:
    failed = replace(FITS, group="engine", name="answers", state="fail", todo="start Docker\nor so")
    assert machine_verdict([failed, FITS]).next == "answers failed: start Docker"
