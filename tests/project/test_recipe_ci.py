"""The workflow that users copy: its commands are those that there are, and they work in order."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from cli import app
from orchestrator.core.strict_yaml import read
from tests.support.places import ROOT

RECIPE = ROOT / "docs" / "recipes" / "ci.yml"


def steps() -> list[dict[str, Any]]:
    """Of its one job."""
    (job,) = read(RECIPE).data["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def commands() -> list[tuple[str, list[str]]]:
    """Each step that calls ``aisci``: as bash gets it, and the arguments that it names."""
    found = []
    for step in steps():
        words = shlex.split(step.get("run", ""))
        if "aisci" in words:
            found.append((step["run"], words[words.index("aisci") + 1 :]))
    return found


def parsed(arguments: list[str]) -> str:
    """The command's whole name; raises what typer says of arguments that it does not know."""
    command: Any = typer.main.get_command(app)
    context, name = command.make_context("aisci", list(arguments)), "aisci"
    while isinstance(command, TyperGroup):
        rest = [*context._protected_args, *context.args]
        found, child, rest = command.resolve_command(context, rest)
        assert child is not None
        context, command, name = (
            child.make_context(found, rest, parent=context),
            child,
            f"{name} {found}",
        )
    return name


def test_every_command_and_option_that_it_names_is_there_in_its_order() -> None:
    called = []
    for run, arguments in commands():
        files = ["policies/ci-cpu.yaml"] if "xargs" in run else []
        called.append(parsed([*arguments, *files]))
    assert called == [
        "aisci policy check",
        "aisci images build",
        "aisci policy prove",
        "aisci run",
        "aisci audit",
    ]


def test_an_option_that_is_not_there_would_be_seen() -> None:
    with pytest.raises(typer.TyperException):
        parsed(["policy", "prove", "ci-cpu", "--no-such-option"])
    with pytest.raises(typer.TyperException):
        parsed(["policy", "proof", "ci-cpu"])


def test_it_may_read_only_and_keeps_the_results_also_of_what_failed() -> None:
    assert read(RECIPE).data["permissions"] == {"contents": "read"}
    *_, last = steps()
    assert (last["if"], last["with"]["path"]) == ("always()", "results")
    kept = [arguments for _, arguments in commands() if "--results" in arguments]
    assert [one[one.index("--results") + 1] for one in kept] == ["results"] * 3
    assert (ROOT / "templates" / "grokking").is_dir()
    assert (ROOT / "policies" / "ci-cpu.yaml").is_file()


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Somebody's repository with policies, and the folder with `aisci` in it on the path."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    program = tmp_path / "bin" / "aisci"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/cli.py "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.campaign
@pytest.mark.engine
def test_its_commands_work_one_after_the_other(theirs: Path) -> None:
    path = f"{theirs / 'bin'}:{os.environ['PATH']}"
    for run, _ in commands():
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", run],
            cwd=theirs,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, run + done.stdout + done.stderr
    results = theirs / "results"
    assert list(results.glob("proofs/*/*.json"))
    assert list(results.glob("*/*/report.html"))
    assert list(results.glob("*/*/audit.html"))
