"""A test with no marker is ``unit``, and can neither start a program nor call the engine."""

from __future__ import annotations

import os
import socket
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import sample
from tests.support.fewer import MANY, fewer, named


def test_a_test_without_a_marker_is_a_unit_test(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("unit")


@pytest.mark.program
def test_a_test_with_another_is_none(request: pytest.FixtureRequest) -> None:
    assert not request.node.get_closest_marker("unit")
    subprocess.run(["true"], check=True)


def test_a_unit_test_that_starts_a_program_fails_and_is_told_its_marker() -> None:
    with pytest.raises(pytest.fail.Exception, match="mark it `program`"):
        subprocess.run(["true"], check=True)
    with pytest.raises(pytest.fail.Exception, match="mark it `program`"):
        os.system("true")


def test_a_unit_test_that_calls_the_engine_fails_and_is_told_its_marker() -> None:
    with (
        socket.socket(socket.AF_UNIX) as one,
        pytest.raises(pytest.fail.Exception, match="mark it `engine`"),
    ):
        one.connect("/var/run/docker.sock")


class Case:
    """A test of a class that needs a program, with what :func:`fewer` looks at."""

    def __init__(self, nodeid: str, *, sampled: bool) -> None:
        marks = [pytest.mark.program.mark] + [pytest.mark.sampled.mark] * sampled
        self.nodeid, self.cls, self.marked = nodeid, SimpleNamespace(pytestmark=marks), False

    def get_closest_marker(self, name: str) -> bool:
        return name == "program"

    def add_marker(self, name: str) -> None:
        self.marked = name == "sampled"


def cases(of: str, *, sampled: bool) -> list[Case]:
    """Twenty-one tests, and one more with nine cases."""
    names = [f"test_{number}" for number in range(21)] + [f"test_many[{n}]" for n in range(9)]
    return [Case(f"tests/a/test_b.py::{of}::{name}", sampled=sampled) for name in names]


def test_of_a_sampled_class_a_part_runs_and_of_another_a_part_of_each_tests_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, part = cases("TestFirst", sampled=False), cases("TestSecond", sampled=True)
    both: list[Any] = [*whole, *part]
    monkeypatch.setattr(sample, "EVERY_ITEM", False)
    left_out: list[Any] = [*fewer(both)]
    assert sum(one in left_out for one in whole) == 9 - MANY
    assert all("test_many[" in one.nodeid for one in whole if one in left_out or one.marked)
    assert sum(one in left_out for one in part) == 23
    assert all(one.marked for one in part)
    monkeypatch.setattr(sample, "EVERY_ITEM", True)
    assert fewer(both) == []


def test_a_case_of_a_class_is_named_as_one_of_a_test_is() -> None:
    assert named("tests/a/test_b.py::test_c[d]")
    assert named("tests/a/test_b.py::TestC::test_d")
    assert not named("tests/a/test_b.py::test_c")
    assert not named("tests/a/test_b.py")
