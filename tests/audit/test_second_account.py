"""A second account audits what it may read: it writes nothing, and never calls unread files intact."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.reproduce import replay
from orchestrator.record.chain import head_of
from tests.support import audit_rig as rig
from tests.support.places import ROOT

pytestmark = [
    pytest.mark.program,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account"),
]
NOBODY = 65534

# The interpreter may lie where nobody reads: all that an audit imports is imported as root, by
# audits of a copy and of no run, and then the process becomes the other account for good.
PROGRAM = f"""
import os, sys
from typer.testing import CliRunner
import cli
run, warm, command, *words = sys.argv[1:]
for name in (warm, warm + "/none"):
    CliRunner().invoke(cli.app, [command, name, *([] if command == "report" else words)])
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
sys.argv = ["aisci", command, run, *words]
cli.app()
"""


@dataclass(frozen=True)
class Account:
    """Another account, with a run that it may read and a home that it may not write."""

    run: Path
    home: Path
    warm: Path

    def audit(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.call("audit", *words)

    def call(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, str(self.run), str(self.warm), command, *words],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )

    def state(self) -> dict[str, int]:
        return {str(one): one.stat().st_mtime_ns for one in (self.run, *self.run.rglob("*"))}


@pytest.fixture
def account(quick_run: Path) -> Iterator[Account]:
    """The recorded run with every file that it makes, outside of pytest's private folder."""
    place = Path(tempfile.mkdtemp(prefix="aisci-test-account-"))
    try:
        place.chmod(0o755)
        run = Path(shutil.copytree(quick_run, place / "run"))
        replay(str(run), into=place / "made")
        shutil.copytree(place / "made", run, dirs_exist_ok=True)
        for path in (run, *run.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        home = place / "home"
        home.mkdir(mode=0o555)
        yield Account(run, home, Path(shutil.copytree(run, place / "warm")))
    finally:
        shutil.rmtree(place)


def test_it_gets_the_verdict_and_a_word_on_the_page_that_it_may_not_write(
    account: Account,
) -> None:
    before = account.state()
    done = account.audit("--head", head_of(account.run / "journal.jsonl"))
    assert done.returncode == 0, done.stderr
    assert f"{account.run}: intact" in done.stdout
    assert f"page:       not written ({account.run}: Permission denied); --html FILE" in done.stdout
    assert f"{account.run}: consistent" in account.audit().stdout
    assert account.state() == before
    assert list(account.home.iterdir()) == []


UNREAD = {
    "the journal": "journal.jsonl",
    "an idea's journal": "*/journal.jsonl",
    "a body": "blobs/*",
    "a store": "blobs",
    "evidence": "evidence/*",
    "a paper": "*/*.pdf",
    "a folder of results": "*/run_1",
}


@pytest.mark.parametrize("what", UNREAD)
def test_with_one_thing_unread_it_is_told_so_first_and_never_that_the_record_is_intact(
    account: Account, what: str
) -> None:
    path = next(account.run.glob(UNREAD[what]))
    path.chmod(0)
    name = str(path.relative_to(account.run))
    done = account.audit("--head", head_of(account.run / "journal.jsonl"), "--json")
    assert done.returncode == 1, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["outcome"] == "broken"
    first = told["findings"][0]
    assert (first["check"], first["where"]) == ("files", name)
    assert first["what"] == "this account may not read it, so the audit is not complete"
    assert "chmod -R a+rX" in first["todo"]
    said = " ".join(one["what"] for one in told["findings"])
    assert "was stopped during a write" not in said
    assert "its bytes do not match" not in said
    assert "not of the form" not in said
    shown = account.audit().stdout
    assert "This account may not read all of the folder" in shown


def test_of_a_folder_that_it_may_not_enter_it_gets_an_error_and_no_verdict(
    account: Account,
) -> None:
    account.run.chmod(0o700)
    done = account.audit()
    assert done.returncode == 1
    assert "the system refused: Permission denied" in done.stderr
    assert not any(word in done.stdout for word in ("intact", "consistent", "broken"))


READING = {
    "replay": ("replay",),
    "status": ("status",),
    "logs": ("logs", "--output"),
    "open": ("open", "--print"),
}


@pytest.mark.parametrize("what", READING)
def test_what_only_reads_works_for_it_and_writes_nothing(account: Account, what: str) -> None:
    before = account.state()
    done = account.call(*READING[what])
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert account.state() == before
    assert list(account.home.iterdir()) == []


def test_it_compares_two_runs_and_lists_them(account: Account) -> None:
    before = account.state()
    done = account.call("compare", str(account.run), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pins"] == []
    assert account.state() == before


def test_pages_go_into_a_folder_of_its_own_and_their_links_lead_to_what_is_there(
    account: Account,
) -> None:
    refused = account.call("report")
    assert refused.returncode == 2, refused.stderr
    assert "--into DIR" in refused.stderr
    before, own = account.state(), account.run.parent / "own"
    own.mkdir(mode=0o777)
    own.chmod(0o777)
    done = account.call("report", "--into", str(own))
    assert done.returncode == 0, done.stderr
    assert account.state() == before
    pages = sorted(own.rglob("report.html"))
    assert len(pages) == 2
    for page in pages:
        links = re.findall(r'href="([^"#][^"]*)"', page.read_text())
        assert links
        assert all((page.parent / link).is_file() for link in links), links


def test_every_file_of_a_run_has_the_mode_of_its_owners_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        rig.record(tmp_path / "run")
    finally:
        os.umask(before)
    for path in (tmp_path / "run").rglob("*"):
        # An object of git is never written again: git gives nobody the right.
        wanted = 0o750 if path.is_dir() else 0o440 if "objects" in path.parts else 0o640
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
