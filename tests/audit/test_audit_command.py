"""``aisci audit``: its words, its JSON, its page, and the walk in docs/audit.md as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from orchestrator.audit.audit import Audit
from orchestrator.audit.finding import CHECKS, AuditFinding, CheckResult, group_findings
from orchestrator.audit.page import audit_page
from orchestrator.console.options import View
from orchestrator.console.run import replay
from orchestrator.record.paths import RunPaths
from tests.console.test_bad_input import refused
from tests.record.test_signing import pem
from tests.report.test_report import HOSTILE
from tests.support import audit_rig as rig
from tests.support import run_rig
from tests.support.audit_rig import Forger, audited, idea_of
from tests.support.places import ROOT
from tests.support.warm import warm_aisci as aisci

WALK = ROOT / "docs" / "audit.md"
NO_ENGINE = "unix:///nowhere/docker.sock"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "quick" / "20260101_000000"
    rig.record(folder)
    return folder


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    into = tmp_path / "results" / "quick" / recorded.name
    return Path(shutil.copytree(recorded, into))


# --- the terminal -------------------------------------------------------------------------

CONSISTENT = """\
FOLDER: consistent
Every check holds within the record. Whoever can write to its folder could have rewritten all of it consistently: only a head or a signature stored elsewhere rules that out.

check     what has to hold                                                            looked at
chain     each line contains the hash of the line before it                           N        ok
seal      each journal is sealed, and the run's seal names the head of every idea     N        ok
blobs     every body and file that a line names exists and has its hash               N        ok
calls     each answer belongs to the request that its hash names                      N        ok
policy    the pinned policies and templates have their hashes                         N        ok
limits    each container had the limits of the policy in force                        N        ok
image     each container ran a pinned image                                           N        ok
evidence  each container has its evidence, and all evidence has its container         N        ok
settings  the engine request matches the policy, and the engine's answer the request  N        ok
kernel    the kernel reports the rights and limits that were requested                N        ok
use       no container used more than its limits allow                                N        ok
verdict   each verdict follows from how its container ended                           N        ok
budget    the recorded use is within the policy's budgets and times                   N        ok
results   each file of a finished run was written by a container                      N        ok
files     every file beside the journals is the one that the record makes             N        ok
anchor    the head or signature that was stored elsewhere matches this record         N        -

head:       HEAD
signature:  none
page:       FOLDER/audit.html
"""


@pytest.mark.program
def test_a_consistent_record_is_told_on_one_screen(run: Path, tmp_path: Path) -> None:
    done = aisci("audit", str(run), cwd=tmp_path, DOCKER_HOST=NO_ENGINE)
    assert done.returncode == 0, done.stderr
    text = done.stdout.replace(str(run), "FOLDER").replace(audited(run).head, "HEAD")
    text = re.sub(r"(?m)  \d+ +(ok|-)$", r"  N        \1", text)
    assert text == CONSISTENT
    assert (run / "audit.html").is_file()


@pytest.mark.program
def test_an_unfinished_record_is_exit_code_4_and_says_what_it_waits_for(
    run: Path, tmp_path: Path
) -> None:
    path = run / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    done = aisci("audit", str(run), cwd=tmp_path, DOCKER_HOST=NO_ENGINE)
    assert done.returncode == 4, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == f"{run}: unfinished"
    assert said[2].startswith("The run is not finished: it was interrupted or killed after ")
    assert any(line.startswith("seal ") and line.endswith("open") for line in said)
    told = json.loads(aisci("audit", str(run), "--json", cwd=tmp_path).stdout)
    assert (told["outcome"], told["ended"]) == ("unfinished", "unfinished")
    assert "This record is unfinished" in (run / "audit.html").read_text()


@pytest.mark.program
def test_latest_and_results_name_a_run_and_the_page_goes_where_it_is_asked(
    run: Path, tmp_path: Path
) -> None:
    page = tmp_path / "out" / "page.html"
    done = aisci("audit", "latest", "--html", str(page), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert page.is_file()
    assert not (run / "audit.html").exists()
    elsewhere = aisci("audit", "latest", "--results", str(tmp_path / "results"), cwd=ROOT)
    assert elsewhere.returncode == 0, elsewhere.stderr


@pytest.mark.program
def test_a_folder_that_cannot_be_written_is_audited_all_the_same(run: Path, tmp_path: Path) -> None:
    (run / "audit.html").mkdir()  # root may write anywhere else
    done = aisci("audit", str(run))
    assert done.returncode == 0, done.stderr
    assert f"page:       not written ({run}: Is a directory); --html FILE" in done.stdout
    asked = aisci("audit", str(run), "--html", str(tmp_path))
    assert asked.returncode == 0, "a page that cannot be written never hides the verdict"
    assert f"{run}: consistent" in asked.stdout
    assert "page:       not written" in asked.stdout


@pytest.mark.program
def test_head_and_key_make_it_intact_and_a_wrong_one_is_exit_code_1(
    run: Path, tmp_path: Path
) -> None:
    head = audited(run).head
    assert aisci("audit", str(run), "--head", head.upper()).stdout.startswith(f"{run}: intact\n")
    wrong = aisci("audit", str(run), "--head", "0" * 64)
    assert (wrong.returncode, wrong.stdout.splitlines()[0]) == (1, f"{run}: broken")
    assert "the stored head is not the head of this record" in wrong.stdout
    pem(tmp_path)
    unsigned = aisci("audit", str(run), "--key", str(tmp_path / "key.pub"))
    assert unsigned.returncode == 1
    assert "there is no signature for the key to check" in unsigned.stdout


@pytest.mark.program
def test_findings_stand_first_before_what_was_checked(run: Path) -> None:
    for path in sorted((idea_of(run).parent / "evidence").glob("*.json"))[:3]:
        path.write_text("{}")
    done = aisci("audit", str(run))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"{run}: broken"
    assert lines[3].split() == ["where", "what", "and", "why"]
    found, _, checks = done.stdout.partition("check     what has to hold")
    assert found.count("a file of evidence was changed") == 3
    assert re.search(r"(?m)^evidence .* fail$", checks)


def test_what_holds_of_several_places_is_said_once_with_how_many() -> None:
    every = [AuditFinding(check="use", where=f"j:{n}", what="too much") for n in (4, 9, 11)]
    first, other = group_findings([*every, AuditFinding(check="use", where="j:5", what="too long")])
    assert first.where == "j:4 and 2 others"
    assert first.places == ("j:4", "j:9", "j:11")
    assert other.where == "j:5"


@pytest.mark.program
def test_json_has_everything_that_the_page_has(run: Path) -> None:
    path = next((idea_of(run).parent / "evidence").glob("*.json"))
    path.unlink()
    done = aisci("audit", str(run), "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["outcome"] == "broken"
    assert [one["check"] for one in said["checks"]] == list(CHECKS)
    assert {one["check"] for one in said["checks"] if not one["holds"]} == {"evidence"}
    (finding,) = said["findings"]
    assert finding["where"].endswith(path.name)
    assert set(finding) == {"check", "where", "what", "why", "todo", "level"}
    assert len(said["containers"]) == said["checks"][5]["looked_at"]
    assert said["containers"][0]["evidence"]["verdict"] == "finished"
    assert said["heads"][0]["head"] == said["head"] == audited(run).head


# --- what people get wrong ----------------------------------------------------------------


@pytest.mark.program
def test_a_folder_that_is_no_run_or_is_one_ideas_is_exit_code_2(run: Path, tmp_path: Path) -> None:
    refused(aisci("audit", str(tmp_path), cwd=tmp_path), 2, "there is no run")
    refused(aisci("audit", str(idea_of(run).parent)), 2, "one idea's folder")


@pytest.mark.program
@pytest.mark.parametrize("head", ["abc", "g" * 64, ""])
def test_a_head_that_is_none_is_exit_code_2(head: str, run: Path) -> None:
    refused(aisci("audit", str(run), "--head", head), 2, "this is not a head", "64 digits")
    assert not (run / "audit.html").exists()


@pytest.mark.program
def test_a_key_that_is_none_is_exit_code_2_and_nothing_is_started(
    run: Path, tmp_path: Path
) -> None:
    key = pem(tmp_path)
    refused(aisci("audit", str(run), "--key", str(key)), 2, "it is a private key")
    for words in (
        ("resume", str(run), "--sign", str(tmp_path / "key.pub")),
        ("run", run_rig.QUICK, "--sign", str(tmp_path / "none"), "--results", str(tmp_path / "r")),
    ):
        assert aisci(*words, cwd=tmp_path, DOCKER_HOST=NO_ENGINE).returncode == 2
    assert not (tmp_path / "r").exists()


# --- the page ------------------------------------------------------------------------------


@pytest.mark.program
def test_an_audit_leaves_a_replay_the_same_byte_for_byte(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path for path in run.rglob("*") if path.is_file()}
    assert aisci("audit", str(run)).returncode == 0
    assert {path for path in run.rglob("*") if path.is_file()} - before == {run / "audit.html"}
    assert replay(str(run), run, View(quiet=False, as_json=False), into=None) == 0
    assert "the same byte for byte" in capsys.readouterr().out
    assert aisci("audit", str(run)).returncode == 0


def test_the_page_says_what_was_checked_what_was_found_and_how_to_check_again(run: Path) -> None:
    (idea_of(run).parent / "evidence" / "999_extra.json").write_text("{}")
    page = audit_page(audited(run))
    for text in (
        "This record is broken", "evidence without a container", "Checks", *CHECKS,
        "experiments/run_1/attempt_1", "Limits of an audit", "--head HEAD", audited(run).head,
        "policy quick", "sha256sum",
    ):  # fmt: skip
        assert text in re.sub(r"<[^>]+>|\s+", " ", page).replace("  ", " "), text
    assert "<script" not in page
    assert "default-src 'none'" in page.replace("&#x27;", "'")


def test_the_commands_on_the_page_run_nothing_that_a_folders_name_says(run: Path) -> None:
    named = run.rename(run.with_name("run; touch x $(id)"))
    page = unescape(audit_page(audited(named)))
    assert f"aisci audit '{named}' --head HEAD" in page
    assert f"aisci audit {named}" not in page


@pytest.mark.program
def test_hostile_text_in_a_record_acts_on_no_page_and_no_terminal(run: Path) -> None:
    forger = Forger(run)
    forger.change(forger.run, lambda lines: lines[0]["pins"]["template"].update(name=HOSTILE))
    forger.change(forger.run, lambda lines: lines[0]["pins"]["models"][0].update(name=HOSTILE))
    forger.change(forger.idea, lambda lines: lines[1].update(at=HOSTILE, scope=HOSTILE))
    (idea_of(run).parent / "evidence" / "<img src=x onerror=alert(1)>.json").write_text("{}")
    page = audit_page(audited(run))
    for text in ("<script", "<img", "\x1b", "\u202e", "onerror=alert(1)>"):
        assert text not in page
    done = aisci("audit", str(run))
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_pins_of_any_shape_make_a_page(run: Path) -> None:
    forger = Forger(run)
    for pins in ({}, {"policy": 3, "template": [], "images": "x"}, {"policy": {"settings": "s"}}):
        lines = forger.lines(forger.run)
        lines[0]["pins"] = pins
        forger.write(forger.run, lines)
        assert "This record is broken" in audit_page(audited(run))


def test_a_page_has_room_for_very_many_findings(recorded: Path) -> None:
    done = audited(recorded)
    many = tuple(
        AuditFinding(check="chain", where=f"j:{n}", what=f"line {n} is wrong") for n in range(2000)
    )
    full: Audit = replace(done, checks=(CheckResult("chain", 2000, many), *done.checks[1:]))
    page = audit_page(full)
    assert "1500 more are in the output of" in page
    assert len(page) < 2_000_000


# --- the walk ------------------------------------------------------------------------------


def commands() -> str:
    """Every command of docs/audit.md, in its order."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", WALK.read_text("utf-8"), re.DOTALL))


def test_the_walk_names_every_check() -> None:
    text = WALK.read_text("utf-8")
    assert [name for name in CHECKS if f"\n| {name} |" not in text] == []


@pytest.mark.engine
@pytest.mark.skipif(
    not all(map(shutil.which, ("jq", "openssl", "sha256sum"))), reason="needs jq and openssl"
)
def test_every_command_of_the_auditors_walk_does_what_it_says(tmp_path: Path) -> None:
    """As written, in a shell, on a real run that its first commands make."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aisci").write_text(
        f'#!/bin/sh\nexec {sys.executable} {ROOT}/cli.py "$@"\n'
    )
    (tmp_path / "bin" / "aisci").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands()],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.findall(r"(?m)^\S+: (intact|consistent|broken)$", done.stdout)
    assert said == ["consistent", *["intact"] * 3, "broken", "broken"]
    lines = done.stdout.splitlines()
    hashes = [line.split()[0] for line in lines if re.fullmatch(r"[0-9a-f]{64}(  -)?", line)]
    assert hashes[0] == hashes[1], "a line's hash and the next line's prev"
    assert hashes[2] in done.stdout.split('": "')[1], "the head that the seal names"
    assert lines.count("as it should be: exit code 1") == 2
    assert any("Verified Successfully" in line for line in lines)
    assert any(line == "journal.jsonl: OK" for line in lines)
    assert audited(next((tmp_path / "results/quick").iterdir())).findings == ()
    assert RunPaths(tmp_path / "changed").signature.is_file()
