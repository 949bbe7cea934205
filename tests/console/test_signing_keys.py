"""Who is asked for a passphrase: a person at the terminal, before anything is done, and nobody else."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.api import signed_record
from orchestrator.console import signing_keys
from orchestrator.core.errors import AisciError, UserError
from orchestrator.record.heard import Notice
from orchestrator.record.paths import RunPaths
from orchestrator.record.signing import Signer, read_signer
from tests.console.test_cli import aisci
from tests.record.test_signing import pem, ssh
from tests.support.places import ROOT
from tests.support.signing_key import key

NOWHERE = "unix:///nowhere.sock"


def typed(words: list[str], lines: list[str], cwd: Path) -> tuple[int, str]:
    """The exit code, and what is on the terminal of a person who types ``lines``, one at each question."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", "DOCKER_HOST": NOWHERE}
    terminal, theirs = pty.openpty()
    words = [sys.executable, str(ROOT / "cli.py"), *words]
    with subprocess.Popen(
        words,
        cwd=cwd,
        env=environ,
        start_new_session=True,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as child:
        os.close(theirs)
        seen, until = "", time.monotonic() + 60
        while time.monotonic() < until:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                seen += os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # its end was closed
                break
            if lines and seen.count("passphrase of") > seen.count("\x00"):
                os.write(terminal, lines.pop(0).encode() + b"\n")
                seen += "\x00"  # one answer for one question
        os.close(terminal)
    return child.returncode, seen.replace("\x00", "")


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    return ssh(tmp_path, passphrase="open sesame")


@pytest.mark.program
def test_a_person_is_asked_at_the_terminal_and_what_they_type_is_not_shown(
    locked: Path, quick_run: Path, tmp_path: Path
) -> None:
    words = ["export", str(quick_run), "--bundle", str(locked), "--into", str(tmp_path / "x.jsonl")]
    code, seen = typed(words, ["wrong", "open sesame"], tmp_path)
    assert code == 0, seen
    assert seen.count("passphrase of") == 2
    assert "(wrong, 2 left)" in seen
    assert "sesame" not in seen
    assert re.search(r"signer: +SHA256:", seen)


@pytest.mark.program
def test_three_wrong_ones_end_on_one_screen_and_nothing_is_written(
    locked: Path, quick_run: Path, tmp_path: Path
) -> None:
    words = ["export", str(quick_run), "--bundle", str(locked), "--into", str(tmp_path / "x.jsonl")]
    code, seen = typed(words, ["a", "b", "c"], tmp_path)
    assert code == 2
    assert "no right passphrase was given" in seen
    assert len(seen.splitlines()) < 24
    assert not (tmp_path / "x.jsonl").exists()


@pytest.mark.program
def test_a_run_asks_at_its_start_before_it_looks_for_an_engine(
    locked: Path, tmp_path: Path
) -> None:
    words = ["run", "./nothing", "--sign", str(locked)]
    code, seen = typed(words, ["open sesame"], tmp_path)
    assert code == 2
    assert seen.index("passphrase of") < seen.index("./nothing")
    assert not (tmp_path / "results").exists()


@pytest.mark.program
@pytest.mark.parametrize("more", [[], ["--detach"]])
def test_without_a_terminal_nobody_is_asked(locked: Path, tmp_path: Path, more: list[str]) -> None:
    done = aisci(
        "run", "./nothing", "--sign", str(locked), *more, cwd=tmp_path, DOCKER_HOST=NOWHERE
    )
    assert done.returncode == 2
    assert "nobody can be asked for it" in done.stderr
    assert "ssh-add" in done.stderr
    assert len(done.stderr.splitlines()) < 12


@pytest.mark.program
def test_a_run_in_the_background_asks_nobody_though_a_person_sits_there(
    locked: Path, tmp_path: Path
) -> None:
    code, seen = typed(["run", "./nothing", "--detach", "--sign", str(locked)], [], tmp_path)
    assert code == 2
    assert "nobody can be asked for it" in seen


@pytest.mark.program
def test_a_passphrase_is_in_no_environment_and_no_child(
    locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(signing_keys, "getpass", lambda _: "open sesame")
    signer = signing_keys.key_named(str(locked))
    shown = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    assert "sesame" not in shown + repr(signer) + str(os.environ)


def test_the_end_of_the_input_is_no_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(signing_keys, "getpass", ends)
    assert signing_keys._asked("x") == ""
    assert signing_keys.key_named(None) is None
    assert signing_keys.key_named(str(key(tmp_path))).sign(b"x")


@pytest.mark.program
def test_a_key_that_others_may_read_starts_nothing(tmp_path: Path) -> None:
    path = pem(tmp_path)
    path.chmod(0o644)
    done = aisci("run", "./nothing", "--sign", str(path), cwd=tmp_path, DOCKER_HOST=NOWHERE)
    assert done.returncode == 2
    assert "others may read or write this private key" in done.stderr
    assert f"chmod 600 {path}" in done.stderr


def test_a_key_that_no_longer_signs_at_the_end_leaves_the_record_and_says_how_to_sign_it(
    quick_run: Path, tmp_path: Path
) -> None:
    def refuse(_: bytes) -> bytes:
        raise AisciError("ssh-agent did not sign", why="it hung up")

    signer = Signer(read_signer(key(tmp_path)).public, refuse)
    with pytest.raises(AisciError, match="has ended, and its record is not signed") as caught:
        signed_record.sign_record(RunPaths(quick_run), signer)
    assert not isinstance(caught.value, UserError)
    assert caught.value.todo == f"`aisci resume {quick_run} --sign KEY` signs it"
    assert not (quick_run / "signature.json").exists()
    told: list[object] = []
    signed_record.sign_or_tell(RunPaths(quick_run), signer, told.append)
    (notice,) = told
    assert isinstance(notice, Notice)
    assert "its record is not signed: ssh-agent did not sign" in notice.text
    assert "--sign KEY" in notice.text
