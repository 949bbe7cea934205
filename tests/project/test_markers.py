"""A test with no marker is ``unit``, and can neither start a program nor call the engine."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest


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
