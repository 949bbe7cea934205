"""A key that is planted, a vendor that says it again, every log turned up: a whole run leaves no trace of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import AisciError
from orchestrator.research.loopback.answers import Fail, ServerAnswer
from orchestrator.research.loopback.author import from_model
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.sweep import SweepModel
from tests.research.test_fault_campaign import MODEL, go
from tests.support import run_rig as rig
from tests.support.places import ROOT

KEY = "sk-planted-5f3c9a1e7b2d4860"
LOUD = {
    "LITELLM_LOG": "DEBUG",
    "OPENAI_LOG": "debug",
    "HTTPX_LOG_LEVEL": "trace",
    "AISCI_DEBUG": "1",
}


def scripted(faults: Counter[str], seen: list[str]) -> Any:
    """Failures and replies that repeat the key; each request looks at the processes of this machine."""
    sweep = from_model(SweepModel())

    def script(body: dict[str, Any]) -> ServerAnswer:
        seen.extend(processes_with_the_key())
        purpose = body["purpose"]
        faults[purpose] += 1
        if faults[purpose] == 1:
            return Fail(503, f"the key {KEY} is busy", headers=(("X-Key", KEY),))
        if purpose == "review.form" and faults[purpose] == 2:
            return f"Your key is {KEY}, and I would rather not."
        return sweep(body)

    return script


def processes_with_the_key() -> Iterator[str]:
    """Processes of this machine that have it on their command line, or got it in their environment from
    the run: the run itself is the one that was given it.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            environ = (folder / "environ").read_bytes()
        except OSError:
            continue
        if KEY.encode() in command:
            yield f"command line: {command!r}"
        if KEY.encode() in environ and b"test_planted_key" not in command:
            yield f"environment of {command!r}"


@pytest.mark.program
def test_a_planted_key_is_in_nothing_that_a_run_leaves_says_or_starts(tmp_path: Path) -> None:
    faults, seen = Counter[str](), list[str]()
    server = ModelServer(scripted(faults, seen), tmp_path / "log")
    home, folder = tmp_path / "home", tmp_path / "results" / "run"
    home.mkdir()
    with server.running():
        code = f"from tests.research.test_planted_key import main; main({str(folder)!r}, {server.url!r})"
        given = {"OPENAI_API_KEY": KEY, "OPENAI_API_BASE": server.url, "HOME": str(home), **LOUD}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT, env=os.environ | given, capture_output=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    assert b"finished" in done.stdout
    assert len(faults) > 10, "every stage was asked"
    assert seen == []
    assert KEY.encode() not in done.stdout + done.stderr
    left = [path for top in (home, folder) for path in top.rglob("*") if path.is_file()]
    assert len(left) > 50
    assert [str(path) for path in left if KEY.encode() in path.read_bytes()] == []


def main(folder: str, url: str) -> None:
    """The run of the test above, in a process that holds the key."""
    server = ModelServer((), Path(os.devnull), url=url)
    spec = rig.setup(Path(folder).parent, MODEL)
    try:
        for outcome in go(spec, Path(folder), server, environ=os.environ):
            print(outcome.status, outcome.failure or "")
    except AisciError as error:
        print(error)
