"""The three first days of docs/first-days.md, typed as they stand; one of them by the commit in `make test`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.places import ROOT
from tests.support.sample import some

DAYS = re.findall(
    r"^## (.+?)$.*?^```sh\n(.*?)^```$",
    (ROOT / "docs/first-days.md").read_text(),
    re.MULTILINE | re.DOTALL,
)


@contextmanager
def labs_server(log: Path) -> Iterator[str]:
    """A server of a model, on this machine; its address."""
    argv = [sys.executable, "-m", "orchestrator.research.loopback", "--log", str(log)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield re.search(r"http://\S+", server.stdout.readline()).group()  # type: ignore[union-attr]  # it says so first
        finally:
            server.terminate()


def typed(lines: str, place: Path, **more: str) -> str:
    """What a shell prints of these lines in a new folder; the first that fails ends them."""
    program = place / "bin" / "aisci"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/cli.py "$@"\n')
    program.chmod(0o755)
    home = {"HOME": str(place), "XDG_CACHE_HOME": str(place / "cache")}
    path = f"{program.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", lines], cwd=place, capture_output=True, text=True, check=False,
        env={"PATH": path, "T": f"{ROOT}/tests/data/quick/", **home, **more},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_the_page_has_three_days() -> None:
    assert [who for who, _ in DAYS] == [
        "A researcher with an experiment",
        "A member of a lab with a model",
        "An engineer with a pipeline",
    ]


@pytest.mark.engine
@pytest.mark.sampled
@pytest.mark.parametrize("day", some([who for who, _ in DAYS], 1))
def test_what_the_page_says_can_be_typed(day: str, tmp_path: Path) -> None:
    lines = dict(DAYS)[day]
    with labs_server(tmp_path / "asked.jsonl") as server:
        said = typed(lines.replace("http://127.0.0.1:8000/v1", server), tmp_path)
    if "pipeline" in day:
        assert json.loads((tmp_path / "audit.json").read_text())["outcome"] == "consistent"
    if "lab" in day:
        assert "consistent" in said
        assert "files are the same" in said
    if "researcher" in day:
        assert "report.html" in said.splitlines()[-1]
