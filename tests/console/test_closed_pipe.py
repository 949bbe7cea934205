"""A reader that stops reading, such as `head`, is no failure of the command that it reads from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import ROOT

pytestmark = pytest.mark.program


def without_reader(*words: str) -> subprocess.CompletedProcess[bytes]:
    """The command, its output going to a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writing)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_audit_without_a_reader_never_says_broken(
    quick_run: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    page = str(tmp_path / "audit.html")
    done = without_reader("audit", str(quick_run), "--html", page, *form)
    assert (done.returncode, done.stderr) == (141, b"")


def test_help_without_a_reader_ends_quietly() -> None:
    done = without_reader("--help")
    assert (done.returncode, done.stderr) == (141, b"")
