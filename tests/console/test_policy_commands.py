"""The policy commands as people and pipelines run them: what they print, and how they end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
from orchestrator.core.host import Machine
from orchestrator.core.strict_yaml import read
from orchestrator.policy.controls import CONTROLS
from orchestrator.policy.runtimes import departures
from tests.policy.test_policy import HEAD, ON_HOST, SHIPPED, written
from tests.support.places import ROOT

NOWHERE = "unix:///nowhere/docker.sock"
FILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "policies").glob("*.yaml"))


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def aisci(*words: str, cwd: Path = ROOT, **more: str) -> Done:
    """The command in this process: what it prints, and its exit code."""
    with contextlib.chdir(cwd):
        result = CliRunner().invoke(cli.app, words, env=dict(more))
    return Done(result.exit_code, result.stdout, result.stderr)


def answers(*words: str, code: int = 0, **more: Any) -> list[dict[str, Any]]:
    done = aisci("policy", *words, "--json", **more)
    assert done.returncode == code, done.stderr
    assert done.stdout.isascii()
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- list, show, schema -------------------------------------------------------------------


def test_list_has_one_line_for_each_shipped_policy() -> None:
    rows = answers("list")
    assert [row["name"] for row in rows] == SHIPPED
    by_name = {row["name"]: row for row in rows}
    assert by_name["strict"]["runtime"] == "runsc"
    assert by_name["default"]["gpus"] == "1 × 40GiB"
    assert by_name["allowlist-example"]["network"] == "1 host"
    printed = aisci("policy", "list").stdout
    for name, row in by_name.items():
        line = next(one for one in printed.splitlines() if one.startswith(name))
        assert row["memory"] in line
        assert row["disk"] in line


def test_show_prints_a_file_of_blocks_too() -> None:
    assert aisci("policy", "show", "latex").stdout == (ROOT / "policies/latex.yaml").read_text()
    effective = aisci("policy", "show", "latex", "--effective").stdout
    assert effective.startswith("latex:\n  image: aisci-latex\n")


def test_schema_prints_the_file_that_editors_use() -> None:
    printed = json.loads(aisci("policy", "schema").stdout)
    assert printed == json.loads((ROOT / "policies/schema.json").read_text("utf-8"))


# --- check --------------------------------------------------------------------------------


def test_every_shipped_policy_is_no_weaker_than_base_but_for_the_example_that_says_so() -> None:
    """As a pipeline runs it, on whatever machine that has."""
    rows = answers("check", *FILES, "--no-weaker-than", "base")
    assert [row["policy"] for row in rows] == FILES
    assert all(row["ok"] and row["compared"] for row in rows)
    levels = {row["policy"]: {one["level"] for one in row["findings"]} for row in rows}
    exceeding = [name for name, found in levels.items() if "exceeds" in found]
    assert exceeding == ["policies/allowlist-example.yaml"]
    done = aisci("policy", "check", *FILES, "--no-weaker-than", "base")
    assert "reason: the experiment looks papers up while it runs" in done.stdout
    assert "policies/latex.yaml: ok; 28 settings, none allows more than in 'base'" in done.stdout


def test_where_no_exception_is_accepted_the_example_fails() -> None:
    rows = answers("check", *FILES, "--no-weaker-than", "base", "--no-exceptions", code=2)
    assert [row["policy"] for row in rows if not row["ok"]] == ["policies/allowlist-example.yaml"]


def test_a_weaker_policy_ends_with_two_and_names_place_key_and_both_values(tmp_path: Path) -> None:
    text = aisci("policy", "show", "ci-cpu", "--effective").stdout
    (tmp_path / "wide.yaml").write_text(
        text.replace("wall: 5m", "wall: 6m").replace("name: ci-cpu", "name: wide")
    )
    done = aisci("policy", "check", "./wide.yaml", "--no-weaker-than", "ci-cpu", cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(r"error: wide\.yaml:\d+:5: experiment\.time\.wall", done.stdout)
    assert "'ci-cpu' has 5m; here it is 6m" in done.stdout
    assert "exceeds: {experiment.time.wall:" in done.stdout


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of two CPUs and 8 GiB, with no GPU."""
    machine = Machine(cpus=2, memory=8 * 2**30, disk=50 * 2**30, gpus=0)
    monkeypatch.setattr("orchestrator.api.policy_check.this_machine", lambda: machine)


LACKS = {
    "experiment.resources.cpus": "4 CPUs; this machine has 2",
    "experiment.gpus.count": "1 GPU; this machine has 0",
    "experiment.resources.memory": "32GiB; this machine has 8GiB",
    "run.memory": "128GiB; this machine has 8GiB",
    "run.disk": "160GiB; this machine has 50GiB free",
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("more", [(), ("--no-weaker-than", "base")])
def test_check_notes_each_limit_above_this_machine_and_here_makes_it_an_error(
    more: tuple[str, ...],
) -> None:
    for options, level, code in ((), "note", 0), (("--here",), "error", 2):
        (row,) = answers("check", "default", *more, *options, code=code)
        found = {one["where"].rpartition(": ")[2]: one for one in row["findings"]}
        assert {key: one["what"] for key, one in found.items()} == LACKS
        assert {one["level"] for one in found.values()} == {level}
        assert found["run.memory"]["todo"].startswith("lower it to 8GiB, or use a smaller policy")
        assert row["ok"] == (code == 0)


@pytest.mark.usefixtures("small")
def test_check_prints_each_note_below_the_file_with_place_and_key() -> None:
    printed = aisci("policy", "check", "default").stdout
    assert printed.startswith("default: ok\n  note: ")
    assert printed.count("  note: ") == len(LACKS)
    assert "default.yaml:28:3: run.memory\n    128GiB; this machine has 8GiB\n" in printed
    assert aisci("policy", "check", "default", "--here").stdout.startswith("default: 5 errors\n")


def test_a_file_of_blocks_needs_nothing_of_this_machine() -> None:
    assert aisci("policy", "check", "latex", "--here").stdout == "latex: ok\n"


def test_check_prints_each_error_of_a_file_that_does_not_load_as_its_own_finding(
    tmp_path: Path,
) -> None:
    body = "extends: base\nexperiment: {resources: {memry: 3GiB, pids: many}}\nlatex:\n"
    (row,) = answers("check", written(tmp_path, body), code=2)
    path = tmp_path / "mine.yaml"
    assert row["findings"] == [
        {"file": str(path), "line": line, "column": column, "key": key, "level": "error",
         "rule": "form", "what": what, "todo": todo, "reason": "",
         "where": f"{path}:{line}:{column}: {key}"}
        for line, column, key, what, todo in [
            (5, 26, "experiment.resources.memry", "unknown key 'memry'", "did you mean 'memory'?"),
            (5, 39, "experiment.resources.pids", "must be a whole number, not 'many'",
             "write a number without a decimal point and without quotes"),
            (6, 1, "latex", "the key 'latex' has no value", "write a value, or remove the key"),
        ]
    ]  # fmt: skip


@pytest.mark.usefixtures("small")
def test_each_finding_has_its_place_in_parts_and_its_rule_for_a_program(tmp_path: Path) -> None:
    bodies = {
        "a: [": "syntax",
        "extends: ./none.yaml": "parent",
        "extends: ci-cpu\nidea: {wall: 2h}": "weaker-than-parent",
        "extends: ci-cpu\nexceeds: {idea.wall: why not}\nidea: {wall: 2h}": "exception",
        "experiment: {}": "incomplete",
        "extends: ci-cpu\nidea: {wall: 4m}": "never-binds",
        "extends: ci-cpu\nlatex: {data: read-only}\nexceeds: {latex.data: for a test of this}":
            "not-enforced",
        "extends: ci-cpu\nrun: {memory: 4GiB, containers: 1}": "no-effect",
        f"extends: ci-cpu\n{ON_HOST}": "editor-on-host",
        "extends: workstation": "above-machine",
    }  # fmt: skip
    for body, rule in bodies.items():
        done = aisci("policy", "check", written(tmp_path, body), "--json")
        found = json.loads(done.stdout)["findings"]
        assert rule in {one["rule"] for one in found}, body
        for one in found:
            place = f"{one['file']}:{one['line']}:{one['column']}"
            assert one["where"] == place + (f": {one['key']}" if one["key"] else "")
            assert one["line"] > 0
    (row,) = answers("check", "allowlist-example", "--no-weaker-than", "base")
    assert [one["rule"] for one in row["findings"] if one["level"] == "exceeds"] == [
        "weaker-than-ceiling"
    ]
    page = (ROOT / "docs/policy.md").read_text("utf-8")
    assert [rule for rule in bodies.values() if f"`{rule}`" not in page] == []


def test_no_exceptions_without_a_ceiling_is_a_mistake() -> None:
    done = aisci("policy", "check", "base", "--no-exceptions")
    assert done.returncode == 2
    assert "--no-weaker-than base" in done.stderr


@pytest.mark.program
def test_a_hostile_reason_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    body = 'extends: ci-cpu\nexceeds: {idea.wall: "it clears \\x1b[2J\\u202e the screen"}\nidea: {wall: 2h}\n'
    path = written(tmp_path, body)
    checked = aisci("policy", "check", path, "--no-weaker-than", "ci-cpu")
    explained = aisci("policy", "explain", path, DOCKER_HOST=NOWHERE)
    for done in (checked, explained):
        assert done.returncode == 0, done.stderr
        assert r"\x1b[2J\u202e" in done.stdout
        assert "\x1b" not in done.stdout
        assert "\u202e" not in done.stdout


# --- diff ---------------------------------------------------------------------------------


def test_diff_says_for_each_setting_how_the_second_stands_to_the_first() -> None:
    (said,) = answers("diff", "ci-cpu", "allowlist-example")
    assert said["differences"] == [
        {
            "key": "experiment.network",
            "before": "none",
            "after": {"allow": ["api.semanticscholar.org:443"]},
            "verdict": "weaker",
        }
    ]
    assert (said["weaker"], said["stronger"], said["different"]) == (1, 0, 0)
    (said,) = answers("diff", "default", "strict")
    assert (said["weaker"], said["different"]) == (0, 1)
    assert said["stronger"] > 40


@pytest.mark.parametrize(
    ("first", "second", "last"),
    [
        ("default", "strict", r"strict allows nothing that default does not: \d+ stronger, 1 diff"),
        ("strict", "ci-cpu", r"ci-cpu allows more than strict in \d+ settings$"),
        ("ci-cpu", "allowlist-example", r"allowlist-example allows more than ci-cpu in 1 setting$"),
        ("ci-cpu", "ci-cpu", r"ci-cpu and ci-cpu allow the same, in every setting$"),
        ("latex", "strict", r"strict allows nothing that latex does not: \d+ stronger$"),
    ],
)
def test_diff_ends_in_words_and_with_zero(first: str, second: str, last: str) -> None:
    done = aisci("policy", "diff", first, second)
    assert done.returncode == 0
    assert re.match(last, done.stdout.splitlines()[-1])


def test_diff_of_files_without_a_block_in_common_is_a_mistake() -> None:
    done = aisci("policy", "diff", "latex", "editor")
    assert done.returncode == 2
    assert "no block in common" in done.stderr


def test_a_folder_is_no_policy_and_the_answer_says_so(tmp_path: Path) -> None:
    done = aisci("policy", "check", "./", cwd=tmp_path)
    assert done.returncode == 2
    assert "this is a folder: name the files in it" in done.stderr


# --- explain ------------------------------------------------------------------------------


@pytest.mark.engine
def test_explain_says_every_control_and_how_this_machine_gives_it() -> None:
    (said,) = answers("explain", "ci-cpu")
    controls = {one["id"]: one for one in said["controls"]}
    assert list(controls) == [control.id for control in CONTROLS]
    assert {one["state"] for one in controls.values()} <= {"given", "missing", "unknown"}
    assert controls["memory"]["settings"]["experiment.resources.memory"] == "3GiB"
    assert controls["container"]["state"] == controls["disk"]["state"] == "given"
    assert re.match(r"backend \w+: ", controls["disk"]["here"])
    assert re.search(r"cgroup version [12]", controls["memory"]["here"])
    assert controls["memory"]["cis"] == ["5.11", "5.25"]
    assert "runAsNonRoot, runAsUser" in controls["container"]["pod_security"]
    assert len(said["hash"]) == 64


@pytest.mark.program
def test_explain_answers_without_an_engine_and_ends_with_zero() -> None:
    done = aisci("policy", "explain", "strict", DOCKER_HOST=NOWHERE)
    assert done.returncode == 0
    assert "no engine answers here" in done.stdout
    assert "[unknown]" in done.stdout
    lines = done.stdout.splitlines()
    assert max(len(line) for line in lines) <= 100
    assert [line for line in lines if line != line.rstrip()] == []
    for control in CONTROLS:
        assert any(line.startswith(f"{control.title}  [") for line in lines)


def test_explain_of_a_file_of_blocks_says_what_to_explain_instead() -> None:
    done = aisci("policy", "explain", "latex", DOCKER_HOST=NOWHERE)
    assert done.returncode == 2
    assert "explain a policy that takes it, such as default" in done.stderr


@pytest.mark.engine
def test_explain_tells_once_that_a_job_ran_and_no_row_is_empty() -> None:
    printed = aisci("policy", "explain", "ci-cpu").stdout
    assert printed.count("a hardened job ran as asked under ") == 1
    assert "CIS none" not in printed
    assert "Pod Security none" not in printed


@pytest.mark.program
def test_explain_in_a_pager_fits_the_terminal() -> None:
    """A pager takes standard output; errors, and the eyes, are still at the terminal."""
    ours, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 72, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    try:
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), "policy", "explain", "ci-cpu"],
            stdout=subprocess.PIPE, stderr=terminal, text=True, check=True, timeout=60,
            env=env | {"DOCKER_HOST": NOWHERE, "TERM": "xterm"},
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(ours)
    assert 60 < max(len(line) for line in done.stdout.splitlines()) <= 72


@pytest.mark.program
def test_explain_says_where_gvisor_holds_a_control_in_another_way() -> None:
    (said,) = answers("explain", "strict", DOCKER_HOST=NOWHERE)
    assert [one["control"] for one in said["departures"]] == [
        d.control for d in departures("runsc")
    ]
    printed = aisci("policy", "explain", "strict", DOCKER_HOST=NOWHERE).stdout
    assert printed.count("\n  differs ") == len(departures("runsc")) > 0
    assert "differs" not in aisci("policy", "explain", "ci-cpu", DOCKER_HOST=NOWHERE).stdout


@pytest.mark.program
def test_explain_marks_what_this_machine_cannot_give_and_ends_with_zero(tmp_path: Path) -> None:
    text = aisci("policy", "show", "base", "--effective").stdout
    (tmp_path / "huge.yaml").write_text(
        text.replace("cpus: 64", "cpus: 4096").replace("name: base", "name: huge")
    )
    done = aisci("policy", "explain", "./huge.yaml", cwd=tmp_path, DOCKER_HOST=NOWHERE)
    assert done.returncode == 0
    assert "CPUs  [missing]" in done.stdout
    assert "4096 CPUs; this machine has" in done.stdout
    assert re.search(r"Missing: .*CPUs", done.stdout.replace("\n", " "))


# --- recipes ------------------------------------------------------------------------------


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Somebody's repository with policies, and `aisci` on the path."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/good.yaml").write_text(HEAD + "extends: ci-cpu\n")
    schema = (ROOT / "policies/schema.json").read_text("utf-8")
    (tmp_path / "policies/schema.json").write_text(schema)
    program = tmp_path / "bin/aisci"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/cli.py "$@"\n')
    program.chmod(0o755)
    return tmp_path


def shell(command: str, theirs: Path) -> subprocess.CompletedProcess[str]:
    """A step as a runner of workflows takes it: bash, ending at the first failure."""
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        cwd=theirs,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{theirs / 'bin'}:{os.environ['PATH']}"},
    )


def excuse(theirs: Path) -> None:
    """A policy that allows more than base, and says why."""
    body = "extends: ci-cpu\nexceeds: {experiment.network: I need it very much}\n"
    body += "experiment: {network: {allow: ['a.example.org:443']}}\n"
    (theirs / "policies/excused.yaml").write_text(HEAD + body)


def weaken(theirs: Path) -> None:
    text = aisci("policy", "show", "base", "--effective").stdout.replace("name: base", "name: wide")
    (theirs / "policies/wide.yaml").write_text(text.replace("pids: 4096", "pids: 4097", 1))


@pytest.mark.program
def test_the_hook_checks_the_files_that_a_commit_touches(theirs: Path) -> None:
    (hook,) = read(ROOT / ".pre-commit-hooks.yaml").data
    config = read(ROOT / "docs/recipes/pre-commit-config.yaml").data
    (used,) = config["repos"][0]["hooks"]
    assert used["id"] == hook["id"] == "aisci-policy-check"
    assert re.search(hook["files"], "policies/good.yaml")
    assert re.search(used["files"], "policies/good.yaml")
    assert shell(f"{hook['entry']} policies/good.yaml", theirs).returncode == 0
    weaken(theirs)
    done = shell(f"{hook['entry']} policies/good.yaml policies/wide.yaml", theirs)
    assert done.returncode == 2
    assert "wide.yaml" in done.stdout
    assert "experiment.resources.pids" in done.stdout


def workflow_steps() -> list[str]:
    workflow = read(ROOT / "docs/recipes/policy-check.yml").data
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["check"]["steps"]
    return [step["run"] for step in steps if "aisci policy" in step.get("run", "")]


@pytest.mark.program
def test_the_workflow_refuses_what_is_weaker_excused_or_of_another_schema(theirs: Path) -> None:
    check, schema = workflow_steps()
    for step in (check, schema):
        done = shell(step, theirs)
        assert done.returncode == 0, done.stdout + done.stderr
    excuse(theirs)
    done = shell(check, theirs)
    assert done.returncode
    assert "experiment.network" in done.stdout
    (theirs / "policies/excused.yaml").unlink()
    weaken(theirs)
    assert shell(check, theirs).returncode
    (theirs / "policies/schema.json").write_text("{}")
    assert shell(schema, theirs).returncode == 1


@pytest.mark.program
@pytest.mark.parametrize("place", ["a/b/wide.yaml", "wide.yml", ".wide.yaml", "two words.yaml"])
def test_no_place_below_the_folder_hides_a_policy_from_the_workflow(
    theirs: Path, place: str
) -> None:
    check, _ = workflow_steps()
    weaken(theirs)
    hidden = theirs / "elsewhere" / place
    hidden.parent.mkdir(parents=True)
    (theirs / "policies/wide.yaml").rename(hidden)
    assert shell(check, theirs).returncode == 0
    (theirs / "policies/link").symlink_to("../elsewhere")
    done = shell(check, theirs)
    assert done.returncode
    assert "experiment.resources.pids" in done.stdout
    (hook,) = read(ROOT / ".pre-commit-hooks.yaml").data
    assert re.search(hook["files"], f"policies/{place}")


@pytest.mark.program
def test_what_a_strangers_policy_says_forges_no_line_of_the_answer(theirs: Path) -> None:
    """Not of another file's, nor one that a runner of workflows would take for a command."""
    body = "extends: ci-cpu\nexceeds: {experiment.env: 'A\n\n  ::error::forged'}\n"
    body += 'experiment: {env: {A: "x\\n::error::forged\\ngood.yaml: ok"}}\n'
    (theirs / "policies/forged.yaml").write_text(HEAD + body)
    for more in ("", " --no-exceptions"):
        told = shell(f"aisci policy check policies/forged.yaml --no-weaker-than base{more}", theirs)
        lines = [line.strip() for line in told.stdout.splitlines()]
        assert any("forged" in line and "experiment.env" in line for line in lines)
        assert not any(line.startswith(("::", "good.yaml")) for line in lines)
